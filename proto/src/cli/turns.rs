//! Backups one after the other: how many are left, and what to end with.

use super::{Reporter, Requests, Times};
use crate::failure::Failure;

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

    /// One has ended so. Gives how the program ends, if that was the last, or if somebody has asked for the end; else tells
    /// of a failure.
    pub fn ended(
        &mut self,
        result: Result<(), Failure>,
        requests: &Requests,
        reporter: &Reporter,
    ) -> Option<Result<(), Failure>> {
        self.ended += 1;
        self.failed += u64::from(result.is_err());
        match self.left.after_one().filter(|_| requests.asked().is_none()) {
            Some(left) => {
                self.left = left;
                if let Err(failure) = result {
                    reporter.failed(failure.clone());
                    self.last_failed = Some(failure);
                }
                None
            }
            None => Some(result.and_then(|()| self.verdict())),
        }
    }

    fn verdict(&mut self) -> Result<(), Failure> {
        let Some(Failure { cause, party, reason }) = self.last_failed.take() else { return Ok(()) };
        let (failed, ended) = (self.failed, self.ended);
        Err(Failure::new(cause, party, format!("{failed} of {ended} backups failed, the last of them: {reason}")))
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

    #[tokio::test]
    async fn the_end_tells_of_those_that_failed() {
        let reporter = Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal);
        let requests = Requests::listen(Party::Sender, None).unwrap();
        let failure = Failure::new(Cause::Sink, Party::Receiver, "the disk is full");
        let mut turns = Turns::new("3".parse().unwrap());
        assert!(turns.ended(Err(failure), &requests, &reporter).is_none());
        assert!(turns.ended(Ok(()), &requests, &reporter).is_none());
        let ended = turns.ended(Ok(()), &requests, &reporter).unwrap().unwrap_err();
        assert_eq!(
            (ended.cause, &ended.reason[..]),
            (Cause::Sink, "1 of 3 backups failed, the last of them: the disk is full")
        );
    }
}
