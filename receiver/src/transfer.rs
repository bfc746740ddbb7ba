//! One session from the open port to its verdict.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use xbproto::cli::remote::{Begun, Forsaken};
use xbproto::cli::{Event, Latest, Progress, Reporter, Request, Requests, Standing, WINDOW, tell_limits};
use xbproto::contact::Sockets;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::limit::Limited;
use xbproto::liveness::Liveness;
use xbproto::meter::Gauge;
use xbproto::place::Place;
use xbproto::quantity::Rate;
use xbproto::quic::{self, Congestion, Route, Tuning};
use xbproto::session::{Received, Receiver, ReceiverConfig};
use xbproto::shared::Shared;
use xbproto::tls::Credentials;
use xbproto::wire::Receipt;

use crate::destination::Destination;
use crate::journal::Recalled;
use crate::listen::Service;
use crate::port::OpenPort;
use crate::settle::settle;
use crate::sink::{Admission, Again};
use crate::status::status;
use crate::way::Way;

/// How often the free space that a sender is offered is looked at while none has come.
const FRESH: Duration = Duration::from_secs(5);

/// Everything that makes a receiver of one backup.
pub struct Transfer {
    /// What packets go through.
    pub sockets: Sockets,
    /// Who makes the links, and how.
    pub way: Way,
    /// What is shown to the sender, and demanded of it.
    pub credentials: Credentials,
    /// Where the bytes go.
    pub destination: Destination,
    /// Makes the same destination anew for a session that takes another's place, where that can be done.
    pub reopen: Option<Reopen>,
    /// The rate limit, of bytes as they travel, until it is changed.
    pub rate: Option<Rate>,
    /// The session's window in bytes.
    pub window: u64,
    /// When a silent sender is taken for lost.
    pub liveness: Liveness,
    /// Tells when nobody will come any more, where this is known.
    pub forsaken: Option<Forsaken>,
}

/// Makes a destination anew.
pub type Reopen = Box<dyn FnMut() -> Result<Destination, Failure>>;

/// What a good end has brought.
#[derive(Debug)]
pub struct Done {
    /// What the sender was told.
    pub receipt: Receipt,
    /// Whether it has said that it knows.
    pub acknowledged: Acknowledged,
    /// From the first link to the end.
    pub elapsed: Duration,
    /// Bytes that an earlier process had received, and that say nothing of this one's rate.
    pub before: u64,
    /// What has kept the transfer from being faster, most of the time.
    pub limited: Option<Limited>,
}

/// Whether the sender knows of the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// It has said so.
    BySender,
    /// The link was lost before.
    ByNobody,
}

impl Transfer {
    /// Receives a backup on the calling thread, which must live as long as the process (a child of
    /// it does not outlive it), and on threads of its own. A session that loses its link for good may be
    /// followed by another one.
    ///
    /// # Errors
    /// The first [`Failure`], wherever it happened. Nothing is left of the copy then.
    pub async fn run(mut self, requests: &mut Requests, reporter: &Reporter) -> Result<Done, Failure> {
        let tuning = Tuning {
            window: self.window,
            liveness: self.liveness,
            congestion: Congestion::default(),
            find_route: Route::find,
        };
        if let Some(limit) = quic::ReceiveBuffer::of(&self.sockets.udp).ok().and_then(|buffer| buffer.limit()) {
            reporter.tell(Event::Detail(limit.to_string()));
        }
        let wait = self.way.wait();
        let port = OpenPort::start(self.sockets, self.way, self.credentials, tuning, reporter)?;
        let mut destination = self.destination;
        loop {
            let mut session = begin(&destination, self.window)?;
            session.allow(self.rate);
            let before = session.sums().iter().map(|sum| sum.len).sum();
            let session = Arc::new(Shared::new(session));
            if let Some(forsaken) = self.forsaken.take() {
                let session = session.clone();
                forsaken.heed(reporter, move |failure| session.change(|s| fail_unless_begun(s, failure)));
            }
            let again = if self.reopen.is_some() { Again::Possible } else { Again::Impossible };
            let admission = destination.sink.admission();
            port.serve(Service { session: session.clone(), wait, again, admission });
            let latest = Latest::default();
            let elapsed = receive_one(destination, &session, &port, &latest, requests, reporter).await;
            self.rate = session.look(|s| s.limits().receiver);
            match (session.look(|s| s.outcome().cloned()), &mut self.reopen) {
                (Some(Received::Replaced), Some(reopen)) => match reopen() {
                    Ok(again) => destination = again,
                    Err(failure) => return refuse(port, failure, requests).await,
                },
                (outcome, _) => {
                    port.lost_for_room().into_iter().for_each(|words| reporter.tell(Event::Notice(words)));
                    let path = port.path.clone();
                    let state = || status(&session, &latest, &path);
                    port.close(requests, || reporter.tell(Event::Status(Box::new(state())))).await;
                    let limited = latest.snapshot().and_then(|snapshot| snapshot.limited);
                    return verdict(outcome, elapsed, before, limited);
                }
            }
        }
    }
}

fn fail_unless_begun(session: &mut Receiver, failure: Failure) -> Begun {
    if session.session().is_some() || session.outcome().is_some() {
        return Begun::Yes;
    }
    session.fail(failure);
    Begun::No
}

