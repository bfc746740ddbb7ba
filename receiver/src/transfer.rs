//! One session from the open port to its verdict.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use quinn::{EndpointConfig, Runtime, TokioRuntime};
use tokio::time::timeout;
use xbproto::cli::{GOODBYE, Progress, Reporter, Standing, interrupted};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::meter::Gauge;
use xbproto::place::{Place, Work};
use xbproto::quic::{self, Tuning};
use xbproto::session::{Received, Receiver, ReceiverConfig};
use xbproto::shared::Shared;
use xbproto::tls::Identity;
use xbproto::wire::Receipt;

use crate::destination::Destination;
use crate::listen::Listener;
use crate::settle::settle;

/// How often the free space that a sender is offered is looked at while none has come.
const FRESH: Duration = Duration::from_secs(5);

/// Everything that makes one session.
pub struct Transfer {
    /// The port, bound already.
    pub socket: UdpSocket,
    /// What both sides have.
    pub key: Key,
    /// Where the bytes go.
    pub destination: Destination,
    /// How long to wait for a sender; for ever if not set.
    pub wait: Option<Duration>,
    /// The session's window in bytes.
    pub window: u64,
}

/// What a good end has brought.
#[derive(Debug)]
pub struct Done {
    /// What the sender was told.
    pub receipt: Receipt,
    /// Whether it has said that it knows.
    pub acknowledged: Acknowledged,
    /// From the first link to the end.
    pub elapsed: Duration,
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
    /// Runs the session on the calling thread, which must live as long as the process (a child of
    /// it does not outlive it), and on threads of its own.
    ///
    /// # Errors
    /// The first [`Failure`], wherever it happened. Nothing is left of the copy then.
    pub async fn run(self, stop: impl Future<Output = Cause>, reporter: &Reporter) -> Result<Done, Failure> {
        let target = self.destination.sink.target();
        let config = ReceiverConfig { window: self.window, target: target.describe, free: target.free };
        let session = Arc::new(Shared::new(Receiver::new(config)));
        let gauge = Arc::new(Gauge::default());
        let link = start_link(self.socket, self.key, self.wait, self.window, &session, reporter)?;
        let link = tokio::spawn(quic::watch(link, session.clone()));
        let interrupted = async {
            let cause = stop.await;
            session.change(|s| s.fail(interrupted(cause, Party::Receiver)));
            std::future::pending().await
        };
        let elapsed = tokio::select! {
            elapsed = receive(self.destination, &session, &gauge, reporter) => elapsed,
            never = interrupted => never,
        };
        let _ = timeout(GOODBYE, link).await;
        verdict(&session, elapsed)
    }
}

/// Starts the thread that owns the port.
fn start_link(
    socket: UdpSocket,
    key: Key,
    wait: Option<Duration>,
    window: u64,
    session: &Arc<Shared<Receiver>>,
    reporter: &Reporter,
) -> Result<Work<()>, Failure> {
    let identity = Identity::one_time().map_err(unforeseen)?;
    let tuning = Tuning { window, rate: None };
    let (session, reporter) = (session.clone(), reporter.clone());
    let work = Place::Threads.start("link", move || async move {
        let endpoint = TokioRuntime
            .wrap_udp_socket(socket)
            .and_then(|socket| quic::listener(socket, EndpointConfig::default(), &identity, tuning));
        let endpoint = match endpoint {
            Ok(endpoint) => endpoint,
            Err(error) => return session.change(|s| s.fail(unforeseen(error))),
        };
        let listener = Listener { endpoint: endpoint.clone(), key: Arc::new(key), tuning, session, wait, reporter };
        listener.serve().await;
        endpoint.close(0u32.into(), b"");
        let _ = timeout(Duration::from_secs(1), endpoint.wait_idle()).await;
    });
    work.map_err(unforeseen)
}

/// From the first link to the end of the session; gives the time in between.
async fn receive(
    destination: Destination,
    session: &Arc<Shared<Receiver>>,
    gauge: &Arc<Gauge>,
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
        return Duration::ZERO;
    }
    let mut progress = Progress::new(gauge.clone(), reporter.clone());
    let files = unpacking.clone();
    let follow = progress.follow(|waiting| {
        session.change(|s| s.waits_for(waiting));
        if let Some(file) = unpacking.as_ref().and_then(|unpacking| unpacking.current_file()) {
            gauge.set_file(&file);
        }
        session.look(|s| Standing { bytes: gauge.sample().bytes, total: s.size(), peer: s.peer_waits_for() })
    });
    tokio::select! {
        () = settle(Place::Threads, session, gauge, sink, || files.as_ref().map(|unpacking| unpacking.files())) => {}
        () = follow => {}
    }
    progress.elapsed()
}

fn verdict(session: &Shared<Receiver>, elapsed: Duration) -> Result<Done, Failure> {
    session.look(|s| match s.outcome() {
        Some(Received::Confirmed(receipt)) => {
            Ok(Done { receipt: receipt.clone(), acknowledged: Acknowledged::BySender, elapsed })
        }
        Some(Received::Unacknowledged(receipt)) => {
            Ok(Done { receipt: receipt.clone(), acknowledged: Acknowledged::ByNobody, elapsed })
        }
        Some(Received::Failed(failure)) => Err(failure.clone()),
        None => Err(unforeseen("the session ended without a verdict")),
    })
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Receiver, error)
}
