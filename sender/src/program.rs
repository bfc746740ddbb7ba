//! The program: from its command line to its exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use xbproto::cli::{Event, Moment, Reporter, Requests, StoredReceipt, Summary, Times, Turns, give_order};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::MIN_SHARE;
use xbproto::quantity::ByteSize;
use xbproto::tls::Credentials;
use xbproto::wire::{LaneSum, Purpose, Receipt, SessionId, Welcome};

use crate::args::Args;
use crate::result_file::ResultFile;
use crate::source::{Note, OnNote, Ready, SourceError, Stdin, choose, prepare};
use crate::spool::Spool;
use crate::stand::Stand;
use crate::transfer::{Done, Transfer, fits};
use crate::way::Way;

/// Runs `xbsend` on the main thread and returns what it exits with. `notes` are told first.
pub fn run(args: Args, notes: Vec<Event>) -> ExitCode {
    if let Some(order) = &args.control.control {
        return give_order(Party::Sender, order);
    }
    let reporter = Reporter::start(Party::Sender, args.display.progress, args.display.verbosity());
    notes.into_iter().for_each(|note| reporter.tell(note));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(send(args, &reporter)),
        Err(error) => Err(failure(Cause::Unforeseen, error)),
    };
    reporter.conclude(result)
}

/// Makes and moves as many backups as are wanted, each for a receiver of its own.
async fn send(args: Args, reporter: &Reporter) -> Result<(), Failure> {
    let mut first = Some(Backup::prepare(&args, reporter)?);
    let mut stand = Stand::of(&args, reporter)?;
    // From here on an end by a signal would leave something behind.
    let requests = Requests::listen(Party::Sender, args.session.deadline.map(|span| span.0));
    let mut requests = requests.map_err(|error| failure(Cause::Unforeseen, error))?;
    if let Some(path) = &args.control.control_socket {
        requests.take_orders_at(path).map_err(|error| failure(Cause::Usage, error))?;
    }
    let mut turns = Turns::new(args.way.times.unwrap_or(Times::ONCE));
    loop {
        let moved = async {
            let backup = first.take().map_or_else(|| Backup::prepare(&args, reporter), Ok)?;
            let way = stand.way(reporter)?;
            move_backup(&args, backup, way, stand.credentials.clone(), &mut requests, reporter).await
        };
        let moved = moved.await;
        if let Some(ended) = turns.ended(moved, &requests, reporter) {
            return ended;
        }
    }
}

/// Moves one backup.
async fn move_backup(
    args: &Args,
    backup: Backup,
    way: Way,
    credentials: Credentials,
    requests: &mut Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let Backup { source: Source { ready: source, lanes, size }, spool } = backup;
    let results = Results::prepare(args)?;
    let session = session_id()?;
    reporter.leaves("nothing, and what was run is ended");
    let (expect, compression, rate, congestion) = (args.expect(), args.compress, args.rate_limit, args.congestion());
    let (window, retry_for, liveness) = (args.session.window, args.retry_for.0, args.session.peer_timeout);
    let transfer = Transfer {
        session,
        credentials,
        source,
        lanes,
        spool,
        expect,
        compression,
        rate,
        size,
        window,
        retry_for,
        liveness,
        congestion,
    };
    match transfer.run(way, requests, reporter).await? {
        Done::Checked(welcome) => checked(&welcome, size, reporter),
        Done::Confirmed { receipt, sums, elapsed, names, compressed, limited } => {
            confirmed(&receipt, &sums, &names, reporter);
            results.write(&StoredReceipt { session, receipt: &receipt, elapsed }, &sums, &names)?;
            reporter.tell(Event::Finished(Summary { compressed, ..Summary::of(&receipt, elapsed, 0, limited) }));
            Ok(())
        }
    }
}

/// A backup that can be begun.
struct Backup {
    source: Source,
    spool: Option<Spool>,
}

impl Backup {
    fn prepare(args: &Args, reporter: &Reporter) -> Result<Backup, Failure> {
        let source = source(args, reporter)?;
        let spool = args.spool.clone().map(Spool::prepare).transpose();
        Ok(Backup { source, spool: spool.map_err(|error| failure(error.cause(), error))? })
    }
}

