//! `--verify --from`: everything that can be checked of a backup is checked, and nothing is written.
//!
//! For each stream, one thread reads, one checks chunks, CRCs and the order of files, one computes the SHA-1. A check of
//! what is in the files, such as decompressing them, is one more [`View`](super::decoding::View) in [`flows`].

use std::sync::{Arc, OnceLock};

use xbproto::cli::{Event, Reporter, Requests};
use xbproto::failure::Failure;
use xbproto::lane::LaneId;
use xbproto::meter::Gauge;
use xbproto::wire::LaneSum;

use super::LocalError;
use super::decoding::Decoding;
use super::digest::Digest;
use super::flow::{self, Flow};
use super::stream::{self, Stream};
use super::supervise::{Course, Supervised};
use super::watch::Watch;
use crate::args::Whole;
use crate::sink::Interrupter;
use crate::stop::Stop;

/// What is said of one stream at the end.
struct Verified {
    /// What `sha1sum` would call it.
    name: String,
    sum: Arc<OnceLock<LaneSum>>,
}

/// Verifies `streams` as what is expected of them.
pub(super) async fn run(
    expect: Whole,
    streams: Vec<Stream>,
    mut requests: Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let (gauge, stop, watch) = (Arc::new(Gauge::default()), Stop::default(), Watch::default());
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
    let work = verify(streams, expect, &watch, &gauge, &stop);
    let (verified, course) = supervised.run(work, &mut requests, reporter).await?;
    report(verified, expect, &watch, gauge.sample().bytes, course, reporter);
    Ok(())
}

async fn verify(
    streams: Vec<Stream>,
    expect: Whole,
    watch: &Watch,
    gauge: &Arc<Gauge>,
    stop: &Stop,
) -> Result<Vec<Verified>, LocalError> {
    let names = stream::names(&streams);
    let (flows, verified) = flows(streams, watch);
    flow::run(flows, gauge, stop).await?;
    if gauge.sample().bytes == 0 {
        return Err(LocalError::Empty { names });
    }
    watch.complete(expect)?;
    Ok(verified)
}

/// Who looks at each stream.
fn flows(streams: Vec<Stream>, watch: &Watch) -> (Vec<Flow>, Vec<Verified>) {
    let flow = |(lane, stream): (LaneId, Stream)| {
        let (name, sum_name) = (stream.input.name().to_owned(), stream.sum_name());
        let (digest, sum) = Digest::new(&name, lane, stream.sum);
        let lead = Box::new(Decoding::new(&name, vec![Box::new(watch.stream(&name))]));
        let flow = Flow { input: stream.input, lead, beside: vec![Box::new(digest)] };
        (flow, Verified { name: sum_name, sum })
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
    for Verified { name, sum } in verified {
        if let Some(LaneSum { lane, sum, .. }) = sum.get() {
            reporter.tell(Event::Checksum { name, sum: *sum, lane: *lane });
        }
    }
    reporter.tell(Event::Finished(course.summary(bytes, Some(files), "verified")));
}
