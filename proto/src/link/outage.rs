//! A time without a link: since when, until when, and how it began.

use std::time::Duration;

use tokio::time::Instant;

use super::Lost;

/// How often it is told that there is still no link.
const MINUTE: Duration = Duration::from_secs(60);

/// A session has no link, and another is waited for.
#[derive(Clone, Debug)]
pub struct Outage {
    /// When the peer was last heard.
    pub since: Instant,
    /// When it is given up.
    pub until: Instant,
    /// How it was lost, in a sentence.
    pub how: String,
    /// How long another link is waited for, from the moment when the loss was noticed.
    pub patience: Duration,
    /// When to tell that it lasts.
    told: Instant,
}

impl Outage {
    /// Begins now, for a reason that is not a link's.
    pub fn begins(how: String, patience: Duration) -> Outage {
        let now = Instant::now();
        // Nobody waits for years; and the clock would not reach so far.
        let until = now + patience.min(MINUTE * 60 * 24 * 365);
        Outage { since: now, until, how, patience, told: now }
    }

    /// Begins with the loss of the link to the `peer`, who was heard before.
    pub fn of(lost: &Lost, peer: &str, patience: Duration) -> Outage {
        let outage = Outage::begins(format!("the link to the {peer} was lost: {lost}"), patience);
        Outage { since: outage.since.checked_sub(lost.silence).unwrap_or(outage.since), ..outage }
    }

    /// When it should be told next that there is no link yet.
    pub fn next_told(&self) -> Instant {
        self.told + MINUTE
    }

    /// How long there was no link, and how long one is still waited for, if it is time to tell that.
    pub fn tells(&mut self) -> Option<(Duration, Duration)> {
        let now = Instant::now();
        if now < self.next_told() {
            return None;
        }
        self.told = now;
        Some((self.since.elapsed(), self.until.saturating_duration_since(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkError;

    #[tokio::test(start_paused = true)]
    async fn it_began_with_the_last_sign_of_life_and_is_told_once_a_minute() {
        tokio::time::advance(MINUTE).await;
        let lost = Lost { error: LinkError::Silent, silence: Duration::from_secs(15) };
        let mut outage = Outage::of(&lost, "receiver", Duration::from_secs(300));
        assert_eq!(outage.how, "the link to the receiver was lost: no sign of life for 15.0 s (see --peer-timeout)");
        assert_eq!(outage.tells(), None);
        tokio::time::advance(MINUTE).await;
        assert_eq!(outage.tells(), Some((Duration::from_secs(75), Duration::from_secs(240))));
        assert_eq!(outage.tells(), None);
    }

    #[tokio::test]
    async fn no_patience_is_too_long_for_the_clock() {
        assert!(Outage::begins(String::new(), Duration::MAX).until > Instant::now());
    }
}
