//! The program: from its command line to its exit code.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use xbproto::cli::{Event, Moment, Reporter, Requests, StoredReceipt, Summary, ask_for_key, given_key};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::quantity::ByteSize;
use xbproto::quic::Family;
use xbproto::wire::{LaneSum, Purpose, Receipt, SessionId, Welcome};

use crate::args::Args;
use crate::result_file::ResultFile;
use crate::route::Route;
use crate::source::{Ready, SourceError, Stdin, choose, prepare};
use crate::spool::Spool;
use crate::transfer::{Done, Transfer, fits};

/// Runs `xbsend` on the main thread and returns what it exits with.
pub fn run(args: Args) -> ExitCode {
    let reporter = Reporter::start(Party::Sender, args.display.progress, args.display.verbosity());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(send(args, &reporter)),
        Err(error) => Err(failure(Cause::Unforeseen, error)),
    };
    reporter.conclude(result)
}

async fn send(args: Args, reporter: &Reporter) -> Result<(), Failure> {
    let (source, size) = source(&args)?;
    let spool = args.spool.clone().map(Spool::prepare).transpose().map_err(|error| failure(error.cause(), error))?;
    let route = Route::parse(&args.to, family(&args), args.wait.0).map_err(|error| failure(error.cause(), error))?;
    let key = key(&args, reporter)?;
    // From here on an end by a signal would leave something behind.
    let requests = Requests::listen(Party::Sender, args.session.deadline.map(|span| span.0));
    let requests = requests.map_err(|error| failure(Cause::Unforeseen, error))?;
    let results = Results::prepare(&args)?;
    let session = session_id()?;
    reporter.leaves("nothing, and what was run is ended");
    let (bind, expect, compression, rate) = (args.bind, args.expect(), args.compress, args.rate_limit);
    let (congestion, links) = (args.congestion(), args.links);
    let (window, retry_for, liveness) = (args.session.window, args.retry_for.0, args.session.peer_timeout);
    let transfer = Transfer {
        session,
        route,
        bind,
        key,
        source,
        spool,
        expect,
        compression,
        rate,
        size,
        window,
        links,
        retry_for,
        liveness,
        congestion,
    };
    match transfer.run(requests, reporter).await? {
        Done::Checked(welcome) => checked(&welcome, size, reporter),
        Done::Confirmed { receipt, sums, elapsed, name, compressed, limited } => {
            confirmed(&receipt, &sums, &name, reporter);
            results.write(&StoredReceipt { session, receipt: &receipt, elapsed }, &sums, &name)?;
            reporter.tell(Event::Finished(Summary { compressed, ..Summary::of(&receipt, elapsed, 0, limited) }));
            Ok(())
        }
    }
}

fn family(args: &Args) -> Family {
    match args.bind {
        Some(IpAddr::V4(_)) => Family::V4,
        Some(IpAddr::V6(_)) => Family::V6,
        None => args.address.family(),
    }
}

/// The source, except for a check, and its size as far as it is known. What can be wrong with a source shows
/// here, before a receiver that takes one sender only has been reached.
fn source(args: &Args) -> Result<(Option<Ready>, Option<u64>), Failure> {
    let failed = |error: SourceError| failure(error.cause(), error);
    let choice = choose(args.wish(), Stdin::inspect()).map_err(failed)?;
    let (ready, length) = match args.purpose() {
        Purpose::Check => (None, choice.length().map_err(failed)?),
        Purpose::Transfer | Purpose::Resume | Purpose::Join => {
            let ready = prepare(choice).map_err(failed)?;
            let length = ready.length();
            (Some(ready), length)
        }
    };
    Ok((ready, args.size.map(|size| size.0).or(length)))
}

fn key(args: &Args, reporter: &Reporter) -> Result<xbproto::key::Key, Failure> {
    let given = given_key(args.key.key_file.as_deref()).map_err(|error| failure(Cause::Usage, error))?;
    match given {
        Some(given) => {
            given.warning.into_iter().for_each(|warning| reporter.tell(Event::Warning(warning)));
            Ok(given.key)
        }
        None => ask_for_key().map_err(|error| failure(error.cause(), error)),
    }
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
fn confirmed(receipt: &Receipt, sums: &[LaneSum], name: &str, reporter: &Reporter) {
    for sum in sums {
        reporter.tell(Event::Checksum { name: name.to_owned(), sum: sum.sum, lane: sum.lane });
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
    fn write(self, confirmed: &StoredReceipt<'_>, sums: &[LaneSum], name: &str) -> Result<(), Failure> {
        let lines: String = sums.iter().map(|sum| format!("{}  {name}\n", sum.sum)).collect();
        let checksum = self.checksum.map_or(Ok(()), |file| file.write(&lines));
        let receipt = self.receipt.map_or(Ok(()), |file| file.write(&confirmed.to_json(Moment::now().wall)));
        checksum.and(receipt).map_err(|error| failure(error.cause(), error))
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
