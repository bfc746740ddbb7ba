//! The program: from its command line to its exit code.

use std::path::Path;
use std::process::ExitCode;

use xbproto::cli::remote::{Caller, Forsaken, Leave, times_for};
use xbproto::cli::{Event, Reporter, Requests, Summary, Turns, generate_key_file, give_order};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::tls::random;

use crate::after::AfterCommit;
use crate::args::Args;
use crate::destination::{self, Destination, StreamNames};
use crate::journal::Presence;
use crate::local;
use crate::sink::Again;
use crate::stand::{Place, Stand};
use crate::start::{Others, start_sender};
use crate::transfer::{Acknowledged, Done, Reopen, Transfer};

/// Runs `xbrecv` on the main thread and returns what it exits with. `notes` are told first. Whoever has started it over ssh
/// is `caller`.
pub fn run(args: Args, notes: Vec<Event>, caller: Option<Caller>) -> ExitCode {
    if let Some(order) = &args.control.control {
        return give_order(Party::Receiver, order);
    }
    let reporter = Reporter::start(Party::Receiver, args.display.progress, args.display.verbosity());
    notes.into_iter().for_each(|note| reporter.tell(note));
    let result = match &args.generate_key {
        Some(path) => generate_key(path, &reporter),
        None => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(receive(args, caller, &reporter)),
            Err(error) => Err(failure(Cause::Unforeseen, error)),
        },
    };
    reporter.conclude(result)
}

fn generate_key(path: &Path, reporter: &Reporter) -> Result<(), Failure> {
    let key = new_key()?;
    generate_key_file(path, &key).map_err(|error| failure(Cause::Usage, error))?;
    let words = format!("made {}; copy it to the other host and use --key-file on both", path.display());
    reporter.tell(Event::Notice(words));
    Ok(())
}

async fn receive(args: Args, caller: Option<Caller>, reporter: &Reporter) -> Result<(), Failure> {
    if !args.local.from.is_empty() {
        return local::run(&args, reporter).await;
    }
    let times = times_for(caller.as_ref(), args.way.times, Party::Receiver)?;
    let mut stand = Stand::of(&args, caller.as_ref())?;
    let deadline = args.session.deadline.map(|span| span.0);
    let mut requests = Requests::listen(Party::Receiver, deadline).map_err(unforeseen)?;
    if let Some(path) = &args.control.control_socket {
        requests.take_orders_at(path).map_err(|error| failure(Cause::Usage, error))?;
    }
    let mut gone = caller.map(|caller| caller.gone);
    let mut turns = Turns::new(times);
    loop {
        let args = args.for_turn(turns.number(), times).map_err(|error| failure(Cause::Usage, error))?;
        // What cannot be begun will not be another time.
        let destination = open(&args, reporter)?;
        let taken = take_backup(&args, destination, &mut stand, gone.take(), &mut requests, reporter).await;
        if let Some(ended) = turns.ended(taken, &mut requests, reporter).await {
            return ended;
        }
    }
}

/// Takes one backup.
async fn take_backup(
    args: &Args,
    mut destination: Destination,
    stand: &mut Stand,
    caller_gone: Option<Forsaken>,
    requests: &mut Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let after = AfterCommit::requested(args).map_err(|error| failure(Cause::Usage, error))?;
    let started = start_sender(args, stand, requests, reporter).await?;
    let Others { company, gone: forsaken } = started.unwrap_or(Others { gone: caller_gone, ..Others::default() });
    let place = match stand.take(args, &mut destination, reporter) {
        Ok(place) => place,
        Err(failure) => return Err(company.give_up(failure, requests).await),
    };
    stand.announce(&place, reporter);
    let (names, target) = (destination.names.clone(), destination.sink.target().describe);
    let Place { sockets, way, credentials, presence } = place;
    let reopen = reopening(args, &destination, &presence, reporter);
    let (window, liveness) = (args.session.window, args.session.peer_timeout);
    let rate = requests.rate_limit(args.rate_limit);
    let transfer = Transfer { sockets, way, credentials, destination, reopen, rate, window, liveness, forsaken };
    let done = match transfer.run(requests, reporter).await {
        Ok(done) => done,
        Err(failure) => return Err(company.give_up(failure, requests).await),
    };
    report(&done, &names, reporter);
    reporter.leaves(format!("the committed backup, {target}"));
    // Whatever the other side has left undone, this one does its part.
    let left = company.leave(Leave::Confirmed, requests).await;
    let after = after.run(&done.receipt, requests, reporter).await.map_err(|error| error.failure());
    left.and(after)?;
    reporter.tell(Event::Finished(Summary::of(&done.receipt, done.elapsed, done.before, done.limited)));
    Ok(())
}

fn open(args: &Args, reporter: &Reporter) -> Result<Destination, Failure> {
    let id = u64::from_be_bytes(random().map_err(unforeseen)?);
    let opened = destination::open(args, id, args.session.window, reporter);
    opened.map_err(|error| failure(error.cause(), error))
}

/// How the destination is made anew for a session that takes another's place, if it can be.
fn reopening(args: &Args, destination: &Destination, presence: &Presence, reporter: &Reporter) -> Option<Reopen> {
    if destination.sink.again() == Again::Impossible {
        return None;
    }
    let (args, presence, reporter) = (args.clone(), presence.clone(), reporter.clone());
    Some(Box::new(move || {
        let mut destination = open(&args, &reporter)?;
        destination.recalled = None;
        destination.sink.remember(&presence).map_err(|error| failure(error.cause(), error))?;
        Ok(destination)
    }))
}

fn new_key() -> Result<Key, Failure> {
    Ok(Key::new(random().map_err(|error| failure(Cause::Unforeseen, error))?))
}

fn report(done: &Done, names: &StreamNames, reporter: &Reporter) {
    for lane in &done.receipt.lanes {
        let name = names.of(lane.lane, done.receipt.lanes.len());
        reporter.tell(Event::Checksum { name, sum: lane.sum, lane: lane.lane });
    }
    if !done.receipt.facts.is_empty() {
        reporter.tell(Event::Backup(done.receipt.facts.clone()));
    }
    if done.acknowledged == Acknowledged::ByNobody {
        let words = "the backup is committed, but the sender has not acknowledged the receipt";
        reporter.tell(Event::Warning(words.to_owned()));
    }
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    failure(Cause::Unforeseen, error)
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Receiver, error)
}
