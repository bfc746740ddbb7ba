//! What goes on around work on stored streams: progress is shown, signals and the deadline are heard.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use xbproto::cli::{Event, Latest, Progress, Reporter, Request, Requests, Setting, Standing, Status, Summary};
use xbproto::failure::Failure;
use xbproto::limit::Limited;
use xbproto::meter::Gauge;
use xbproto::wire::Waiting;

use super::LocalError;
use crate::sink::Interrupter;
use crate::stop::Stop;

/// What work shares with whoever watches it.
pub(super) struct Supervised<F> {
    /// What it is doing, in a few words.
    pub(super) doing: &'static str,
    /// Where it counts.
    pub(super) gauge: Arc<Gauge>,
    /// Ends it early.
    pub(super) stop: Stop,
    /// Ends what a sink does for it.
    pub(super) interrupter: Interrupter,
    /// Bytes there will be, if that is known.
    pub(super) total: Option<u64>,
    /// The file it is at.
    pub(super) file: F,
}

/// How long work took, and what has kept it from being faster.
#[derive(Clone, Debug)]
pub(super) struct Course {
    elapsed: Duration,
    limited: Option<Limited>,
}

impl Course {
    /// What is said at the end: `bytes` were read, `files` came of them, and `reached` is how safe they are.
    pub(super) fn summary(self, bytes: u64, files: Option<u64>, reached: &str) -> Summary {
        let Course { elapsed, limited } = self;
        let average = (bytes as f64 / elapsed.as_secs_f64().max(1e-3)) as u64;
        Summary { bytes, elapsed, average, reached: reached.to_owned(), files, compressed: None, limited }
    }
}

impl<F: Fn() -> Option<String>> Supervised<F> {
    /// Waits for `work`, which obeys the stop.
    ///
    /// # Errors
    /// Why it failed: what was asked for from outside, if it was interrupted.
    pub(super) async fn run<T>(
        self,
        work: impl Future<Output = Result<T, LocalError>>,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<(T, Course), Failure> {
        let (latest, mut asked) = (Latest::default(), None);
        let mut progress = Progress::new(self.gauge.clone(), reporter.clone(), latest.clone());
        let shown = async {
            tokio::select! {
                biased;
                done = work => done,
                () = progress.follow(|| self.standing(), |_| {}) => Err(LocalError::Interrupted),
            }
        };
        let heed = |request| match request {
            Request::End(failure) => {
                asked.get_or_insert(failure);
                self.stop.raise();
                self.interrupter.interrupt();
            }
            Request::Report => reporter.tell(Event::Status(Box::new(self.status(&latest)))),
            // There is no session that it could be about, and no socket.
            Request::Order(_) => {}
        };
        let done = requests.during(shown, heed).await;
        let limited = latest.snapshot().and_then(|snapshot| snapshot.limited);
        match (done, asked) {
            (Ok(value), _) => Ok((value, Course { elapsed: progress.elapsed(), limited })),
            (Err(LocalError::Interrupted), Some(failure)) => Err(failure),
            (Err(error), _) => Err(error.failure()),
        }
    }

    fn standing(&self) -> Standing {
        if let Some(file) = (self.file)() {
            self.gauge.set_file(&file);
        }
        let bytes = self.gauge.sample().bytes;
        Standing {
            bytes,
            before: 0,
            total: self.total,
            peer: Waiting::Nothing,
            linked: true,
            rate_limit: None,
            outgoing: None,
        }
    }

    fn status(&self, latest: &Latest) -> Status {
        Status {
            state: self.doing.to_owned(),
            snapshot: latest.snapshot(),
            setting: Setting::OneHost,
            ..Status::default()
        }
    }
}
