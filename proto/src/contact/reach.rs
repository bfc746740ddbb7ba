//! Reaching a listener: its addresses in turn, again and again, until one answers or the time is up.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{ATTEMPT, Attempt, Diagnosis, Miss, Missed, Route, RouteError, Try};
use crate::cli::{Event, Reporter};
use crate::failure::{Cause, Failure, Party};
use crate::link::{Form, LinkError};
use crate::quantity::Span;
use crate::wire::CloseCode;

/// The pause between attempts that fail at once.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks up the route's addresses and makes the `tries` with each in turn, again and again, until one answers or the time
/// is up. What is wrong is told as soon as it is known.
///
/// # Errors
/// The failure of the session of `role`, this side, that trying again would not mend, or that comes of a time that is up.
pub async fn reach<T, F: Future<Output = Result<T, LinkError>>>(
    route: &Route,
    role: Party,
    reporter: &Reporter,
    tries: &[Try],
    dial: impl Fn(Attempt) -> F,
) -> Result<T, Failure> {
    // Not to wait is to try once.
    let limit = if route.wait.is_zero() { ATTEMPT * tries.len() as u32 } else { route.wait };
    let deadline = Instant::now() + limit;
    let wanted = route.wanted(role);
    let mut last: Option<Diagnosis> = None;
    loop {
        let miss = match one_round(route, role, tries, deadline, &dial).await? {
            Ok(link) => return Ok(link),
            Err(miss) => miss,
        };
        let diagnosis = match last.take_if(|_| Instant::now() >= deadline) {
            // What had no time to come to an end tells less than what was seen before.
            Some(earlier) => earlier,
            None => Diagnosis::of(&miss, wanted),
        };
        if route.wait.is_zero() || Instant::now() + PAUSE >= deadline {
            return Err(unreachable(route, role, &diagnosis));
        }
        let left = Span(deadline.saturating_duration_since(Instant::now()));
        reporter.tell(match last.as_ref() == Some(&diagnosis) {
            true => Event::Detail(format!("trying again for {left}: {diagnosis}")),
            false => Event::Notice(format!("trying again for {left}: {diagnosis}")),
        });
        last = Some(diagnosis);
        sleep(PAUSE).await;
    }
}

/// Looks up the addresses and makes every attempt once.
///
/// # Errors
/// The failure that trying again would not mend.
async fn one_round<T, F: Future<Output = Result<T, LinkError>>>(
    route: &Route,
    role: Party,
    tries: &[Try],
    deadline: Instant,
    dial: &impl Fn(Attempt) -> F,
) -> Result<Result<T, Miss>, Failure> {
    let late = |_| RouteError::Lookup { host: route.host.clone(), error: io::ErrorKind::TimedOut.into() };
    let addresses = timeout_at(deadline, route.addresses()).await.map_err(late).flatten();
    let reached = match addresses {
        Ok(addresses) => try_each(&Attempt::all(&addresses, tries), deadline, dial).await,
        Err(error) if error.cause() != Cause::PeerLost => return Err(Failure::new(error.cause(), role, error)),
        Err(error) => Err(Miss::Lookup(error)),
    };
    match reached.as_ref().err().and_then(|miss| refused(miss, role)) {
        Some(failure) => Err(failure),
        None => Ok(reached),
    }
}

