//! The loop around the links of a session: reach the receiver, serve the session, and come back when
//! the link is lost.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::Endpoint;
use tokio::time::{Instant, sleep, timeout_at};
use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Party};
use xbproto::key::Key;
use xbproto::quantity::Span;
use xbproto::quic::{Admission, Link, LinkError, Lost, PathReport, knock};
use xbproto::retry::Backoff;
use xbproto::session::{Sender, Sent};
use xbproto::wire::{CloseCode, VERSIONS};

use crate::reach::{Miss, reach, try_each};
use crate::route::Route;
use crate::uplink::Uplink;

/// How often it is told that there is still no link.
const MINUTE: Duration = Duration::from_secs(60);

/// Serves the session over one link after the other, from the first attempt to reach the receiver until
/// the session is over and the receiver knows, as far as it can be told. The session knows then how it ended.
pub async fn keep_linked(endpoint: &Endpoint, route: &Route, key: &Key, uplink: &Uplink, reporter: &Reporter) {
    let dialer = Dialer { endpoint, route, key, uplink, reporter };
    let Some(mut link) = dialer.first_contact().await else { return };
    let mut outage = None;
    loop {
        let (peer, welcomes) = (link.peer(), dialer.welcomes());
        let Err(lost) = dialer.serve(link, outage.as_ref()).await else { return };
        if dialer.welcomes() > welcomes {
            outage = None;
        }
        if dialer.has_said_all() {
            return;
        }
        let outage = outage.get_or_insert_with(|| dialer.outage(&lost, peer));
        match dialer.come_back(outage).await {
            Some(again) => link = again,
            None => return,
        }
    }
}

/// What links to the receiver are made with.
struct Dialer<'a> {
    endpoint: &'a Endpoint,
    route: &'a Route,
    key: &'a Key,
    uplink: &'a Uplink,
    reporter: &'a Reporter,
}

/// A time without a link that the receiver has welcomed.
struct Outage {
    /// When the receiver was last heard.
    since: Instant,
    /// When it is given up.
    until: Instant,
    /// How the link was lost.
    how: String,
    /// Where the receiver was.
    peer: SocketAddr,
}

