//! Coming back after a link is lost: how long, and how often.

use std::time::Duration;

/// The first pause between two attempts.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause: a link that is back is found within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How much longer than its dialer a listener waits. The two may notice a loss a peer timeout apart,
/// and the sender's last attempt must still find somebody.
pub const GRACE: Duration = Duration::from_secs(30);

/// The longest a receiver waits for a sender to come back, whatever the sender asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 86_400);

/// How long a listener waits for a dialer that tries to come back for `retry_for`; not at all for one
/// that never tries.
pub fn listener_waits(retry_for: Duration) -> Duration {
    if retry_for.is_zero() { Duration::ZERO } else { retry_for.min(LONGEST_WAIT) + GRACE }
}

/// The pauses between attempts: each up to twice as long as the one before, and none exactly so long
/// as another sender's.
#[derive(Clone, Debug)]
pub struct Backoff {
    seed: u64,
    next: Duration,
}

impl Backoff {
    /// Begins with the shortest pause. Everything random about it follows from `seed`.
    pub fn new(seed: u64) -> Backoff {
        Backoff { seed, next: FIRST }
    }

    /// How long to wait now: between half of the present step and all of it. The step doubles.
    pub fn pause(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(LONGEST_PAUSE);
        // A linear congruential step (Knuth's MMIX constants): spread is wanted, not secrecy.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = (self.seed >> 40) as f64 / (1u64 << 24) as f64;
        step.mul_f64(0.5 + part / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_never_leave_their_step() {
        for seed in [0, 1, u64::MAX] {
            let mut backoff = Backoff::new(seed);
            let mut step = FIRST;
            for _ in 0..20 {
                let pause = backoff.pause();
                assert!(pause >= step / 2 && pause <= step, "{pause:?} of {step:?}");
                step = (step * 2).min(LONGEST_PAUSE);
            }
        }
    }

    #[test]
    fn two_senders_do_not_come_back_in_step() {
        let (mut one, mut other) = (Backoff::new(1), Backoff::new(2));
        assert!((0..5).all(|_| one.pause() != other.pause()));
    }

    #[test]
    fn a_listener_waits_longer_than_its_sender_tries() {
        assert_eq!(listener_waits(Duration::from_secs(300)), Duration::from_secs(330));
        assert_eq!(listener_waits(Duration::ZERO), Duration::ZERO);
        assert_eq!(listener_waits(Duration::MAX), LONGEST_WAIT + GRACE);
    }
}