/// Makes one attempt after the other. Each has an equal part of what is left of the time, so that one that meets with
/// silence does not use up that of the others. TCP is not tried instead of QUIC where QUIC was answered.
///
/// # Errors
/// What came of them, or of those up to the first that was refused.
pub async fn try_each<T, F: Future<Output = Result<T, LinkError>>>(
    attempts: &[Attempt],
    deadline: Instant,
    dial: &impl Fn(Attempt) -> F,
) -> Result<T, Miss> {
    let mut missed: Vec<Missed> = Vec::new();
    for (attempt, left) in attempts.iter().zip((1..=attempts.len() as u32).rev()) {
        if attempt.by == Try::TcpInstead
            && !missed.iter().filter(|missed| missed.attempt.by == Try::Quic).all(Missed::is_blocked)
        {
            break;
        }
        let part = deadline.saturating_duration_since(Instant::now()) / left;
        let error = match timeout(part.min(ATTEMPT), dial(*attempt)).await {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        missed.push(Missed { attempt: *attempt, error });
        if missed.last().is_some_and(is_final) {
            break;
        }
    }
    Err(Miss::Attempts(missed))
}

/// The failure that trying again would not mend, if there is one.
fn refused(miss: &Miss, role: Party) -> Option<Failure> {
    match miss {
        Miss::Lookup(_) => None,
        Miss::Attempts(missed) => missed.last().and_then(|missed| refusal(missed, role)),
    }
}

fn refusal(missed: &Missed, role: Party) -> Option<Failure> {
    let error = missed.error.as_ref()?;
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
        LinkError::Refused(_) | LinkError::NoRoute(_) => None,
        LinkError::Distrusted(_) => refused(error.to_string()),
        // Somebody else may have the TCP port while the UDP port waits for its owner.
        LinkError::Untrusted(_) if missed.attempt.by == Try::TcpInstead => None,
        LinkError::Stranger(_) if missed.attempt.by.form() == Form::Tcp => None,
        LinkError::Untrusted(_) | LinkError::Stranger(_) => Some(Failure::new(Cause::Refused, role, error)),
        _ => Some(Failure::new(Cause::Integrity, role, error)),
    }
}

/// Whether trying again would not mend it.
fn is_final(missed: &Missed) -> bool {
    refusal(missed, Party::Sender).is_some()
}