/// There is no destination for the sender that waits for the next session: it is told why.
async fn refuse(port: OpenPort, failure: Failure, requests: &mut Requests) -> Result<Done, Failure> {
    let mut session = Receiver::new(ReceiverConfig { window: WINDOW, target: String::new(), free: None });
    session.fail(failure.clone());
    let session = Arc::new(Shared::new(session));
    let admission = Admission::default();
    port.serve(Service { session, wait: None, again: Again::Impossible, admission });
    port.close(requests, || {}).await;
    Err(failure)
}

/// The session as it begins, or goes on.
fn begin(destination: &Destination, window: u64) -> Result<Receiver, Failure> {
    let target = destination.sink.target();
    let config = ReceiverConfig { window, target: target.describe, free: target.free };
    let (session, committed) = match &destination.recalled {
        Some(Recalled { session: Some(session), committed, .. }) => (session, committed),
        _ => return Ok(Receiver::new(config)),
    };
    let hello = session.hello.clone();
    let recalled = match (committed, &session.condition) {
        (Some(receipt), _) => Receiver::recalled_committed(config, hello, receipt.clone()),
        (None, Ok(())) => Receiver::recalled(config, hello, session.lanes.clone()),
        (None, Err(damage)) => Receiver::recalled(config, hello, Vec::new()).map(|mut receiver| {
            receiver.fail(Failure::new(Cause::Integrity, Party::Receiver, damage));
            receiver
        }),
    };
    recalled.map_err(|violation| violation.found_by(Party::Receiver))
}

/// Serves one session to its end; gives the time from its first link on.
async fn receive_one(
    destination: Destination,
    session: &Arc<Shared<Receiver>>,
    port: &OpenPort,
    latest: &Latest,
    requests: &mut Requests,
    reporter: &Reporter,
) -> Duration {
    let (gauge, path) = (Arc::new(Gauge::default()), port.path.clone());
    let work = async {
        let mut receiving = pin!(receive(destination, session, &gauge, latest.clone(), reporter));
        tokio::select! {
            biased;
            elapsed = &mut receiving => return elapsed,
            defect = port.ended_early() => session.change(|s| s.fail(defect)),
        }
        receiving.await
    };
    let heed = |request| match request {
        Request::End(failure) => session.change(|s| s.fail(failure)),
        Request::Report => reporter.tell(Event::Status(Box::new(status(session, latest, &path)))),
        Request::Order(asked) => asked.heed(session, || status(session, latest, &path), reporter),
    };
    requests.during(work, heed).await
}

/// From the first link to the end of the session; gives the time in between.
async fn receive(
    destination: Destination,
    session: &Arc<Shared<Receiver>>,
    gauge: &Arc<Gauge>,
    latest: Latest,
    reporter: &Reporter,
) -> Duration {
    let Destination { mut sink, unpacking, .. } = destination;
    let begun = session.when(|s| match (s.outcome(), s.session()) {
        (Some(_), _) => Some(None),
        (None, begun) => begun.map(|_| Some(())),
    });
    tokio::pin!(begun);
    let begun = loop {
        match timeout(FRESH, &mut begun).await {
            Ok(begun) => break begun,
            // Days may pass; what is offered to a sender that comes is to be true then.
            Err(_) => session.change(|s| s.offer(sink.target().free)),
        }
    };
    if begun.is_none() {
        sink.abandon();
        reporter.leaves(sink.left());
        return Duration::ZERO;
    }
    let before = session.look(Receiver::sums).iter().map(|sum| sum.len).sum();
    let mut progress = Progress::new(gauge.clone(), reporter.clone(), latest);
    let files = unpacking.clone();
    let standing = || {
        if let Some(file) = unpacking.as_ref().and_then(|unpacking| unpacking.current_file()) {
            gauge.set_file(&file);
        }
        let bytes = before + gauge.sample().bytes;
        session.look(|s| Standing {
            bytes,
            before,
            total: s.size(),
            peer: s.peer_waits_for(),
            linked: s.is_linked(),
            rate_limit: s.limits().binding(),
            outgoing: None,
        })
    };
    let follow = progress.follow(standing, |waiting| session.change(|s| s.waits_for(waiting)));
    let files = || files.as_ref().map(|unpacking| unpacking.files());
    tokio::select! {
        left = settle(Place::Threads, session, gauge, sink, files) => reporter.leaves(left),
        () = follow => {}
        () = tell_limits(session, reporter) => {}
    }
    progress.elapsed()
}

fn verdict(
    outcome: Option<Received>,
    elapsed: Duration,
    before: u64,
    limited: Option<Limited>,
) -> Result<Done, Failure> {
    let done = |receipt, acknowledged| Ok(Done { receipt, acknowledged, elapsed, before, limited });
    match outcome {
        Some(Received::Confirmed(receipt)) => done(receipt, Acknowledged::BySender),
        Some(Received::Unacknowledged(receipt)) => done(receipt, Acknowledged::ByNobody),
        Some(Received::Failed(failure)) => Err(failure),
        Some(Received::Replaced) | None => Err(unforeseen("the session ended without a verdict")),
    }
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Receiver, error)
}
