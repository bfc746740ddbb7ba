//! The loop around the links of a session: reach the receiver, serve the session, and come back when
//! the link is lost.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use quinn::Endpoint;
use tokio::time::{Instant, sleep};
use xbproto::cli::{Event, Reporter};
use xbproto::failure::Party;
use xbproto::link::{Link, LinkError, Lost, Outage};
use xbproto::quantity::Span;
use xbproto::retry::Backoff;
use xbproto::session::{Sender, Sent};
use xbproto::tls::Credentials;

use crate::reach::{Miss, dial, reach, try_each};
use crate::route::Route;
use crate::uplink::Uplink;

/// Serves the session over one link after the other, from the first attempt to reach the receiver until
/// the session is over and the receiver knows, as far as it can be told. The session knows then how it ended.
pub async fn keep_linked(
    endpoint: &Endpoint,
    route: &Route,
    credentials: &Credentials,
    uplink: &Uplink,
    reporter: &Reporter,
) {
    let dialer = Dialer { endpoint, route, credentials, uplink, reporter };
    let Some(mut link) = dialer.first_contact().await else { return };
    let mut search = None;
    loop {
        let (peer, begun) = (link.peer(), Instant::now());
        let Err(lost) = dialer.serve(link, search.as_ref()).await else { return };
        if dialer.has_said_all() {
            return;
        }
        // A link that broke as soon as it was there has ended no outage.
        search = search.filter(|search| !dialer.has_gone_on(search, begun.elapsed()));
        let current = search.get_or_insert_with(|| dialer.search(&lost, peer));
        match dialer.come_back(current).await {
            Some(again) => link = again,
            None => return,
        }
    }
}

/// What links to the receiver are made with.
struct Dialer<'a> {
    endpoint: &'a Endpoint,
    route: &'a Route,
    credentials: &'a Credentials,
    uplink: &'a Uplink,
    reporter: &'a Reporter,
}

/// The search for the receiver in an outage.
struct Search {
    outage: Outage,
    backoff: Backoff,
    /// Where the receiver was, and then where its name leads now.
    addresses: Vec<SocketAddr>,
    /// What the receiver had written when the outage began.
    written: u64,
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
        dial(self.endpoint, self.credentials, address, &self.uplink.tuning).await
    }

    /// Serves the session over `link`, which ends a `search` when the receiver has welcomed it.
    async fn serve(&self, link: Link, search: Option<&Search>) -> Result<(), Lost> {
        let (connection, welcomes) = (link.connection.clone(), self.welcomes());
        let resumed = async {
            let offset = self.uplink.session.when(|s| (s.welcomes() > welcomes).then(|| s.written())).await;
            if let Some(search) = search {
                self.reporter.tell(Event::Resumed { offset, after: search.outage.since.elapsed() });
            }
            std::future::pending().await
        };
        let ended = tokio::select! {
            biased;
            never = resumed => never,
            ended = self.uplink.run(link) => ended,
        };
        self.reporter.tell(Event::Detail(connection.report().to_string()));
        ended
    }

    fn welcomes(&self) -> u64 {
        self.uplink.session.look(Sender::welcomes)
    }

    /// Whether the session has gone on since the outage, over a link that has `lasted` so long.
    fn has_gone_on(&self, search: &Search, lasted: Duration) -> bool {
        let written = self.uplink.session.look(Sender::written);
        written > search.written || lasted > self.uplink.tuning.liveness.peer_timeout()
    }

    /// Whether there is nothing left to say to the receiver. It is told of a failure of this side even if
    /// the link has to be made again for that, unless somebody wants this program to end now.
    fn has_said_all(&self) -> bool {
        self.uplink.session.look(|s| match s.outcome() {
            None => false,
            Some(Sent::Failed(failure)) => {
                failure.party == Party::Receiver || s.welcomes() == 0 || !failure.cause.is_worth_a_link()
            }
            Some(_) => true,
        })
    }

    fn search(&self, lost: &Lost, peer: SocketAddr) -> Search {
        let outage = Outage::of(lost, "receiver", self.uplink.session.look(Sender::retry_for));
        if !outage.patience.is_zero() {
            let (reason, patience) = (outage.how.clone(), outage.patience);
            self.reporter.tell(Event::Interrupted { reason, patience });
        }
        let [a, b, c, d, e, f, g, h, ..] = self.uplink.session.look(Sender::session).0;
        let backoff = Backoff::new(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        Search { outage, backoff, addresses: vec![peer], written: self.uplink.session.look(Sender::written) }
    }

    /// Reaches the receiver again, or fails the session; nothing too if it is over before.
    async fn come_back(&self, search: &mut Search) -> Option<Link> {
        let over = async {
            self.uplink.session.when(|s| s.outcome().map(|_| ())).await;
            if !self.has_said_all() {
                std::future::pending().await
            }
        };
        let how = search.outage.how.clone();
        let reached = tokio::select! {
            biased;
            () = over => return None,
            reached = self.reach_again(search) => reached,
        };
        match reached {
            Ok(link) => Some(link),
            Err(reason) => {
                self.uplink.session.change(|s| s.peer_lost(&format!("{how}; {reason}")));
                None
            }
        }
    }

    /// Tries the receiver's addresses until the outage is too long. What is answered there by somebody who has not
    /// proved the key, such as that the key is another, is no reason to give up: the receiver may still come back.
    ///
    /// # Errors
    /// Why it was given up.
    async fn reach_again(&self, search: &mut Search) -> Result<Link, String> {
        let retry_for = Span(search.outage.patience);
        if retry_for.0.is_zero() {
            return Err("it was not tried again (--retry-for 0)".to_owned());
        }
        let mut last = Miss::Silence;
        loop {
            let pause = search.backoff.pause();
            if Instant::now() + pause >= search.outage.until {
                return Err(format!("it was not reached again within {retry_for} (--retry-for; {last})"));
            }
            sleep(pause).await;
            match self.try_addresses(search).await {
                Ok(link) => return Ok(link),
                Err(miss) => last = miss,
            }
            if let Some((gone, left)) = search.outage.tells() {
                let (gone, left) = (Span(gone), Span(left));
                self.reporter.tell(Event::Notice(format!("no link for {gone} ({last}); trying for {left} more")));
            }
        }
    }

    /// Tries every address once. Where the name leads now is asked meanwhile, for the next time: in an outage
    /// that may take long, or never come to an end.
    async fn try_addresses(&self, search: &mut Search) -> Result<Link, Miss> {
        let Search { outage, addresses, .. } = search;
        let known = addresses.clone();
        let dial = |address| self.dial(address);
        let mut dialed = pin!(try_each(&known, outage.until, &dial));
        tokio::select! {
            biased;
            dialed = &mut dialed => return dialed,
            found = self.route.addresses() => {
                addresses.truncate(1);
                let others = found.unwrap_or_default().into_iter().filter(|address| *address != known[0]);
                addresses.extend(others);
            }
        }
        dialed.await
    }
}
