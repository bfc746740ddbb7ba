//! The loop around the links of a session: reach the receiver, serve the session, see what became
//! of the link.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::Endpoint;
use tokio::time::{Instant, sleep, timeout};
use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::{Admission, Link, LinkError, knock};
use xbproto::wire::{CloseCode, VERSIONS};

use crate::uplink::Uplink;

/// How long one attempt may take: several lost packets on a slow path.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The pause between attempts that fail at once.
const PAUSE: Duration = Duration::from_millis(500);

/// Where the receiver is, and how long to look for it.
#[derive(Clone, Debug)]
pub struct Route {
    /// As the user wrote it.
    pub name: String,
    /// What the name resolved to, in order of preference; not empty.
    pub addresses: Vec<SocketAddr>,
    /// How long to try before giving up.
    pub wait: Duration,
}

/// Serves the session over a link, from the first attempt to reach the receiver until the session
/// is over. The session knows then how it ended.
pub async fn keep_linked(endpoint: &Endpoint, route: &Route, key: &Key, uplink: &Uplink, reporter: &Reporter) {
    reporter.tell(Event::Connecting { to: route.name.clone() });
    let over = uplink.session.when(|s| s.outcome().map(|_| ()));
    let link = tokio::select! {
        biased;
        () = over => return,
        link = reach(endpoint, route, key, uplink) => link,
    };
    let link = match link {
        Ok(link) => link,
        Err(failure) => return uplink.session.change(|s| s.fail(failure)),
    };
    reporter.tell(Event::Connected { peer: link.peer() });
    if let Err(error) = uplink.run(link).await {
        match refusal(&error) {
            Some(failure) => uplink.session.change(|s| s.fail(failure)),
            None => uplink.session.change(|s| s.peer_lost(&format!("the link to the receiver was lost: {error}"))),
        }
    }
}

/// Tries the route's addresses in turn until one answers or the time is up.
async fn reach(endpoint: &Endpoint, route: &Route, key: &Key, uplink: &Uplink) -> Result<Link, Failure> {
    let deadline = Instant::now() + route.wait;
    loop {
        let mut last = LinkError::Lost("no address".into());
        for address in &route.addresses {
            match timeout(ATTEMPT, dial(endpoint, *address, key, uplink)).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(error)) => match refusal(&error) {
                    Some(failure) => return Err(failure),
                    None => last = error,
                },
                Err(_) => last = LinkError::Lost("no answer".into()),
            }
        }
        if Instant::now() + PAUSE >= deadline {
            return Err(unreachable(route, &last));
        }
        sleep(PAUSE).await;
    }
}

async fn dial(endpoint: &Endpoint, address: SocketAddr, key: &Key, uplink: &Uplink) -> Result<Link, LinkError> {
    let connecting = endpoint.connect(address, "xbstream-link").map_err(|error| LinkError::Lost(error.to_string()))?;
    let admission = Admission { key, role: Party::Sender, versions: VERSIONS, tuning: uplink.tuning };
    knock(connecting.await?, admission).await
}

/// The failure that trying again would not mend, if the error is one.
fn refusal(error: &LinkError) -> Option<Failure> {
    let refused = |reason: String| Some(Failure::new(Cause::Refused, Party::Receiver, reason));
    match error {
        LinkError::Closed { code: CloseCode::WrongKey, .. } => {
            refused("the key is not the receiver's; use the one that it shows, or the same key file".into())
        }
        LinkError::Closed { code: CloseCode::Version | CloseCode::Busy, reason } => refused(reason.clone()),
        LinkError::Closed { .. } | LinkError::Lost(_) => None,
        LinkError::Stranger(_) => Some(Failure::new(Cause::Refused, Party::Sender, error)),
        _ => Some(Failure::new(Cause::Integrity, Party::Sender, error)),
    }
}

fn unreachable(route: &Route, last: &LinkError) -> Failure {
    let port = route.addresses.first().map_or(0, SocketAddr::port);
    let reason = format!(
        "{} was not reached within {} s ({last}); is xbrecv listening there, and do the firewalls let UDP port {port} pass?",
        route.name,
        route.wait.as_secs()
    );
    Failure::new(Cause::PeerLost, Party::Sender, reason)
}