impl Dialer<'_> {
    /// The first link, or nothing if the session is over before there is one.
    async fn first_contact(&self) -> Option<Link> {
        self.reporter.tell(Event::Connecting { to: self.route.name.clone() });
        let reached = tokio::select! {
            biased;
            () = self.uplink.session.when(|s| s.outcome().map(|_| ())) => return None,
            reached = reach(self.route, self.reporter, |address| self.dial(address)) => reached,
        };
        match reached {
            Ok(link) => {
                self.reporter.tell(Event::Connected { peer: link.peer() });
                self.reporter.tell(Event::Detail(format!("protocol version {}", link.version)));
                Some(link)
            }
            Err(failure) => {
                self.uplink.session.change(|s| s.fail(failure));
                None
            }
        }
    }

    async fn dial(&self, address: SocketAddr) -> Result<Link, LinkError> {
        let connecting = self.endpoint.connect(address, "xbstream-link");
        let connecting = connecting.map_err(|error| LinkError::Lost(error.to_string()))?;
        let (key, tuning) = (self.key, self.uplink.tuning);
        let admission = Admission { key, role: Party::Sender, versions: VERSIONS, tuning };
        knock(connecting.await?, admission).await
    }

    /// Serves the session over `link`, which ends `outage` when the receiver has welcomed it.
    async fn serve(&self, link: Link, outage: Option<&Outage>) -> Result<(), Lost> {
        let (connection, welcomes) = (link.connection.clone(), self.welcomes());
        let resumed = async {
            let offset = self.uplink.session.when(|s| (s.welcomes() > welcomes).then(|| s.written())).await;
            if let Some(outage) = outage {
                self.reporter.tell(Event::Resumed { offset, after: outage.since.elapsed() });
            }
            std::future::pending().await
        };
        let ended = tokio::select! {
            biased;
            never = resumed => never,
            ended = self.uplink.run(link) => ended,
        };
        self.reporter.tell(Event::Detail(PathReport::of(&connection).to_string()));
        ended
    }

    fn welcomes(&self) -> u64 {
        self.uplink.session.look(Sender::welcomes)
    }

    /// Whether there is nothing left to say to the receiver. It is told of a failure of this side even if
    /// the link has to be made again for that, unless somebody wants this program to end now.
    fn has_said_all(&self) -> bool {
        self.uplink.session.look(|s| match s.outcome() {
            None => false,
            Some(Sent::Failed(failure)) => {
                let told_here = failure.party == Party::Sender && s.welcomes() > 0;
                let in_a_hurry =
                    [Cause::PeerLost, Cause::Unconfirmed, Cause::Interrupted, Cause::Terminated, Cause::Deadline];
                !told_here || in_a_hurry.contains(&failure.cause)
            }
            Some(_) => true,
        })
    }

    fn outage(&self, lost: &Lost, peer: SocketAddr) -> Outage {
        let (now, retry_for) = (Instant::now(), self.retry_for());
        let how = format!("the link to the receiver was lost: {lost}");
        if !retry_for.is_zero() {
            self.reporter.tell(Event::Interrupted { reason: how.clone(), patience: retry_for });
        }
        let until = now.checked_add(retry_for).unwrap_or(now + MINUTE * 60 * 24 * 365);
        Outage { since: now.checked_sub(lost.silence).unwrap_or(now), until, how, peer }
    }

    fn retry_for(&self) -> Duration {
        self.uplink.session.look(Sender::retry_for)
    }

    /// Reaches the receiver again, or fails the session; nothing too if it is over before.
    async fn come_back(&self, outage: &Outage) -> Option<Link> {
        let over = async {
            self.uplink.session.when(|s| s.outcome().map(|_| ())).await;
            if !self.has_said_all() {
                std::future::pending().await
            }
        };
        let reached = tokio::select! {
            biased;
            () = over => return None,
            reached = self.reach_again(outage) => reached,
        };
        reached.map_err(|reason| self.uplink.session.change(|s| s.peer_lost(&format!("{}; {reason}", outage.how)))).ok()
    }

    /// Tries the receiver's last address and those its name has now, until the outage is too long.
    ///
    /// # Errors
    /// Why it was given up.
    async fn reach_again(&self, outage: &Outage) -> Result<Link, String> {
        let retry_for = Span(self.retry_for());
        if retry_for.0.is_zero() {
            return Err("it was not tried again (--retry-for 0)".to_owned());
        }
        let mut backoff = Backoff::new(u64::from_be_bytes(self.seed()));
        let mut told = Instant::now();
        loop {
            let last = match self.try_addresses(outage).await {
                Ok(link) => return Ok(link),
                Err(Miss::Link(LinkError::Closed { code: CloseCode::WrongKey, .. })) => {
                    return Err(OTHER_KEY.to_owned());
                }
                Err(Miss::Link(LinkError::Closed { code: CloseCode::Version, reason })) => return Err(reason),
                Err(miss) => miss,
            };
            let pause = backoff.pause();
            if Instant::now() + pause >= outage.until {
                return Err(format!("it was not reached again within {retry_for} (--retry-for; {last})"));
            }
            if told.elapsed() >= MINUTE {
                told = Instant::now();
                let (gone, left) = (Span(outage.since.elapsed()), Span(outage.until - told));
                self.reporter.tell(Event::Notice(format!("no link for {gone} ({last}); trying for {left} more")));
            }
            sleep(pause).await;
        }
    }

    async fn try_addresses(&self, outage: &Outage) -> Result<Link, Miss> {
        let found = timeout_at(outage.until, self.route.addresses()).await;
        let found = found.ok().and_then(Result::ok).unwrap_or_default();
        let others = found.into_iter().filter(|address| *address != outage.peer);
        let addresses: Vec<SocketAddr> = std::iter::once(outage.peer).chain(others).collect();
        try_each(&addresses, outage.until, &|address| self.dial(address)).await
    }

    fn seed(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.uplink.session.look(Sender::session).0;
        [a, b, c, d, e, f, g, h]
    }
}

/// Why there is no use in trying on.
const OTHER_KEY: &str = "a receiver with another key answers there now, so the one that had the backup is gone";
