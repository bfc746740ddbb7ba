//! What comes up again and again and is told once.

use std::time::Duration;

use tokio::time::Instant;

/// What comes up again within this time is the same episode.
const APART: Duration = Duration::from_secs(60);

/// Something that lasts for a while and shows in many single occurrences.
#[derive(Debug, Default)]
pub(super) struct Episode {
    last: Option<Instant>,
}

impl Episode {
    /// Notes an occurrence at `now`, and says whether an episode begins with it.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        let begins = self.last.is_none_or(|last| now.duration_since(last) >= APART);
        self.last = Some(now);
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_lasts_as_long_as_something_comes_up() {
        let (mut episode, start) = (Episode::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(episode.begins(at(0)));
        assert!((1..=300).all(|second| !episode.begins(at(second))));
        assert!(!episode.begins(at(359)));
        assert!(episode.begins(at(359) + APART));
    }
}
