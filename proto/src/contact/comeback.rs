//! Coming back after a link was lost.

use std::net::SocketAddr;
use std::pin::pin;

use tokio::time::{Instant, sleep};

use super::{Attempt, Diagnosis, Miss, Route, Try, try_each};
use crate::cli::{Event, Reporter};
use crate::failure::Party;
use crate::link::{LinkError, Outage};
use crate::quantity::Span;
use crate::retry::Backoff;

/// The search for a listener in an outage.
#[derive(Debug)]
pub struct Comeback {
    /// Since when, until when, and why.
    pub outage: Outage,
    backoff: Backoff,
    /// Where the listener was, and then where its name leads now.
    addresses: Vec<SocketAddr>,
}

impl Comeback {
    /// A search for whoever was at `peer`. What is random about its pauses follows from `seed`.
    pub fn new(outage: Outage, peer: Option<SocketAddr>, seed: u64) -> Comeback {
        Comeback { outage, backoff: Backoff::new(seed), addresses: peer.into_iter().collect() }
    }

    /// Makes the `tries` with the listener's addresses until the outage is too long; `role` is this side. What is answered
    /// there by somebody who has not proved the key, such as that the key is another, is no reason to give up: the right
    /// one may still come back.
    ///
    /// # Errors
    /// Why it was given up.
    pub async fn search<T, F: Future<Output = Result<T, LinkError>>>(
        &mut self,
        route: &Route,
        role: Party,
        reporter: &Reporter,
        tries: &[Try],
        dial: impl Fn(Attempt) -> F,
    ) -> Result<T, String> {
        let retry_for = Span(self.outage.patience);
        if retry_for.0.is_zero() {
            return Err("it was not tried again (--retry-for 0)".to_owned());
        }
        let wanted = route.wanted(role);
        let mut last = Miss::Attempts(Vec::new());
        loop {
            let pause = self.backoff.pause();
            if Instant::now() + pause >= self.outage.until {
                let what = Diagnosis::of(&last, wanted);
                return Err(format!("it was not reached again within {retry_for} (--retry-for): {what}"));
            }
            sleep(pause).await;
            match self.try_addresses(route, tries, &dial).await {
                Ok(link) => return Ok(link),
                Err(miss) => last = miss,
            }
            if let Some((gone, left)) = self.outage.tells() {
                let (gone, left) = (Span(gone), Span(left));
                let what = Diagnosis::of(&last, wanted);
                reporter.tell(Event::Notice(format!("no link for {gone}; trying for {left} more: {what}")));
            }
        }
    }

    /// Tries every address once. Where the name leads now is asked meanwhile, for the next time: in an outage
    /// that may take long, or never come to an end.
    async fn try_addresses<T, F: Future<Output = Result<T, LinkError>>>(
        &mut self,
        route: &Route,
        tries: &[Try],
        dial: &impl Fn(Attempt) -> F,
    ) -> Result<T, Miss> {
        let known = self.addresses.clone();
        let attempts = Attempt::all(&known, tries);
        let mut dialed = pin!(try_each(&attempts, self.outage.until, dial));
        tokio::select! {
            biased;
            dialed = &mut dialed, if !known.is_empty() => return dialed,
            found = route.addresses() => {
                self.addresses.truncate(1);
                let others = found.unwrap_or_default().into_iter().filter(|address| known.first() != Some(address));
                self.addresses.extend(others);
            }
        }
        dialed.await
    }
}
