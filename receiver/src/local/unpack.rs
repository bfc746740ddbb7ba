//! `--extract --from`: the streams are unpacked into a directory.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use xbproto::cli::{Event, Reporter, Requests};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{LaneDigest, LaneId, Sha1Sum};
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::place::Place;
use xbproto::tls::random;

use super::LocalError;
use super::decoding::Decoding;
use super::digest::Digest;
use super::flow::{self, Consumer, Flow};
use super::stream::{self, Stream};
use super::supervise::{Course, Supervised};
use super::watch::Watch;
use crate::args::{Args, Whole};
use crate::destination::{self, Destination};
use crate::extract::ExtractError;
use crate::preflight::{Growth, Need, room};
use crate::sink::{LaneSink, Reached, Sink, SinkError};
use crate::stop::Stop;

/// The streams that have a sum to be compared with, and what they come to, once that is known.
type Sums = Vec<(String, LaneId, Arc<OnceLock<Sha1Sum>>)>;

/// What was unpacked.
struct Unpacked {
    sums: Sums,
    /// Bytes of all streams.
    bytes: u64,
}

/// Unpacks `streams` into the directory that `args` name.
pub(super) async fn run(
    args: &Args,
    streams: Vec<Stream>,
    mut requests: Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let Destination { sink, unpacking, .. } = open(args, &streams, reporter)?;
    let words = format!("unpacking {} into {}", stream::names(&streams), sink.target().describe);
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
    let work = bring_home(sink, streams, args.local.expect, &gauge, stop, reporter);
    let ((unpacked, reached), course) = supervised.run(work, &mut requests, reporter).await?;
    report(unpacked, reached, unpacking.map(|unpacking| unpacking.files()), course, reporter);
    Ok(())
}

/// Unpacks and commits; leaves nothing if either fails.
async fn bring_home(
    mut sink: Box<dyn Sink>,
    streams: Vec<Stream>,
    expect: Whole,
    gauge: &Arc<Gauge>,
    stop: Stop,
    reporter: &Reporter,
) -> Result<(Unpacked, Reached), LocalError> {
    let (sink, done) = match feed(sink.as_mut(), streams, expect, gauge, &stop).await {
        Ok(unpacked) => {
            let (sink, reached) = commit(sink, stop).await?;
            (sink, reached.map(|reached| (unpacked, reached)))
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
        let tight = room(&destination.sink.target(), Need { stored, growth: Growth::Nothing }).map_err(failed)?;
        tight.into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
    }
    Ok(destination)
}

/// Unpacks all streams, and checks what is to be checked before they may be committed.
async fn feed(
    sink: &mut dyn Sink,
    streams: Vec<Stream>,
    expect: Whole,
    gauge: &Arc<Gauge>,
    stop: &Stop,
) -> Result<Unpacked, LocalError> {
    let names = stream::names(&streams);
    let (watch, mut sums, mut flows) = (Watch::default(), Sums::new(), Vec::new());
    for (lane, stream) in (0..).map(LaneId).zip(streams) {
        let (name, sum_name) = (stream.input.name().to_owned(), stream.sum_name());
        let Stream { input, sum, .. } = stream;
        let lane_sink = sink.lane(lane, &LaneDigest::default())?;
        let mut beside: Vec<Box<dyn Consumer>> = Vec::new();
        if sum.is_some() {
            let (digest, result) = Digest::new(&name, sum);
            beside.push(Box::new(digest));
            sums.push((sum_name, lane, result));
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
) -> Result<(Box<dyn Sink>, Result<Reached, LocalError>), LocalError> {
    let work = Place::Threads.start("commit", move || async move {
        let synced = sink.sync();
        let reached = match synced {
            _ if stop.is_raised() => Err(LocalError::Interrupted),
            Ok(()) => sink.commit(&[]).map_err(LocalError::from),
            Err(error) => Err(error.into()),
        };
        (sink, reached)
    });
    Ok(work.map_err(LocalError::Thread)?.finished().await?)
}

fn abandon(mut sink: Box<dyn Sink>, reporter: &Reporter) {
    sink.abandon();
    reporter.leaves(sink.left());
}

fn report(unpacked: Unpacked, reached: Reached, files: Option<u64>, course: Course, reporter: &Reporter) {
    let Unpacked { sums, bytes } = unpacked;
    for (name, lane, sum) in sums {
        if let Some(sum) = sum.get() {
            reporter.tell(Event::Checksum { name, sum: *sum, lane });
        }
    }
    reporter.tell(Event::Finished(course.summary(bytes, files, &reached.to_string())));
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
