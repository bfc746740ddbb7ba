//! `--verify --from`: everything that can be checked of a backup is checked, and nothing is written.
//!
//! For each stream, one thread reads, one checks chunks, CRCs and the order of files, one computes the SHA-1. With
//! `--decompress` or `--decrypt` files are decoded on one thread more, and what they become is thrown away.

use std::sync::{Arc, OnceLock};

use xbproto::cli::{Event, Reporter, Requests};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{LaneId, Sha1Sum};
use xbproto::meter::Gauge;

use super::LocalError;
use super::decoding::Decoding;
use super::digest::Digest;
use super::flow::{self, Consumer, Flow};
use super::stream::{self, Stream};
use super::supervise::{Course, Supervised};
use super::undoing::Undoing;
use super::watch::Watch;
use crate::args::{Args, Whole};
use crate::sink::Interrupter;
use crate::stop::Stop;

/// What is looked at.
#[derive(Clone, Copy)]
struct Looking<'a> {
    watch: &'a Watch,
    /// What is in the files, if they are to be decoded.
    undoing: Option<&'a Undoing>,
}

/// What is said of one stream at the end.
struct Verified {
    /// What `sha1sum` would call it.
    name: String,
    lane: LaneId,
    sum: Arc<OnceLock<(u64, Sha1Sum)>>,
}

/// Verifies `streams` as what `args` expect of them.
pub(super) async fn run(
    args: &Args,
    streams: Vec<Stream>,
    mut requests: Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let (gauge, stop, watch) = (Arc::new(Gauge::default()), Stop::default(), Watch::default());
    let (expect, undoing) = (args.local.expect, undoing(args)?);
    reporter.tell(Event::Notice(format!("verifying {}", stream::names(&streams))));
    streams.iter().for_each(|stream| reporter.tell(Event::Notice(stream.compared())));
    let current = watch.clone();
    let supervised = Supervised {
        doing: "verifying",
        gauge: gauge.clone(),
        stop: stop.clone(),
        interrupter: Interrupter::default(),
        total: stream::total(&streams),
        file: move || current.current_file(),
    };
    let work = verify(streams, expect, Looking { watch: &watch, undoing: undoing.as_ref() }, &gauge, &stop);
    let (verified, course) = supervised.run(work, &mut requests, reporter).await?;
    report(verified, expect, &watch, gauge.sample().bytes, course, reporter);
    Ok(())
}

/// What is to be undone of what the tool did to the files, if anything.
fn undoing(args: &Args) -> Result<Option<Undoing>, Failure> {
    let stages = args.unpack.stages().map_err(|error| Failure::new(Cause::Usage, Party::Receiver, error))?;
    Ok((!stages.is_idle()).then(|| Undoing::new(stages, args.unpack.limit())))
}

async fn verify(
    streams: Vec<Stream>,
    expect: Whole,
    looking: Looking<'_>,
    gauge: &Arc<Gauge>,
    stop: &Stop,
) -> Result<Vec<Verified>, LocalError> {
    let names = stream::names(&streams);
    let (flows, verified) = flows(streams, looking);
    flow::run(flows, gauge, stop).await?;
    if gauge.sample().bytes == 0 {
        return Err(LocalError::Empty { names });
    }
    looking.watch.complete(expect)?;
    Ok(verified)
}

/// Who looks at each stream.
fn flows(streams: Vec<Stream>, looking: Looking<'_>) -> (Vec<Flow>, Vec<Verified>) {
    let flow = |(lane, stream): (LaneId, Stream)| {
        let (name, sum_name) = (stream.input.name().to_owned(), stream.sum_name());
        let (digest, sum) = Digest::new(&name, stream.sum);
        let lead = Box::new(Decoding::new(&name, vec![Box::new(looking.watch.stream(&name))]));
        let mut beside: Vec<Box<dyn Consumer>> = vec![Box::new(digest)];
        if let Some(undoing) = looking.undoing {
            beside.push(Box::new(Decoding::new(&name, vec![Box::new(undoing.stream(&name))])));
        }
        let flow = Flow { input: stream.input, lead, beside };
        (flow, Verified { name: sum_name, lane, sum })
    };
    (0..).map(LaneId).zip(streams).map(flow).unzip()
}

fn report(verified: Vec<Verified>, expect: Whole, watch: &Watch, bytes: u64, course: Course, reporter: &Reporter) {
    let (files, chunks) = (watch.files(), watch.chunks());
    let whole = match expect {
        Whole::Backup => "it has all that a backup closes with",
        Whole::Xbstream => "whether it is a whole backup was not asked",
    };
    let words = format!("{files} files have ended, the CRCs of {chunks} chunks are right, {whole}");
    reporter.tell(Event::Notice(words));
    for Verified { name, lane, sum } in verified {
        if let Some((_, sum)) = sum.get() {
            reporter.tell(Event::Checksum { name, sum: *sum, lane });
        }
    }
    reporter.tell(Event::Finished(course.summary(bytes, Some(files), "verified")));
}
