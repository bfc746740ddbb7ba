//! How long faults last, and how long the programs put up with them.
//!
//! The true times take minutes; `tests/run --full` has them. Otherwise everything is shortened alike: what outlasts what
//! stays the same.

use std::thread;
use std::time::Duration;

use crate::skip::is_full_run;

/// The times of one run.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The silence after which a link is given up: `--peer-timeout`.
    pub peer_timeout: Duration,
    /// How long a sender tries to come back: `--retry-for`.
    pub retry_for: Duration,
    /// A silence that ends no link.
    pub hiccup: Duration,
    /// A time that a program is stopped for. It ends a link.
    pub pause: Duration,
    /// An outage that ends a link.
    pub outage: Duration,
    /// One that almost ends the transfer.
    pub long_outage: Duration,
    /// One that ends it.
    pub endless_outage: Duration,
}

const TRUE: Pace = Pace {
    peer_timeout: Duration::from_secs(15),
    retry_for: Duration::from_secs(300),
    hiccup: Duration::from_secs(3),
    pause: Duration::from_secs(60),
    outage: Duration::from_secs(45),
    long_outage: Duration::from_secs(240),
    endless_outage: Duration::from_secs(360),
};

const SHORT: Pace = Pace {
    peer_timeout: Duration::from_secs(2),
    retry_for: Duration::from_secs(12),
    hiccup: Duration::from_millis(300),
    pause: Duration::from_secs(4),
    outage: Duration::from_secs(4),
    long_outage: Duration::from_secs(9),
    endless_outage: Duration::from_secs(18),
};

impl Pace {
    /// That of this run.
    pub fn of_this_run() -> Pace {
        if is_full_run() { TRUE } else { SHORT }
    }

    /// The same, but a link that is lost is the end: nobody tries to come back, and nobody waits.
    pub fn without_retry(self) -> Pace {
        Pace { retry_for: Duration::ZERO, ..self }
    }

    /// What tells a receiver.
    pub fn receiver_options(&self) -> [String; 2] {
        ["--peer-timeout".into(), seconds(self.peer_timeout)]
    }

    /// What tells a sender.
    pub fn sender_options(&self) -> [String; 4] {
        let [option, timeout] = self.receiver_options();
        [option, timeout, "--retry-for".into(), seconds(self.retry_for)]
    }
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}

/// Lets that time go by.
pub fn pass(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_times_is_the_same_in_both() {
        for pace in [TRUE, SHORT] {
            let Pace { peer_timeout, retry_for, hiccup, pause, outage, long_outage, endless_outage } = pace;
            assert!(hiccup < peer_timeout && peer_timeout < outage.min(pause) && outage < long_outage);
            assert!(long_outage.max(pause) < retry_for && retry_for + peer_timeout < endless_outage);
        }
    }
}
