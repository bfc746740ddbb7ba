//! Waiting, counted while it lasts.

use std::future::Future;
use std::time::Duration;

use tokio::pin;
use tokio::time::{Instant, timeout};

use crate::meter::{Bottleneck, Gauge};

/// How often a wait that goes on is counted: more often than anybody looks.
const TICK: Duration = Duration::from_millis(200);

/// Does what `future` does, and counts the time it takes as waiting for `whom`. A long wait is seen in
/// the gauge before it is over.
pub async fn waiting_for<F: Future>(whom: Bottleneck, gauge: &Gauge, future: F) -> F::Output {
    pin!(future);
    loop {
        let begun = Instant::now();
        let done = timeout(TICK, &mut future).await;
        gauge.add_wait(whom, begun.elapsed());
        if let Ok(output) = done {
            return output;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::meter::Waits;

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_lasts_is_seen() {
        let gauge = Gauge::default();
        let before = gauge.sample();
        let forever = waiting_for(Bottleneck::Disk, &gauge, std::future::pending::<()>());
        assert!(timeout(Duration::from_secs(1), forever).await.is_err());
        assert_eq!(Waits::between(&before, &gauge.sample()).longest(), Some(Bottleneck::Disk));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_given() {
        let slow = async {
            sleep(Duration::from_secs(5)).await;
            7
        };
        assert_eq!(waiting_for(Bottleneck::Source, &Gauge::default(), slow).await, 7);
    }
}
