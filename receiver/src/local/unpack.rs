//! `--extract --from`: the streams are unpacked into a directory, and what is to be done with it then is done.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use xbproto::backup::BackupFacts;
use xbproto::cli::{Event, Reporter, Requests};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::place::Place;
use xbproto::tls::random;
use xbproto::wire::{LaneSum, Receipt};

use super::LocalError;
use super::decoding::Decoding;
use super::digest::Digest;
use super::flow::{self, Consumer, Flow};
use super::stream::{self, Stream};
use super::supervise::Supervised;
use super::watch::Watch;
use crate::after::AfterCommit;
use crate::args::{Args, Whole};
use crate::destination::{self, Destination};
use crate::extract::ExtractError;
use crate::preflight::{Need, room};
use crate::sink::{LaneSink, Reached, Sink, SinkError};
use crate::stop::Stop;

/// The names of streams whose sums are computed, and what they come to, once that is known.
type Sums = Vec<(String, Arc<OnceLock<LaneSum>>)>;

/// What was unpacked.
struct Unpacked {
    sums: Sums,
    /// Bytes of all streams.
    bytes: u64,
}

/// What was committed.
struct Committed {
    reached: Reached,
    facts: BackupFacts,
}

/// Unpacks `streams` into the directory that `args` name.
pub(super) async fn run(
    args: &Args,
    streams: Vec<Stream>,
    mut requests: Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let Destination { sink, unpacking, .. } = open(args, &streams, reporter)?;
    let after = AfterCommit::requested(args);
    let after = after.map_err(|error| Failure::new(Cause::Usage, Party::Receiver, error))?;
    let target = sink.target().describe;
    let words = format!("unpacking {} into {}", stream::names(&streams), target);
    reporter.tell(Event::Notice(words));
    let stored = streams.iter().filter(|stream| !stream.is_stdin());
    stored.for_each(|stream| reporter.tell(Event::Notice(stream.compared())));
    let (gauge, stop, current) = (Arc::new(Gauge::default()), Stop::default(), unpacking.clone());
    let supervised = Supervised {
        doing: "unpacking",
        gauge: gauge.clone(),
        stop: stop.clone(),
        interrupter: sink.interrupter(),
        total: stream::total(&streams),
        file: move || current.as_ref().and_then(|unpacking| unpacking.current_file()),
    };
    let work = bring_home(sink, streams, args, &gauge, stop, reporter);
    let ((Unpacked { sums, bytes }, Committed { reached, facts }), course) =
        supervised.run(work, &mut requests, reporter).await?;
    let (lanes, files) = (tell_sums(sums, reporter), unpacking.map(|unpacking| unpacking.files()));
    if !facts.is_empty() {
        reporter.tell(Event::Backup(facts.clone()));
    }
    reporter.leaves(format!("the committed backup, {target}"));
    let receipt = Receipt { files, facts, ..Receipt::of(reached, lanes) };
    after.run(&receipt, &mut requests, reporter).await.map_err(|error| error.failure())?;
    reporter.tell(Event::Finished(course.summary(bytes, files, &reached.to_string())));
    Ok(())
}

/// Unpacks and commits; leaves nothing if either fails.
async fn bring_home(
    mut sink: Box<dyn Sink>,
    streams: Vec<Stream>,
    args: &Args,
    gauge: &Arc<Gauge>,
    stop: Stop,
    reporter: &Reporter,
) -> Result<(Unpacked, Committed), LocalError> {
    let (sink, done) = match feed(sink.as_mut(), streams, args, gauge, &stop).await {
        Ok(unpacked) => {
            let (sink, committed) = commit(sink, stop).await?;
            (sink, committed.map(|committed| (unpacked, committed)))
        }
        Err(error) => (sink, Err(error)),
    };
    done.inspect_err(|_| abandon(sink, reporter))
}

fn open(args: &Args, streams: &[Stream], reporter: &Reporter) -> Result<Destination, Failure> {
    let failed = |error: SinkError| Failure::new(error.cause(), Party::Receiver, error);
    let id = random().map_err(|error| Failure::new(Cause::Unforeseen, Party::Receiver, error))?;
    let destination = destination::open(args, u64::from_be_bytes(id), args.session.window, reporter).map_err(failed)?;
    if let Some(stored) = stream::total(streams) {
        let tight = room(&destination.sink.target(), Need { stored, growth: args.unpack.growth() }).map_err(failed)?;
        tight.into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
    }
    Ok(destination)
}