fn unreachable(route: &Route, role: Party, diagnosis: &Diagnosis) -> Failure {
    let Route { name, wait, .. } = route;
    let cause = if diagnosis.is_stranger { Cause::Refused } else { Cause::PeerLost };
    Failure::new(cause, role, format!("{name} was not reached within {} (--wait): {diagnosis}", Span(*wait)))
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

    fn attempts(count: u16, tries: &[Try]) -> Vec<Attempt> {
        let addresses: Vec<_> = (1..=count).map(|port| (Ipv4Addr::LOCALHOST, port).into()).collect();
        Attempt::all(&addresses, tries)
    }

    const QUIC: &[Try] = &[Try::Quic];
    const AUTO: &[Try] = &[Try::Quic, Try::TcpInstead];

    /// On the paused clock: the times are exact.
    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_beyond_the_limit() {
        for wait in [1, 700, 1000, 7300, 30_000] {
            let (begun, route) = (Instant::now(), route("127.0.0.1:9", wait));
            let failure =
                reach(&route, Party::Sender, &reporter(), QUIC, |_| pending::<Result<(), _>>()).await.unwrap_err();
            assert!(begun.elapsed() <= Duration::from_millis(wait + 1), "{wait}: {:?}", begun.elapsed());
            assert_eq!(failure.cause, Cause::PeerLost);
            assert!(failure.reason.contains("(--wait): nothing answers over UDP port 9 of 127.0.0.1; "), "{failure}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn not_to_wait_is_to_try_once() {
        let tries = RefCell::new(0);
        let dial = |_| {
            *tries.borrow_mut() += 1;
            ready(Err::<(), _>(LinkError::Lost("no answer".into())))
        };
        let failure = reach(&route("127.0.0.1:9", 0), Party::Sender, &reporter(), QUIC, dial).await.unwrap_err();
        assert_eq!((failure.cause, *tries.borrow()), (Cause::PeerLost, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_is_tried_within_the_limit() {
        let deadline = Instant::now() + Duration::from_secs(1);
        let tried = RefCell::new(Vec::new());
        let dial = |attempt: Attempt| {
            let port = attempt.address.port();
            tried.borrow_mut().push(port);
            async move { if port == 3 { Ok(()) } else { pending().await } }
        };
        try_each(&attempts(4, QUIC), deadline, &dial).await.unwrap();
        assert_eq!(*tried.borrow(), [1, 2, 3]);
        assert!(Instant::now() < deadline);
    }

    /// What came of QUIC, and what is tried because of that.
    #[tokio::test(start_paused = true)]
    async fn tcp_is_tried_only_where_quic_does_not_get_through() {
        let closed = |code| LinkError::Closed { code, reason: String::new() };
        for (error, tried) in [
            (LinkError::Silent, AUTO),
            (LinkError::Refused("UDP"), AUTO),
            (LinkError::NoRoute(String::new()), AUTO),
            (closed(CloseCode::WrongKey), QUIC),
            (closed(CloseCode::Version), QUIC),
            (closed(CloseCode::Broken), QUIC),
            (LinkError::Stranger(String::new()), QUIC),
            (LinkError::Lost(String::new()), QUIC),
        ] {
            let seen = RefCell::new(Vec::new());
            let dial = |attempt: Attempt| {
                seen.borrow_mut().push(attempt.by);
                ready(Err::<(), _>(error.clone()))
            };
            try_each(&attempts(1, AUTO), Instant::now() + Duration::from_secs(9), &dial).await.unwrap_err();
            assert_eq!(*seen.borrow(), tried, "{error:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_is_wrong_is_known_within_the_promised_time() {
        let (begun, route) = (Instant::now(), route("127.0.0.1:9", 15_000));
        let failure =
            reach(&route, Party::Sender, &reporter(), AUTO, |_| pending::<Result<(), _>>()).await.unwrap_err();
        assert!(begun.elapsed() <= Duration::from_secs(15));
        assert!(failure.reason.contains("nothing answers over UDP or TCP port 9 of 127.0.0.1"), "{failure}");
    }

    /// The last attempt has hardly any time, and meets with silence.
    #[tokio::test(start_paused = true)]
    async fn what_was_seen_in_time_outlasts_what_was_not() {
        let begun = Instant::now();
        let dial = |_: Attempt| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match begun.elapsed() < Duration::from_millis(1900) {
                true => Err::<(), _>(LinkError::Refused("UDP")),
                false => pending().await,
            }
        };
        let failure = reach(&route("127.0.0.1:9", 2000), Party::Sender, &reporter(), QUIC, dial).await.unwrap_err();
        assert!(failure.reason.contains("UDP port 9 of 127.0.0.1 is refused"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_else_answers_over_tcp_is_a_refusal_only_in_the_end() {
        let dial = |attempt: Attempt| {
            ready(Err::<(), _>(match attempt.by {
                Try::Quic => LinkError::Silent,
                _ => LinkError::Stranger("it does not speak TLS".into()),
            }))
        };
        let (begun, route) = (Instant::now(), route("127.0.0.1:9", 7000));
        let failure = reach(&route, Party::Sender, &reporter(), AUTO, dial).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Refused);
        assert!(failure.reason.contains("is not xbrecv: it does not speak TLS"), "{failure}");
        assert!(begun.elapsed() > Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_falls_silent_is_tried_again() {
        let dial = |_| ready(Err::<(), _>(LinkError::Silent));
        let failure = reach(&route("127.0.0.1:9", 2000), Party::Sender, &reporter(), QUIC, dial).await.unwrap_err();
        assert_eq!(failure.cause, Cause::PeerLost);
        assert!(failure.reason.contains("(--wait): nothing answers"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_argued_with() {
        let dial = |_| ready(Err::<(), _>(LinkError::Closed { code: CloseCode::Busy, reason: "busy".into() }));
        let failure = reach(&route("127.0.0.1:9", 30_000), Party::Sender, &reporter(), QUIC, dial).await.unwrap_err();
        assert_eq!((failure.cause, failure.reason.as_str()), (Cause::Refused, "busy"));
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_is_named_when_the_time_is_up() {
        let failure = reach(&route("no such host:9", 600), Party::Sender, &reporter(), QUIC, |_| ready(Ok(())))
            .await
            .unwrap_err();
        assert_eq!(failure.cause, Cause::PeerLost);
        assert!(failure.reason.contains(" (--wait): looking up no such host: "), "{failure}");
    }
}
