//! Streams that are stored on this host: unpacked, listed or verified without a network.
//!
//! ```text
//!                ┌─▶ lead: unpack, list or verify   (a thread)
//! input ─ reader ┼─▶ beside: SHA-1                  (a thread, if there is a sum to compare with, or to tell)
//!                └─▶ beside: decode the files       (a thread, where encoded files are verified)
//! ```
//!
//! There is one such flow for each `--from`; together they are one backup. The first error, of whichever thread, ends
//! them all.
//!
//! | module | owns |
//! |---|---|
//! | `input` | a file, a FIFO or standard input |
//! | `stored_sum` | the SHA-1 that stands beside a file |
//! | `stream` | both of them, for each `--from` |
//! | `flow` | read once, ahead; hand to every consumer on a thread of its own |
//! | `digest`, `decoding`, `watch`, `undoing` | SHA-1; bytes into items; whether these make a whole backup; decoding files |
//! | `supervise` | progress, signals and deadline meanwhile |
//! | `unpack`, `list`, `verify` | `--extract`, `--list`, `--verify` |
//! | `error` | why any of it failed |

mod decoding;
mod digest;
mod error;
mod flow;
mod input;
mod list;
mod stored_sum;
mod stream;
mod supervise;
mod undoing;
mod unpack;
mod verify;
mod watch;

pub use error::LocalError;

use xbproto::cli::{Reporter, Requests};
use xbproto::failure::{Cause, Failure, Party};

use self::stream::Stream;
use crate::args::Args;

/// What is said when a stored stream is to be written once more.
const NO_COPY: &str = "--from goes with --extract, --list or --verify; to copy a stored stream, cp does that, and a command reads it with `< FILE`";

/// Does what `args` ask for with the streams of `--from`.
///
/// # Errors
/// The first [`Failure`], wherever it happened. Nothing is left of what was unpacked then.
pub async fn run(args: &Args, reporter: &Reporter) -> Result<(), Failure> {
    reporter.on_one_host();
    if args.output.is_some() || args.fifos().is_some() || args.stdout || !args.command.is_empty() {
        return Err(Failure::new(Cause::Usage, Party::Receiver, NO_COPY));
    }
    let requests = Requests::listen(Party::Receiver, args.session.deadline.map(|span| span.0));
    let requests = requests.map_err(|error| Failure::new(Cause::Unforeseen, Party::Receiver, error))?;
    let streams = Stream::find_all(&args.local.from).map_err(LocalError::failure)?;
    match (args.local.list, args.local.verify) {
        (Some(form), _) => list::run(form, streams, requests, reporter).await,
        (None, true) => verify::run(args, streams, requests, reporter).await,
        (None, false) => unpack::run(args, streams, requests, reporter).await,
    }
}
