//! One session from its first attempt to reach the receiver to its verdict.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use xbproto::backup::BackupFacts;
use xbproto::cli::remote::{Begun, Forsaken};
use xbproto::cli::{Compressed, Event, Latest, Outgoing, Progress, Reporter, Request, Requests, Standing, tell_limits};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::limit::Limited;
use xbproto::link::{self, CurrentPath};
use xbproto::liveness::Liveness;
use xbproto::meter::Gauge;
use xbproto::place::Place;
use xbproto::quantity::{ByteSize, Rate};
use xbproto::quic::{self, Congestion, Tuning};
use xbproto::session::{Sender, SenderConfig, Sent};
use xbproto::shared::Shared;
use xbproto::throttle::Throttle;
use xbproto::tls::Credentials;
use xbproto::wire::{LaneSum, Purpose, Receipt, SessionId, Welcome};

use crate::drive::drive;
use crate::links::Links;
use crate::outbox::{Compression, Outbox};
use crate::source::{OnLine, Ready};
use crate::spool::Spool;
use crate::status::status;
use crate::tap::Expect;
use crate::uplink::Uplink;
use crate::way::Way;

/// Everything that makes one session.
#[derive(Debug)]
pub struct Transfer {
    /// The session's name.
    pub session: SessionId,
    /// What is shown to the receiver, and demanded of it.
    pub credentials: Credentials,
    /// Where the bytes come from; nothing for a check.
    pub source: Option<Ready>,
    /// How many lanes they come on, 1 to [`MAX_LANES`](xbproto::wire::MAX_LANES).
    pub lanes: u16,
    /// Where they are queued while the link takes less than the source gives.
    pub spool: Option<Spool>,
    /// How much is required of them.
    pub expect: Expect,
    /// Whether and how blocks are compressed on their way.
    pub compression: Option<Compression>,
    /// The rate limit, of bytes as they travel.
    pub rate: Option<Rate>,
    /// Expected bytes, if known: told to the receiver, and shown.
    pub size: Option<u64>,
    /// The session's window in bytes.
    pub window: u64,
    /// How long to try to come back after a link is lost.
    pub retry_for: Duration,
    /// When a silent receiver is taken for lost.
    pub liveness: Liveness,
    /// What decides how much may be under way on the path.
    pub congestion: Congestion,
    /// Tells when nobody is there any more to be reached, where this is known.
    pub forsaken: Option<Forsaken>,
}

/// What a good end has brought.
#[derive(Debug)]
pub enum Done {
    /// The receiver would take a backup.
    Checked(Welcome),
    /// The receiver has committed it.
    Confirmed {
        /// What it said; what it does not know of the backup, the source's stream has.
        receipt: Receipt,
        /// Length and SHA-1 of every lane.
        sums: Vec<LaneSum>,
        /// From the welcome to the receipt.
        elapsed: Duration,
        /// What `sha1sum` would call each lane.
        names: Vec<String>,
        /// What compression has come to, if there was any.
        compressed: Option<Compressed>,
        /// What has kept the transfer from being faster, most of the time.
        limited: Option<Limited>,
    },
}

