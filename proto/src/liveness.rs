//! How a living peer is told from a lost one: by its QUIC's signs of life, never by its bytes. The thread
//! that drives QUIC is the one that serves the session, so where the one answers the other is alive.

use std::time::Duration;

/// The time between two heart-beats, unless the peer timeout is so short that they must be closer.
const BEAT: Duration = Duration::from_secs(1);

/// Heart-beats that fit into a peer timeout at least: a few may be lost.
const BEATS: u32 = 4;

/// After how long a silent peer is taken for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    peer_timeout: Duration,
}

/// A peer timeout that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer timeout is at least 1 s and at most 1 h")]
pub struct LivenessError;

impl Default for Liveness {
    fn default() -> Liveness {
        Liveness::DEFAULT
    }
}

impl Liveness {
    /// 15 seconds: the server's locks wait as long.
    pub const DEFAULT: Liveness = Liveness { peer_timeout: Duration::from_secs(15) };

    /// Takes a peer for lost after `peer_timeout` without a sign of life.
    ///
    /// # Errors
    /// [`LivenessError`] when a busy host would seem lost, or a lost one alive for an hour.
    pub fn new(peer_timeout: Duration) -> Result<Liveness, LivenessError> {
        let sane = Duration::from_secs(1)..=Duration::from_secs(3600);
        sane.contains(&peer_timeout).then_some(Liveness { peer_timeout }).ok_or(LivenessError)
    }

    /// After how long a silent peer is lost.
    pub fn peer_timeout(self) -> Duration {
        self.peer_timeout
    }

    /// The time between two heart-beats.
    pub fn heartbeat(self) -> Duration {
        BEAT.min(self.peer_timeout / BEATS)
    }

    /// QUIC's idle timeout. QUIC begins to count anew with the first packet it sends into the silence,
    /// which is a heart-beat; so it has to count one less.
    pub fn idle_timeout(self) -> Duration {
        self.peer_timeout - self.heartbeat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_peer_is_noticed_in_time_and_a_living_one_never_taken_for_lost() {
        for seconds in [1, 2, 15, 3600] {
            let liveness = Liveness::new(Duration::from_secs(seconds)).expect("in range");
            assert!(liveness.idle_timeout() + liveness.heartbeat() <= liveness.peer_timeout());
            assert!(liveness.heartbeat() * 3 <= liveness.idle_timeout());
        }
        assert!(Liveness::new(Duration::from_millis(999)).is_err());
        assert!(Liveness::new(Duration::from_secs(3601)).is_err());
    }
}
