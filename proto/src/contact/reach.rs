//! Reaching a listener: its addresses in turn, again and again, until one answers or the time is up.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{ATTEMPT, Route, RouteError};
use crate::cli::{Event, Reporter};
use crate::failure::{Cause, Failure, Party};
use crate::link::LinkError;
use crate::quantity::Span;
use crate::wire::CloseCode;

/// The pause between attempts that fail at once.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks up the route's addresses and tries them in turn, again and again, until one answers or the time is up.
///
/// # Errors
/// The failure of the session of `role`, this side, that trying again would not mend, or that comes of a time that is up.
pub async fn reach<T, F: Future<Output = Result<T, LinkError>>>(
    route: &Route,
    role: Party,
    reporter: &Reporter,
    dial: impl Fn(SocketAddr) -> F,
) -> Result<T, Failure> {
    // Not to wait is to try once.
    let limit = if route.wait.is_zero() { ATTEMPT } else { route.wait };
    let deadline = Instant::now() + limit;
    let mut last = Miss::Silence;
    loop {
        let miss = match timeout_at(deadline, route.addresses()).await {
            Ok(Ok(addresses)) => try_each(&addresses, deadline, &dial).await,
            Ok(Err(error)) if error.cause() != Cause::PeerLost => {
                return Err(Failure::new(error.cause(), role, error));
            }
            Ok(Err(error)) => Err(Miss::Lookup(error)),
            // What was said before tells more than that the time is up.
            Err(_) => return Err(unreachable(route, role, &last)),
        };
        let miss = match miss {
            Ok(link) => return Ok(link),
            Err(Miss::Link(error)) if let Some(failure) = refusal(&error, role) => return Err(failure),
            Err(miss) => miss,
        };
        reporter.tell(match (&last, &miss) {
            // Most likely a slip of the pen, which somebody who waits would like to know of.
            (Miss::Silence | Miss::Link(_), Miss::Lookup(_)) => Event::Notice(format!("{miss}; trying again")),
            _ => Event::Detail(format!("{miss}; trying again")),
        });
        last = miss;
        if route.wait.is_zero() || Instant::now() + PAUSE >= deadline {
            return Err(unreachable(route, role, &last));
        }
        sleep(PAUSE).await;
    }
}

/// Why nobody was reached.
#[derive(Debug, thiserror::Error)]
pub enum Miss {
    /// Its name leads nowhere.
    #[error(transparent)]
    Lookup(RouteError),
    /// What came of an attempt.
    #[error(transparent)]
    Link(LinkError),
    /// Nothing came of it in time.
    #[error("no answer")]
    Silence,
}

/// Tries one address after the other. Each has an equal part of what is left of the time, so that one that keeps
/// silent does not use up that of the others.
///
/// # Errors
/// What came of the last one, or of the first that refused.
pub async fn try_each<T, F: Future<Output = Result<T, LinkError>>>(
    addresses: &[SocketAddr],
    deadline: Instant,
    dial: &impl Fn(SocketAddr) -> F,
) -> Result<T, Miss> {
    let mut last = Miss::Silence;
    for (address, left) in addresses.iter().zip((1..=addresses.len() as u32).rev()) {
        let part = deadline.saturating_duration_since(Instant::now()) / left;
        last = match timeout(part.min(ATTEMPT), dial(*address)).await {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(error)) if is_final(&error) => return Err(Miss::Link(error)),
            Ok(Err(error)) => Miss::Link(error),
            Err(_) => Miss::Silence,
        };
    }
    Err(last)
}

/// The failure that trying again would not mend, if the error is one.
fn refusal(error: &LinkError, role: Party) -> Option<Failure> {
    let refused = |reason: String| Some(Failure::new(Cause::Refused, role.peer(), reason));
    match error {
        LinkError::Closed { code: CloseCode::WrongKey, .. } => {
            let words = "use the one that it shows, or the same key file";
            refused(format!("the key is not the {}'s; {words}", role.peer()))
        }
        LinkError::Closed { code: CloseCode::KeyMissing, .. } => refused(
            "only one of the two sides has a key: give the same one to both (--key-file or XB_KEY), or none to either"
                .into(),
        ),
        LinkError::Closed { code: CloseCode::Version | CloseCode::Busy, reason } => refused(reason.clone()),
        LinkError::Closed { .. } | LinkError::Silent | LinkError::Lost(_) => None,
        LinkError::Distrusted(_) => refused(error.to_string()),
        LinkError::Untrusted(_) | LinkError::Stranger(_) => Some(Failure::new(Cause::Refused, role, error)),
        _ => Some(Failure::new(Cause::Integrity, role, error)),
    }
}

