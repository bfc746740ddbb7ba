//! The sink of a session: fed lane by lane, then committed or abandoned.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use xbproto::backup::BackupFacts;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::LaneId;
use xbproto::meter::Gauge;
use xbproto::place::{Place, Work};
use xbproto::retry::listener_waits;
use xbproto::session::Receiver;
use xbproto::shared::Shared;
use xbproto::wire::Waiting;

use crate::drain::Drain;
use crate::hasher::{AHEAD, Hasher};
use crate::sink::{LaneSink, Reached, Sink, SinkError};

/// How long a lane may take to notice that the session is over. One that writes to a pipe nobody
/// reads never does; it is left to the end of the process.
const LEAVE: Duration = Duration::from_secs(3);

/// How long a sender that is alive may take to acknowledge the receipt, at least.
const ACKNOWLEDGE: Duration = Duration::from_secs(10);

/// Feeds a running session into `sink` and commits it; returns when the session is over, with what is left
/// on this host if it has failed. `files` counts what was unpacked, for the receipt.
///
/// A sink that spawns a child does so on the calling thread.
pub async fn settle(
    place: Place,
    session: &Arc<Shared<Receiver>>,
    gauge: &Arc<Gauge>,
    sink: Box<dyn Sink>,
    files: impl Fn() -> Option<u64>,
) -> String {
    // A recalled session may have come to its end in an earlier process.
    let (failed, committed) = session.look(|s| (s.outcome().is_some(), s.receipt().is_some()));
    let sink = if failed || committed { Some(sink) } else { feed(place, session, gauge, sink, files).await };
    let Some(mut sink) = sink else {
        acknowledged(session).await;
        return "what was written before the defect; the next run replaces it".to_owned();
    };
    if session.look(|s| s.receipt().is_none()) {
        sink.abandon();
    }
    acknowledged(session).await;
    sink.close();
    sink.left()
}

/// Lets the lanes run into the sink, and commits it if all is well. `None` if the sink is lost with a thread
/// that panicked.
async fn feed(
    place: Place,
    session: &Arc<Shared<Receiver>>,
    gauge: &Arc<Gauge>,
    mut sink: Box<dyn Sink>,
    files: impl Fn() -> Option<u64>,
) -> Option<Box<dyn Sink>> {
    let mut lanes = start(place, session, gauge, sink.as_mut());
    let interrupter = sink.interrupter();
    let drained = async { while lanes.join_next().await.is_some() {} };
    tokio::pin!(drained);
    let sink = tokio::select! {
        biased;
        () = session.when(|s| s.outcome().map(|_| ())) => {
            interrupter.interrupt();
            let _ = timeout(LEAVE, drained).await;
            Some(sink)
        }
        () = &mut drained => commit(place, session, sink, files).await,
    };
    session.when(|s| (s.outcome().is_some() || s.receipt().is_some()).then_some(())).await;
    sink
}

/// Waits until the sender has acknowledged the receipt, or is not waited for any longer. How long a lost one is
/// waited for the listener decides; one that is alive and keeps silent has as long.
async fn acknowledged(session: &Shared<Receiver>) {
    let patience = listener_waits(session.look(Receiver::retry_for)).max(ACKNOWLEDGE);
    while timeout(patience, session.when(|s| s.outcome().map(|_| ()))).await.is_err() {
        session.change(|s| {
            if s.is_linked() {
                s.peer_lost("the sender does not acknowledge the receipt");
            }
        });
    }
}

/// Starts a hasher and a drain for every lane, and waits for all of them at once: the first that fails ends the
/// session, whichever it is. A sink that fails to start does as well.
fn start(place: Place, session: &Arc<Shared<Receiver>>, gauge: &Arc<Gauge>, sink: &mut dyn Sink) -> JoinSet<()> {
    let mut lanes = JoinSet::new();
    let Some(hello) = session.look(|s| s.hello().cloned()) else { return lanes };
    if let Err(error) = sink.start(&hello) {
        fail(session, &error);
        return lanes;
    }
    for lane in (0..hello.lanes).map(LaneId) {
        match sink.lane(lane, &session.look(|s| s.digest(lane))) {
            Ok(lane_sink) => {
                if let Err(error) = start_lane(place, session, gauge, lane, lane_sink, &mut lanes) {
                    session.change(|s| s.fail(unforeseen(error)));
                }
            }
            Err(error) => fail(session, &error),
        }
    }
    lanes
}

