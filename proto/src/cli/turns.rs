//! Backups one after the other: how many are left, and what to end with.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Reporter, Request, Requests, Times};
use crate::failure::Failure;

/// How long to wait after a backup that failed: what made it fail at once may do so again.
const PAUSE: Duration = Duration::from_secs(1);

/// The turns of a program that moves several backups.
#[derive(Debug)]
pub struct Turns {
    left: Times,
    ended: u64,
    failed: u64,
    last_failed: Option<Failure>,
}

impl Turns {
    /// None has ended yet.
    pub fn new(times: Times) -> Turns {
        Turns { left: times, ended: 0, failed: 0, last_failed: None }
    }

    /// The number of the present one, from 1.
    pub fn number(&self) -> u64 {
        self.ended + 1
    }

    /// Whether the present one is the last.
    pub fn is_last(&self) -> bool {
        self.left.after_one().is_none()
    }

    /// One has ended so. Gives how the program ends, if that was the last, or if somebody asks for the end; else tells
    /// of a failure, and lets a moment pass.
    pub async fn ended(
        &mut self,
        result: Result<(), Failure>,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Option<Result<(), Failure>> {
        self.ended += 1;
        self.failed += u64::from(result.is_err());
        let Some(left) = self.left.after_one().filter(|_| requests.asked().is_none()) else {
            return Some(result.and_then(|()| self.verdict()));
        };
        self.left = left;
        if let Err(failure) = result {
            reporter.failed(failure.clone());
            self.last_failed = Some(failure);
            if let Some(asked) = end_within(PAUSE, requests).await {
                return Some(Err(asked));
            }
        }
        reporter.begins_anew();
        None
    }

    fn verdict(&mut self) -> Result<(), Failure> {
        let Some(Failure { cause, party, reason }) = self.last_failed.take() else { return Ok(()) };
        let (failed, ended) = (self.failed, self.ended);
        Err(Failure::new(cause, party, format!("{failed} of {ended} backups failed, the last of them: {reason}")))
    }
}

/// Lets this time pass, unless somebody asks for the end.
async fn end_within(time: Duration, requests: &mut Requests) -> Option<Failure> {
    let until = Instant::now() + time;
    loop {
        tokio::select! {
            biased;
            request = requests.next() => if let Request::End(failure) = request { return Some(failure) },
            () = sleep_until(until) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Event, Face, Moment, Screen, Verbosity};
    use crate::failure::{Cause, Party};

    struct Silent;

    impl Face for Silent {
        fn show(&mut self, _: Moment, _: &Event) {}
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_tells_of_those_that_failed() {
        let reporter = Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal);
        let mut requests = Requests::listen(Party::Sender, None).unwrap();
        let failure = Failure::new(Cause::Sink, Party::Receiver, "the disk is full");
        let mut turns = Turns::new("3".parse().unwrap());
        assert!(turns.ended(Err(failure), &mut requests, &reporter).await.is_none());
        assert!(turns.ended(Ok(()), &mut requests, &reporter).await.is_none());
        let ended = turns.ended(Ok(()), &mut requests, &reporter).await.unwrap().unwrap_err();
        assert_eq!(
            (ended.cause, &ended.reason[..]),
            (Cause::Sink, "1 of 3 backups failed, the last of them: the disk is full")
        );
    }
}
