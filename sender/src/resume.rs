//! The loop around the links of a session: come by one, serve the session, and come by another when
//! it is lost.

use std::time::Duration;

use tokio::time::Instant;
use xbproto::cli::{Event, Reporter};
use xbproto::contact::Comeback;
use xbproto::failure::Party;
use xbproto::link::{Link, Lost, Outage};
use xbproto::session::{Sender, Sent};

use crate::contact::Contact;
use crate::uplink::Uplink;

/// Serves the session over one link after the other, from the first contact with the receiver until
/// the session is over and the receiver knows, as far as it can be told. The session knows then how it ended.
pub async fn keep_linked(contact: &mut impl Contact, uplink: &Uplink, reporter: &Reporter) {
    let keeper = Keeper { uplink, reporter };
    let Some(mut link) = keeper.first_contact(contact).await else { return };
    let mut search = None;
    loop {
        let (peer, begun) = (link.peer(), Instant::now());
        let served = tokio::select! {
            biased;
            served = keeper.serve(link, search.as_ref()) => served,
            never = contact.mind() => match never {},
        };
        let Err(lost) = served else { return };
        if keeper.has_said_all() {
            return;
        }
        if contact.dials() == Party::Receiver && keeper.has_not_begun() {
            // Whoever comes may have it, for as long as anybody is waited for.
            match keeper.first_contact(contact).await {
                Some(another) => link = another,
                None => return,
            }
            continue;
        }
        // A link that broke as soon as it was there has ended no outage.
        search = search.filter(|search| !keeper.has_gone_on(search, begun.elapsed()));
        let current = search.get_or_insert_with(|| {
            let outage = keeper.outage(&lost, contact);
            Search { comeback: contact.search(outage, peer), written: uplink.session.look(Sender::written) }
        });
        match keeper.come_back(contact, &mut current.comeback).await {
            Some(again) => link = again,
            None => return,
        }
    }
}

/// Whose links are kept.
struct Keeper<'a> {
    uplink: &'a Uplink,
    reporter: &'a Reporter,
}

/// The search for the receiver in an outage.
struct Search {
    comeback: Comeback,
    /// What the receiver had written when the outage began.
    written: u64,
}

impl Keeper<'_> {
    /// The first link, or nothing if the session is over before there is one.
    async fn first_contact(&self, contact: &mut impl Contact) -> Option<Link> {
        let reached = tokio::select! {
            biased;
            () = self.uplink.session.when(|s| s.outcome().map(|_| ())) => return None,
            reached = contact.first() => reached,
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

    /// Serves the session over `link`, which ends a `search` when the receiver has welcomed it.
    async fn serve(&self, link: Link, search: Option<&Search>) -> Result<(), Lost> {
        let (connection, welcomes) = (link.connection.clone(), self.welcomes());
        let resumed = async {
            let offset = self.uplink.session.when(|s| (s.welcomes() > welcomes).then(|| s.written())).await;
            if let Some(search) = search {
                self.reporter.tell(Event::Resumed { offset, after: search.comeback.outage.since.elapsed() });
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

    fn has_not_begun(&self) -> bool {
        self.uplink.session.look(|s| s.welcomes() == 0 && s.outcome().is_none())
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

    fn outage(&self, lost: &Lost, contact: &impl Contact) -> Outage {
        let patience = contact.patience(self.uplink.session.look(Sender::retry_for));
        let outage = Outage::of(lost, "receiver", patience);
        if !outage.patience.is_zero() {
            let (reason, patience) = (outage.how.clone(), outage.patience);
            self.reporter.tell(Event::Interrupted { reason, patience, dials: contact.dials() });
        }
        outage
    }

    /// Another link to the receiver, or the session fails; nothing too if it is over before.
    async fn come_back(&self, contact: &mut impl Contact, comeback: &mut Comeback) -> Option<Link> {
        let over = async {
            self.uplink.session.when(|s| s.outcome().map(|_| ())).await;
            if !self.has_said_all() {
                std::future::pending().await
            }
        };
        let how = comeback.outage.how.clone();
        let reached = tokio::select! {
            biased;
            () = over => return None,
            reached = contact.again(comeback) => reached,
        };
        match reached {
            Ok(link) => Some(link),
            Err(reason) => {
                self.uplink.session.change(|s| s.peer_lost(&format!("{how}; {reason}")));
                None
            }
        }
    }
}