/// Whether trying again would not mend it.
fn is_final(error: &LinkError) -> bool {
    refusal(error, Party::Sender).is_some()
}

fn unreachable(route: &Route, role: Party, last: &Miss) -> Failure {
    let Route { name, wait, .. } = route;
    let advice = match last {
        Miss::Lookup(_) => "is the name right?".to_owned(),
        _ => route.question(role.peer()),
    };
    let reason = format!("{name} was not reached within {} (--wait; {last}); {advice}", Span(*wait));
    Failure::new(Cause::PeerLost, role, reason)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::{pending, ready};
    use std::net::Ipv4Addr;

    use super::*;
    use crate::cli::{Face, Moment, Screen, Verbosity};
    use crate::quic::Family;

    struct Silent;

    impl Face for Silent {
        fn show(&mut self, _: Moment, _: &Event) {}
    }

    fn reporter() -> Reporter {
        Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal)
    }

    fn route(given: &str, wait: u64) -> Route {
        Route::parse(given, Family::Any, Duration::from_millis(wait)).unwrap()
    }

    fn addresses(count: u16) -> Vec<SocketAddr> {
        (1..=count).map(|port| (Ipv4Addr::LOCALHOST, port).into()).collect()
    }

    /// On the paused clock: the times are exact.
    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_beyond_the_limit() {
        for wait in [1, 700, 1000, 7300, 30_000] {
            let (begun, route) = (Instant::now(), route("127.0.0.1:9", wait));
            let failure = reach(&route, Party::Sender, &reporter(), |_| pending::<Result<(), _>>()).await.unwrap_err();
            assert!(begun.elapsed() <= Duration::from_millis(wait + 1), "{wait}: {:?}", begun.elapsed());
            assert_eq!(failure.cause, Cause::PeerLost);
            assert!(failure.reason.contains("(--wait; no answer)"), "{failure}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn not_to_wait_is_to_try_once() {
        let tries = RefCell::new(0);
        let dial = |_| {
            *tries.borrow_mut() += 1;
            ready(Err::<(), _>(LinkError::Lost("no answer".into())))
        };
        let failure = reach(&route("127.0.0.1:9", 0), Party::Sender, &reporter(), dial).await.unwrap_err();
        assert_eq!((failure.cause, *tries.borrow()), (Cause::PeerLost, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_is_tried_within_the_limit() {
        let deadline = Instant::now() + Duration::from_secs(1);
        let tried = RefCell::new(Vec::new());
        let dial = |address: SocketAddr| {
            tried.borrow_mut().push(address.port());
            async move { if address.port() == 3 { Ok(()) } else { pending().await } }
        };
        try_each(&addresses(4), deadline, &dial).await.unwrap();
        assert_eq!(*tried.borrow(), [1, 2, 3]);
        assert!(Instant::now() < deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_falls_silent_is_tried_again() {
        let dial = |_| ready(Err::<(), _>(LinkError::Silent));
        let failure = reach(&route("127.0.0.1:9", 2000), Party::Sender, &reporter(), dial).await.unwrap_err();
        assert_eq!(failure.cause, Cause::PeerLost);
        assert!(failure.reason.contains("(--wait; no sign of life)"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_argued_with() {
        let dial = |_| ready(Err::<(), _>(LinkError::Closed { code: CloseCode::Busy, reason: "busy".into() }));
        let failure = reach(&route("127.0.0.1:9", 30_000), Party::Sender, &reporter(), dial).await.unwrap_err();
        assert_eq!((failure.cause, failure.reason.as_str()), (Cause::Refused, "busy"));
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_is_named_when_the_time_is_up() {
        let failure =
            reach(&route("no such host:9", 600), Party::Sender, &reporter(), |_| ready(Ok(()))).await.unwrap_err();
        assert_eq!(failure.cause, Cause::PeerLost);
        assert!(failure.reason.contains("; looking up no such host: "), "{failure}");
    }
}
