//! The threads of a source's lanes.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::task::JoinSet;
use xbproto::cli::Reporter;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::LaneId;
use xbproto::meter::Gauge;
use xbproto::place::{Panicked, Place};
use xbproto::session::Sender;
use xbproto::shared::Shared;

use crate::fill::Filler;
use crate::pump::{Pump, PumpError, Pumped};
use crate::source::LaneInput;
use crate::spool::{Spool, SpoolError};
use crate::tap::{Expect, Watch};

/// The end of a lane's thread: it has done its part, failed, or stopped.
pub type LaneEnd = Result<Result<Pumped, PumpError>, Panicked>;

/// What the threads of all lanes work with.
#[derive(Clone, Copy, Debug)]
pub struct LaneThreads<'a> {
    /// Watches the stream that the lanes make together.
    pub watch: &'a Watch,
    /// Where the bytes are queued, if they are.
    pub spool: Option<&'a Spool>,
    /// The session they are part of.
    pub session: &'a Arc<Shared<Sender>>,
    /// Where waiting is counted.
    pub gauge: &'a Arc<Gauge>,
    /// Hears how the spool is used.
    pub reporter: &'a Reporter,
}

/// Why a lane was not set going.
#[derive(Debug, thiserror::Error)]
enum LaneError {
    #[error("starting a thread for a lane: {0}")]
    Thread(#[from] io::Error),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl LaneError {
    fn cause(&self) -> Cause {
        match self {
            LaneError::Thread(_) => Cause::Unforeseen,
            LaneError::Spool(error) => error.cause(),
        }
    }
}

impl LaneThreads<'_> {
    /// Starts a thread for each lane that pumps it, and with a spool one more that fills it. What cannot be started
    /// ends the session.
    pub fn start(self, lanes: Vec<LaneInput>) -> JoinSet<LaneEnd> {
        let (mut threads, of) = (JoinSet::new(), lanes.len());
        for (lane, input) in (0..).map(LaneId).zip(lanes) {
            let started = match self.spool {
                Some(spool) => self.start_spooled(&mut threads, lane, of, input, spool),
                None => self.start_pump(&mut threads, lane, input, self.watch),
            };
            if let Err(error) = started {
                self.session.change(|s| s.fail(Failure::new(error.cause(), Party::Sender, error)));
            }
        }
        threads
    }

    fn start_spooled(
        self,
        threads: &mut JoinSet<LaneEnd>,
        lane: LaneId,
        of: usize,
        input: LaneInput,
        spool: &Spool,
    ) -> Result<(), LaneError> {
        let (inlet, outlet) = spool.lane(of, self.reporter)?;
        let name = input.name().to_owned();
        let (session, gauge) = (self.session.clone(), self.gauge.clone());
        let filler = Filler { lane, tap: self.watch.tap(), inlet, session, gauge };
        start(threads, format!("fill-{}", lane.0), move || filler.run(input))?;
        // What comes out was watched before it went in.
        self.start_pump(threads, lane, LaneInput::new(name, || Ok(Box::new(outlet))), &Watch::new(Expect::Raw))
    }

    fn start_pump(
        self,
        threads: &mut JoinSet<LaneEnd>,
        lane: LaneId,
        input: LaneInput,
        watch: &Watch,
    ) -> Result<(), LaneError> {
        let pump = Pump { lane, tap: watch.tap(), session: self.session.clone(), gauge: self.gauge.clone() };
        start(threads, format!("pump-{}", lane.0), move || pump.run(input))
    }
}

fn start<F>(
    threads: &mut JoinSet<LaneEnd>,
    name: String,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<(), LaneError>
where
    F: Future<Output = Result<Pumped, PumpError>> + 'static,
{
    threads.spawn(Place::Threads.start(&name, work)?.finished());
    Ok(())
}
