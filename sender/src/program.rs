//! The program: from its command line to its exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use xbproto::cli::remote::{Caller, Company, Leave, times_for};
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
use crate::start::{Others, Start};
use crate::transfer::{Done, Transfer, fits};
use crate::way::{Next, Way};

/// Runs `xbsend` on the main thread and returns what it exits with. `notes` are told first. Whoever has started it over ssh
/// is `caller`.
pub fn run(args: Args, notes: Vec<Event>, caller: Option<Caller>) -> ExitCode {
    if let Some(order) = &args.control.control {
        return give_order(Party::Sender, order);
    }
    let reporter = Reporter::start(Party::Sender, args.display.progress, args.display.verbosity());
    notes.into_iter().for_each(|note| reporter.tell(note));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(send(args, caller, &reporter)),
        Err(error) => Err(failure(Cause::Unforeseen, error)),
    };
    reporter.conclude(result)
}

/// Makes and moves as many backups as are wanted, each for a receiver of its own.
async fn send(args: Args, caller: Option<Caller>, reporter: &Reporter) -> Result<(), Failure> {
    let times = times_for(caller.as_ref(), args.way.times, Party::Sender)?;
    // With orders on it, it is no source.
    let stdin = if caller.is_some() { Stdin::Nothing } else { Stdin::inspect() };
    let mut first = Backup::prepare(&args, stdin, reporter)?;
    let start = Start::of(&args, caller.as_ref(), reporter)?;
    // From here on an end by a signal would leave something behind.
    let requests = Requests::listen(Party::Sender, args.session.deadline.map(|span| span.0));
    let mut requests = requests.map_err(|error| failure(Cause::Unforeseen, error))?;
    if let Some(path) = &args.control.control_socket {
        requests.take_orders_at(path).map_err(|error| failure(Cause::Usage, error))?;
    }
    // There are none where several backups are made.
    first.results = Results::prepare(&args)?;
    let mut first = Some(first);
    let (mut stand, mut others) = start.make(&args, &mut requests, reporter).await?;
    if let Some(caller) = caller {
        others.gone = Some(caller.gone);
    }
    let mut turns = Turns::new(times);
    loop {
        // What cannot be begun will not be another time.
        let backup = first.take().map_or_else(|| Backup::prepare(&args, stdin, reporter), Ok)?;
        let way = stand.way(if turns.is_last() { Next::Nobody } else { Next::Another }, reporter)?;
        let others = std::mem::take(&mut others);
        let moved = move_backup(&args, backup, way, stand.credentials.clone(), others, &mut requests, reporter).await;
        if let Some(ended) = turns.ended(moved, &mut requests, reporter).await {
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
    Others { company, gone: forsaken }: Others,
    requests: &mut Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let Backup { session, source: Source { ready: source, lanes, size }, spool, results } = backup;
    reporter.leaves("nothing, and what was run is ended");
    let (expect, compression, rate, congestion) =
        (args.expect(), args.compress, requests.rate_limit(args.rate_limit), args.congestion());
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
        forsaken,
    };
    let ended = transfer.run(way, requests, reporter).await;
    let summary = Ended { session, size, ended, results }.told(company, requests, reporter).await?;
    summary.into_iter().for_each(|summary| reporter.tell(Event::Finished(summary)));
    Ok(())
}

/// A session that is over.
struct Ended {
    session: SessionId,
    size: Option<u64>,
    ended: Result<Done, Failure>,
    results: Results,
}

impl Ended {
    /// Tells what has come of it, writes the files that were asked for, and takes leave. Gives what there is to say at the
    /// very end, when nothing can fail any more.
    async fn told(
        self,
        company: Company,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<Option<Summary>, Failure> {
        match self.ended {
            Err(failure) => Err(company.give_up(failure, requests).await),
            Ok(Done::Checked(welcome)) => {
                company.leave(Leave::Checked, requests).await?;
                checked(&welcome, self.size, reporter).map(|()| None)
            }
            Ok(Done::Confirmed { receipt, sums, elapsed, names, compressed, limited }) => {
                confirmed(&receipt, &sums, &names, reporter);
                let stored = StoredReceipt { session: self.session, receipt: &receipt, elapsed };
                let written = self.results.write(&stored, &sums, &names);
                let left = company.leave(Leave::Confirmed, requests).await;
                written.and(left)?;
                Ok(Some(Summary { compressed, ..Summary::of(&receipt, elapsed, 0, limited) }))
            }
        }
    }
}

/// A backup that can be begun.
struct Backup {
    session: SessionId,
    source: Source,
    spool: Option<Spool>,
    /// Where it is told that the backup was moved.
    results: Results,
}

impl Backup {
    fn prepare(args: &Args, stdin: Stdin, reporter: &Reporter) -> Result<Backup, Failure> {
        let source = source(args, stdin, reporter)?;
        let spool = args.spool.clone().map(Spool::prepare).transpose();
        let spool = spool.map_err(|error| failure(error.cause(), error))?;
        Ok(Backup { session: session_id()?, source, spool, results: Results::default() })
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
fn source(args: &Args, stdin: Stdin, reporter: &Reporter) -> Result<Source, Failure> {
    let failed = |error: SourceError| failure(error.cause(), error);
    let choice = choose(args.wish(), stdin).map_err(failed)?;
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
#[derive(Default)]
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