/// Unpacks all streams, and checks what is to be checked before they may be committed.
async fn feed(
    sink: &mut dyn Sink,
    streams: Vec<Stream>,
    args: &Args,
    gauge: &Arc<Gauge>,
    stop: &Stop,
) -> Result<Unpacked, LocalError> {
    let expect = args.local.expect;
    let names = stream::names(&streams);
    let (watch, mut sums, mut flows) = (Watch::default(), Sums::new(), Vec::new());
    for (lane, stream) in (0..).map(LaneId).zip(streams) {
        let (name, sum_name) = (stream.input.name().to_owned(), stream.sum_name());
        let Stream { input, sum, .. } = stream;
        let lane_sink = sink.lane(lane, &LaneDigest::default())?;
        let mut beside: Vec<Box<dyn Consumer>> = Vec::new();
        // The command of --then is told.
        if sum.is_some() || args.after.then.is_some() {
            let (digest, result) = Digest::new(&name, lane, sum);
            beside.push(Box::new(digest));
            sums.push((sum_name, result));
        }
        // The unpacker checks everything else.
        if expect == Whole::Backup {
            beside.push(Box::new(Decoding::new(&name, vec![Box::new(watch.stream(&name))])));
        }
        flows.push(Flow { input, lead: Box::new(Unpacking { name, lane_sink, gauge: gauge.clone() }), beside });
    }
    flow::run(flows, gauge, stop).await?;
    match gauge.sample().bytes {
        // Nobody watched; that all files have ended is asked when they are synced.
        bytes @ 1.. if expect == Whole::Xbstream => Ok(Unpacked { sums, bytes }),
        bytes @ 1.. => watch.complete(expect).map(|()| Unpacked { sums, bytes }),
        0 => Err(LocalError::Empty { names }),
    }
}

/// Syncs and publishes, on a thread of its own: that takes its time, and signals are still heard. The outer error is
/// that the sink is lost with a thread that panicked.
async fn commit(
    mut sink: Box<dyn Sink>,
    stop: Stop,
) -> Result<(Box<dyn Sink>, Result<Committed, LocalError>), LocalError> {
    let work = Place::Threads.start("commit", move || async move {
        let synced = sink.sync();
        let committed = match synced {
            _ if stop.is_raised() => Err(LocalError::Interrupted),
            Ok(()) => {
                let facts = sink.facts();
                sink.commit(&[]).map(|reached| Committed { reached, facts }).map_err(LocalError::from)
            }
            Err(error) => Err(error.into()),
        };
        (sink, committed)
    });
    Ok(work.map_err(LocalError::Thread)?.finished().await?)
}

fn abandon(mut sink: Box<dyn Sink>, reporter: &Reporter) {
    sink.abandon();
    reporter.leaves(sink.left());
}

/// Tells the sums that were computed, and gives them.
fn tell_sums(sums: Sums, reporter: &Reporter) -> Vec<LaneSum> {
    let tell = |(name, sum): (String, Arc<OnceLock<LaneSum>>)| {
        let told = sum.get().copied()?;
        reporter.tell(Event::Checksum { name, sum: told.sum, lane: told.lane });
        Some(told)
    };
    sums.into_iter().filter_map(tell).collect()
}

/// Unpacks one stream.
struct Unpacking {
    name: String,
    lane_sink: Box<dyn LaneSink>,
    gauge: Arc<Gauge>,
}

impl Unpacking {
    /// Names the stream in errors that are its fault: in the words of the watcher, which may be the first to find them.
    fn failed(&self, error: SinkError) -> LocalError {
        let name = self.name.clone();
        match error {
            SinkError::Extract(ExtractError::Stream { error, .. }) => LocalError::Stream { name, error },
            error if error.cause() == Cause::Integrity => LocalError::Unpack { name, error },
            error => LocalError::Sink(error),
        }
    }
}

impl Consumer for Unpacking {
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError> {
        let begun = Instant::now();
        let written = self.lane_sink.write(bytes);
        self.gauge.add_wait(Bottleneck::Disk, begun.elapsed());
        written.map_err(|error| self.failed(error))
    }

    fn end(&mut self) -> Result<(), LocalError> {
        self.lane_sink.finish().map_err(|error| self.failed(error))
    }
}
