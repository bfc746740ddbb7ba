//! `--extract --from`: the streams are unpacked into a directory.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use xbproto::backup::BackupFacts;
use xbproto::cli::{Event, Reporter, Requests};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{LaneDigest, LaneId, Sha1Sum};
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::place::Place;
use xbproto::tls::random;
use xbproto::wire::{LaneSum, Receipt};

use super::LocalError;
use super::digest::Digest;
use super::flow::{self, Consumer, Flow};
use super::stream::{self, Stream};
use super::supervise::Supervised;
use crate::after::AfterCommit;
use crate::args::Args;
use crate::destination::{self, Destination};
use crate::extract::ExtractError;
use crate::preflight::{Growth, Need, room};
use crate::sink::{LaneSink, Reached, Sink, SinkError};
use crate::stop::Stop;

/// What was unpacked.
struct Unpacked {
    /// What `sha1sum` would call each stream, and what it comes to; nothing for one that was not to be summed.
    sums: Vec<(String, Option<LaneSum>)>,
    /// Bytes of all streams.
    bytes: u64,
}

/// A stream on its way: what `sha1sum` would call it, its length and sum once they are known.
type Passing = (String, Arc<OnceLock<(u64, Sha1Sum)>>);

/// Unpacks `streams` into the directory that `args` name.
pub(super) async fn run(
    args: &Args,
    streams: Vec<Stream>,
    mut requests: Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let after = AfterCommit::requested(args).map_err(|error| Failure::new(Cause::Usage, Party::Receiver, error))?;
    let Destination { sink, unpacking, .. } = open(args, &streams, reporter)?;
    let target = sink.target().describe;
    let words = format!("unpacking {} into {target}", stream::names(&streams));
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
    let summed = if after.wants_sums() { Summed::All } else { Summed::Compared };
    let work = bring_home(sink, streams, summed, &gauge, stop, reporter);
    let ((unpacked, committed), course) = supervised.run(work, &mut requests, reporter).await?;
    let receipt = receipt(&unpacked, committed, unpacking.map(|unpacking| unpacking.files()));
    report(&unpacked, &receipt, reporter);
    reporter.leaves(format!("the unpacked backup, {target}"));
    after.run(&receipt, &mut requests, reporter).await.map_err(|error| error.failure())?;
    reporter.tell(Event::Finished(course.summary(unpacked.bytes, receipt.files, &receipt.reached.to_string())));
    Ok(())
}

/// Which streams a SHA-1 is computed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summed {
    /// Those that have one stored beside them.
    Compared,
    /// Every one.
    All,
}

/// What a sink says once it has committed.
type Committed = (Reached, BackupFacts);

/// Unpacks and commits; leaves nothing if either fails.
async fn bring_home(
    mut sink: Box<dyn Sink>,
    streams: Vec<Stream>,
    summed: Summed,
    gauge: &Arc<Gauge>,
    stop: Stop,
    reporter: &Reporter,
) -> Result<(Unpacked, Committed), LocalError> {
    let (sink, done) = match feed(sink.as_mut(), streams, summed, gauge, &stop).await {
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
        let growth = if args.unpack.decodes() { Growth::Decompressed } else { Growth::Nothing };
        let tight = room(&destination.sink.target(), Need { stored, growth }).map_err(failed)?;
        tight.into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
    }
    Ok(destination)
}

/// Unpacks all streams, and compares what is to be compared before they may be committed.
async fn feed(
    sink: &mut dyn Sink,
    streams: Vec<Stream>,
    summed: Summed,
    gauge: &Arc<Gauge>,
    stop: &Stop,
) -> Result<Unpacked, LocalError> {
    let names = stream::names(&streams);
    let (mut passing, mut flows) = (Vec::<Passing>::new(), Vec::new());
    for (lane, stream) in (0..).map(LaneId).zip(streams) {
        let (name, sum_name) = (stream.input.name().to_owned(), stream.sum_name());
        let Stream { input, sum, .. } = stream;
        let lane_sink = sink.lane(lane, &LaneDigest::default())?;
        let (wanted, (digest, result)) = (summed == Summed::All || sum.is_some(), Digest::new(&name, sum));
        let beside: Vec<Box<dyn Consumer>> = if wanted { vec![Box::new(digest)] } else { Vec::new() };
        passing.push((sum_name, result));
        flows.push(Flow { input, lead: Box::new(Unpacking { name, lane_sink, gauge: gauge.clone() }), beside });
    }
    flow::run(flows, gauge, stop).await?;
    match gauge.sample().bytes {
        0 => Err(LocalError::Empty { names }),
        bytes => Ok(Unpacked { sums: sums(passing), bytes }),
    }
}

fn sums(passing: Vec<Passing>) -> Vec<(String, Option<LaneSum>)> {
    let sum = |(lane, (name, result)): (LaneId, Passing)| {
        let sum = result.get().map(|(len, sum)| LaneSum { lane, len: *len, sum: *sum });
        (name, sum)
    };
    (0..).map(LaneId).zip(passing).map(sum).collect()
}

/// What a session would have said to its sender.
fn receipt(unpacked: &Unpacked, (reached, facts): Committed, files: Option<u64>) -> Receipt {
    let lanes = unpacked.sums.iter().filter_map(|(_, sum)| *sum).collect();
    Receipt { files, facts, ..Receipt::of(reached, lanes) }
}

/// Syncs and publishes, on a thread of its own: that takes its time, and signals are still heard. The outer error is
/// that the sink is lost with a thread that panicked.
async fn commit(
    mut sink: Box<dyn Sink>,
    stop: Stop,
) -> Result<(Box<dyn Sink>, Result<Committed, LocalError>), LocalError> {
    let work = Place::Threads.start("commit", move || async move {
        let synced = sink.sync();
        let facts = sink.facts();
        let committed = match synced {
            _ if stop.is_raised() => Err(LocalError::Interrupted),
            Ok(()) => sink.commit(&[]).map(|reached| (reached, facts)).map_err(LocalError::from),
            Err(SinkError::Extract(ExtractError::Incomplete(missing))) => Err(LocalError::Missing(missing)),
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

fn report(unpacked: &Unpacked, receipt: &Receipt, reporter: &Reporter) {
    for (name, sum) in &unpacked.sums {
        if let Some(LaneSum { lane, sum, .. }) = *sum {
            reporter.tell(Event::Checksum { name: name.clone(), sum, lane });
        }
    }
    if !receipt.facts.is_empty() {
        reporter.tell(Event::Backup(receipt.facts.clone()));
    }
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