impl Transfer {
    /// Runs the session over links that are made this `way`, on the calling thread, which must live as long as the process (a child of
    /// it does not outlive it), and on threads of its own.
    ///
    /// # Errors
    /// The first [`Failure`], wherever it happened. Nothing of the source is left running.
    pub async fn run(mut self, way: Way, requests: &mut Requests, reporter: &Reporter) -> Result<Done, Failure> {
        reporter.session(self.session.into());
        let session = Arc::new(Shared::new(Sender::new(self.config())));
        session.change(|s| s.allow(self.rate));
        if let Some(forsaken) = self.forsaken.take() {
            let session = session.clone();
            forsaken.heed(reporter, move |failure| session.change(|s| fail_unless_begun(s, failure)));
        }
        let outbox = self.start_outbox(&session).map_err(unforeseen)?;
        let links = self.links(way.links(), &session, outbox.clone(), reporter);
        let (gauge, path) = (links.uplink.gauge.clone(), links.uplink.path.clone());
        let watched = Watched { gauge, path, latest: Latest::default(), outbox: outbox.clone() };
        let threads = links.start(way)?;
        let spool = self.spool.as_ref().map(Spool::gauge);
        let state = || status(&session, &watched.latest, spool.as_deref(), &watched.path, &outbox);
        let report = || reporter.tell(Event::Status(Box::new(state())));
        let source = self.source.take();
        let work = async {
            let welcome = session.when(|s| match (s.outcome(), s.target()) {
                (Some(_), _) => Some(None),
                (None, welcome) => welcome.cloned().map(Some),
            });
            match welcome.await {
                Some(welcome) => self.send(source, &welcome, &session, &watched, reporter).await,
                None => Course::default(),
            }
        };
        let heed = |request| match request {
            Request::End(failure) => session.change(|s| s.fail(failure)),
            Request::Report => report(),
            Request::Order(asked) => asked.heed(&session, state, reporter),
        };
        let course = requests.during(work, heed).await;
        // The main link's thread may have to make a link in order to tell the receiver; whoever is in a hurry ends that.
        tokio::select! {
            _ = threads.join_all() => {}
            () = requests.end(report) => {}
        }
        let limited = watched.latest.snapshot().and_then(|snapshot| snapshot.limited);
        verdict(&session, course, outbox.compressed(), limited)
    }

    fn config(&self) -> SenderConfig {
        SenderConfig {
            session: self.session,
            purpose: if self.source.is_some() { Purpose::Transfer } else { Purpose::Check },
            lanes: self.lanes,
            window: self.window,
            retry_for: self.retry_for,
            size: self.size,
        }
    }

    /// Starts the threads that compress, if it is to be done. One that ends early is a defect that ends the session.
    fn start_outbox(&self, session: &Arc<Shared<Sender>>) -> io::Result<Outbox> {
        let Some(compression) = self.compression else { return Ok(Outbox::plain(session.clone())) };
        let (outbox, workers) = Outbox::compressing(session.clone(), compression, Place::Threads)?;
        for worker in workers {
            tokio::spawn(link::watch(worker, session.clone()));
        }
        Ok(outbox)
    }

    /// What the links are made with and work with.
    fn links(&self, links: u8, session: &Arc<Shared<Sender>>, outbox: Outbox, reporter: &Reporter) -> Links {
        let tuning = Tuning {
            window: self.window,
            liveness: self.liveness,
            congestion: self.congestion,
            find_route: quic::Route::find,
        };
        let uplink = Uplink {
            session: session.clone(),
            outbox,
            throttle: Arc::new(Throttle::new(self.rate)),
            gauge: Arc::default(),
            tuning,
            links,
            path: Arc::default(),
        };
        Links { credentials: self.credentials.clone(), uplink, reporter: reporter.clone() }
    }

    /// From the receiver's welcome to the end of the session.
    async fn send(
        &self,
        source: Option<Ready>,
        welcome: &Welcome,
        session: &Arc<Shared<Sender>>,
        watched: &Watched,
        reporter: &Reporter,
    ) -> Course {
        reporter.tell(Event::Notice(format!("sending to {}", welcome.target)));
        let window = ByteSize(welcome.window.min(self.window));
        reporter.tell(Event::Detail(format!("the window is {window}: what may be under way and not acknowledged")));
        if let Err(failure) = fits(welcome, self.size) {
            session.change(|s| s.fail(failure));
            return Course::default();
        }
        let mut progress = Progress::new(watched.gauge.clone(), reporter.clone(), watched.latest.clone());
        let Some(source) = source else { return Course::default() };
        let told = reporter.clone();
        let on_line: OnLine = Arc::new(move |line| told.tell(Event::Child { label: "backup", line: line.0 }));
        let started = match source.start(on_line) {
            Ok(started) => started,
            Err(error) => {
                session.change(|s| s.fail(Failure::new(error.cause(), Party::Sender, error)));
                return Course::default();
            }
        };
        let names = started.names();
        let total = self.size;
        let standing = || {
            let (path, ratio) = (watched.path.report(), watched.outbox.compressed().map_or(1.0, |c| c.ratio()));
            session.look(|s| Standing {
                bytes: s.written(),
                before: 0,
                total,
                peer: s.peer_waits_for(),
                linked: s.is_linked(),
                rate_limit: s.limits().binding(),
                outgoing: Some(Outgoing { path, held: s.window().0, window: s.window().1, ratio }),
            })
        };
        let follow = progress.follow(standing, |waiting| session.change(|s| s.waits_for(waiting)));
        let facts = tokio::select! {
            facts = drive(started, self.expect, self.spool.as_ref(), session, &watched.gauge, reporter) => facts,
            () = follow => BackupFacts::default(),
            () = tell_limits(session, reporter) => BackupFacts::default(),
        };
        Course { elapsed: progress.elapsed(), names, facts }
    }
}