fn start_lane(
    place: Place,
    session: &Arc<Shared<Receiver>>,
    gauge: &Arc<Gauge>,
    lane: LaneId,
    sink: Box<dyn LaneSink>,
    lanes: &mut JoinSet<()>,
) -> io::Result<()> {
    let (hashed, pieces) = mpsc::channel(AHEAD);
    let hasher = Hasher { lane, session: session.clone(), gauge: gauge.clone() };
    let drain = Drain { lane, session: session.clone(), gauge: gauge.clone() };
    let hashing = place.start(&format!("hash-{}", lane.0), move || async move {
        hasher.run(hashed).await;
        Ok(())
    })?;
    let draining = place.start(&format!("drain-{}", lane.0), move || drain.run(pieces, sink))?;
    for work in [hashing, draining] {
        lanes.spawn(drained(work, session.clone()));
    }
    Ok(())
}

async fn drained(lane: Work<Result<(), SinkError>>, session: Arc<Shared<Receiver>>) {
    match lane.finished().await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => fail(&session, &error),
        Err(panicked) => session.change(|s| s.fail(unforeseen(panicked))),
    }
}

/// Waits for both sides to agree on every byte, has the sink bring it to safety and give it its final
/// name. `None` if the sink is lost with a thread that panicked.
async fn commit(
    place: Place,
    session: &Arc<Shared<Receiver>>,
    sink: Box<dyn Sink>,
    files: impl Fn() -> Option<u64>,
) -> Option<Box<dyn Sink>> {
    let agreed = session.when(|s| match s.outcome() {
        Some(_) => Some(false),
        None => s.may_settle().then_some(true),
    });
    if !agreed.await {
        return Some(sink);
    }
    session.change(|s| s.waits_for(Waiting::Syncing));
    let interrupter = sink.interrupter();
    // On a thread of its own: this takes its time, and signals and the sender are still heard.
    let committing = session.clone();
    let work = match place.start("commit", move || async move { bring_home(sink, &committing) }) {
        Ok(work) => work.finished(),
        Err(error) => {
            session.change(|s| s.fail(unforeseen(error)));
            return None;
        }
    };
    tokio::pin!(work);
    let home = tokio::select! {
        biased;
        home = &mut work => home,
        () = session.when(|s| s.outcome().map(|_| ())) => {
            interrupter.interrupt();
            work.await
        }
    };
    match home {
        Ok(Home { sink, committed: Ok(Some((reached, facts))) }) => {
            session.change(|s| s.committed(reached, files(), facts));
            Some(sink)
        }
        Ok(Home { sink, committed: Ok(None) }) => Some(sink),
        Ok(Home { sink, committed: Err(error) }) => {
            session.change(|s| s.publishing_failed(failure(&error)));
            Some(sink)
        }
        Err(panicked) => {
            session.change(|s| s.publishing_failed(unforeseen(panicked)));
            None
        }
    }
}

/// A sink that has done what it could.
struct Home {
    sink: Box<dyn Sink>,
    /// Nothing, if the session was called off before anything had its final name.
    committed: Result<Option<(Reached, BackupFacts)>, SinkError>,
}

/// The blocking part of a commit.
fn bring_home(mut sink: Box<dyn Sink>, session: &Shared<Receiver>) -> Home {
    let committed = match sink.sync() {
        Ok(()) if session.change(Receiver::may_publish) => {
            let (sums, facts) = (session.look(Receiver::sums), sink.facts());
            sink.commit(&sums).map(|reached| Some((reached, facts)))
        }
        Ok(()) => Ok(None),
        Err(error) => Err(error),
    };
    Home { sink, committed }
}

fn fail(session: &Shared<Receiver>, error: &SinkError) {
    session.change(|s| s.fail(failure(error)));
}

fn failure(error: &SinkError) -> Failure {
    Failure::new(error.cause(), Party::Receiver, error)
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Receiver, error)
}