/// What is to be sent.
struct Source {
    /// Nothing for a check.
    ready: Option<Ready>,
    lanes: u16,
    /// Bytes of all lanes, as far as they are known.
    size: Option<u64>,
}

/// Finds the source. What can be wrong with it shows here, before a receiver that takes one sender only has been
/// reached.
fn source(args: &Args, reporter: &Reporter) -> Result<Source, Failure> {
    let failed = |error: SourceError| failure(error.cause(), error);
    let choice = choose(args.wish(), Stdin::inspect()).map_err(failed)?;
    if choice.is_read_once() && args.way.times.is_some_and(|times| times != Times::ONCE) {
        return Err(failure(
            Cause::Usage,
            "standard input can be read only once; --times needs a command, a file or --dir",
        ));
    }
    let lanes = choice.lanes();
    wide_enough(args.session.window, lanes)?;
    let (ready, length) = match args.purpose() {
        Purpose::Check => (None, choice.length().map_err(failed)?),
        Purpose::Transfer | Purpose::Resume | Purpose::Join => {
            let ready = prepare(choice, notes(reporter)).map_err(failed)?;
            let length = ready.length();
            (Some(ready), length)
        }
    };
    Ok(Source { ready, lanes, size: args.size.map(|size| size.0).or(length) })
}

/// Makes sure that each lane gets its share of the window.
fn wide_enough(window: u64, lanes: u16) -> Result<(), Failure> {
    let needed = u64::from(lanes) * MIN_SHARE as u64;
    match window < needed {
        true => {
            let (window, needed) = (ByteSize(window), ByteSize(needed));
            let words = format!("{lanes} streams need a --window of {needed} at least, on both sides; it is {window}");
            Err(failure(Cause::Usage, words))
        }
        false => Ok(()),
    }
}

fn notes(reporter: &Reporter) -> OnNote {
    let told = reporter.clone();
    OnNote::new(move |note| {
        told.tell(match note {
            Note::SyncByte { .. } => Event::Detail(note.to_string()),
            Note::EmptyDirectories { .. } => Event::Warning(note.to_string()),
        });
    })
}

fn session_id() -> Result<SessionId, Failure> {
    Ok(SessionId(xbproto::tls::random().map_err(|error| failure(Cause::Unforeseen, error))?))
}

fn checked(welcome: &Welcome, size: Option<u64>, reporter: &Reporter) -> Result<(), Failure> {
    fits(welcome, size)?;
    let free = welcome.free.map(|free| format!(", {} free", ByteSize(free))).unwrap_or_default();
    reporter.tell(Event::Notice(format!("check passed: the receiver would write to {}{free}", welcome.target)));
    Ok(())
}

/// Tells the checksums, and what backup it is.
fn confirmed(receipt: &Receipt, sums: &[LaneSum], names: &[String], reporter: &Reporter) {
    for (sum, name) in sums.iter().zip(names) {
        reporter.tell(Event::Checksum { name: name.clone(), sum: sum.sum, lane: sum.lane });
    }
    if !receipt.facts.is_empty() {
        reporter.tell(Event::Backup(receipt.facts.clone()));
    }
}

/// The files that were asked for.
struct Results {
    checksum: Option<ResultFile>,
    receipt: Option<ResultFile>,
}

impl Results {
    fn prepare(args: &Args) -> Result<Results, Failure> {
        let prepare = |option, path: &Option<PathBuf>| {
            let file = path.as_deref().map(|path| ResultFile::prepare(option, path)).transpose();
            file.map_err(|error| failure(error.cause(), error))
        };
        Ok(Results {
            checksum: prepare("--checksum-file", &args.checksum_file)?,
            receipt: prepare("--receipt", &args.receipt.receipt)?,
        })
    }

    /// Writes both, the second also if the first cannot be written.
    fn write(self, confirmed: &StoredReceipt<'_>, sums: &[LaneSum], names: &[String]) -> Result<(), Failure> {
        let lines: String = sums.iter().zip(names).map(|(sum, name)| format!("{}  {name}\n", sum.sum)).collect();
        let checksum = self.checksum.map_or(Ok(()), |file| file.write(&lines));
        let receipt = self.receipt.map_or(Ok(()), |file| file.write(&confirmed.to_json(Moment::now().wall)));
        checksum.and(receipt).map_err(|error| failure(error.cause(), error))
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