fn fail_unless_begun(session: &mut Sender, failure: Failure) -> Begun {
    if session.welcomes() > 0 || session.outcome().is_some() {
        return Begun::Yes;
    }
    session.fail(failure);
    Begun::No
}

/// Whether `size` bytes have room where the receiver would write them, as far as both are known.
///
/// # Errors
/// The failure of a session that would run out of space.
pub fn fits(welcome: &Welcome, size: Option<u64>) -> Result<(), Failure> {
    match (size, welcome.free) {
        (Some(size), Some(free)) if size > free => {
            let reason = format!("{} has {} free, {} are needed", welcome.target, ByteSize(free), ByteSize(size));
            Err(Failure::new(Cause::Sink, Party::Receiver, reason))
        }
        _ => Ok(()),
    }
}

/// Where the transfer is looked at while it runs.
struct Watched {
    /// What the workers count.
    gauge: Arc<Gauge>,
    /// The present links.
    path: Arc<CurrentPath>,
    /// What was told last.
    latest: Latest,
    /// What has become of the blocks.
    outbox: Outbox,
}

/// What is known once the source was sent.
#[derive(Debug, Default)]
struct Course {
    /// From the welcome to the end.
    elapsed: Duration,
    /// What `sha1sum` would call each lane.
    names: Vec<String>,
    /// What its stream says of the backup.
    facts: BackupFacts,
}

fn verdict(
    session: &Shared<Sender>,
    Course { elapsed, names, facts }: Course,
    compressed: Option<Compressed>,
    limited: Option<Limited>,
) -> Result<Done, Failure> {
    session.look(|s| match s.outcome() {
        Some(Sent::Checked(welcome)) => Ok(Done::Checked(welcome.clone())),
        Some(Sent::Confirmed(receipt)) => {
            let facts = receipt.facts.clone().or(facts);
            let receipt = Receipt { facts, ..receipt.clone() };
            Ok(Done::Confirmed { receipt, sums: s.sums(), elapsed, names, compressed, limited })
        }
        Some(Sent::Failed(failure)) => Err(failure.clone()),
        None => Err(Failure::new(Cause::Unforeseen, Party::Sender, "the session ended without a verdict")),
    })
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Sender, error)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use xbproto::contact::Route;
    use xbproto::key::Key;
    use xbproto::quic::Family;

    use super::*;
    use crate::silent::reporter;
    use crate::way::Dial;

    #[tokio::test]
    async fn an_address_of_another_host_is_wrong_usage() {
        let bind: IpAddr = "192.0.2.1".parse().unwrap();
        let route = Route::parse("127.0.0.1:9", Family::V4, Duration::ZERO).unwrap();
        let transfer = Transfer {
            session: SessionId([1; 16]),
            credentials: Credentials::shared_key(Key::new([7; 16])),
            source: None,
            lanes: 1,
            spool: None,
            expect: Expect::Raw,
            compression: None,
            rate: None,
            size: None,
            window: 8 << 20,
            retry_for: Duration::ZERO,
            liveness: Liveness::default(),
            congestion: Congestion::default(),
            forsaken: None,
        };
        let mut requests = Requests::listen(Party::Sender, None).unwrap();
        let way = Way::Dial(Dial { route, bind: Some(bind), links: 1 });
        let failure = transfer.run(way, &mut requests, &reporter()).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Usage);
        assert!(failure.reason.starts_with("UDP 192.0.2.1:0: "), "{failure}");
    }
}
