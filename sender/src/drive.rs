//! The source of a session, from its start to its verdict.

use std::sync::Arc;
use std::time::Duration;

use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::LaneId;
use xbproto::meter::Gauge;
use xbproto::place::{Place, Work};
use xbproto::session::Sender;
use xbproto::shared::Shared;

use crate::pump::{Pump, PumpError, Pumped};
use crate::source::{Ending, SourceError, Started};
use crate::tap::{Expect, TapError, Watch};

/// How long a source whose stream has ended early may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How long a lane's thread may take to notice that the session is over.
const LEAVE: Duration = Duration::from_secs(2);

/// Pumps the source into the session and tells it the source's verdict; returns when the session
/// is over. The source has ended then.
pub async fn drive(
    started: Started,
    expect: Expect,
    session: &Arc<Shared<Sender>>,
    gauge: &Arc<Gauge>,
    reporter: &Reporter,
) {
    let Started { lanes, mut ending, name, .. } = started;
    let watch = Watch::new(expect);
    let mut pumps = Vec::new();
    for (number, input) in lanes.into_iter().enumerate() {
        let lane = LaneId(number as u16);
        let pump = Pump { lane, tap: watch.tap(), session: session.clone(), gauge: gauge.clone() };
        match Place::Threads.start(&format!("pump-{number}"), move || pump.run(input)) {
            Ok(work) => pumps.push(work),
            Err(error) => session.change(|s| s.fail(Failure::new(Cause::Unforeseen, Party::Sender, error))),
        }
    }
    let over = session.when(|s| s.outcome().map(|_| ()));
    tokio::select! {
        biased;
        () = over => {}
        verdict = verdict(&mut pumps, &mut ending, &watch, &name) => match verdict {
            Ok(()) => session.change(Sender::source_succeeded),
            Err(error) => {
                session.change(|s| s.fail(Failure::new(error.cause(), Party::Sender, &error)));
                repeat_last_lines(&error, reporter);
            }
        }
    }
    session.when(|s| s.outcome().map(|_| ())).await;
    ending.stop().await;
    for pump in pumps {
        // A lane that waits in a read nobody ends (a stalled network file) is left to the process's end.
        let _ = tokio::time::timeout(LEAVE, pump.finished()).await;
    }
}

/// What may be wrong with a source.
#[derive(Debug, thiserror::Error)]
enum DriveError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Tap(#[from] TapError),
    #[error("a lane's thread stopped: {0}")]
    Thread(#[from] xbproto::place::Panicked),
}

impl DriveError {
    fn cause(&self) -> Cause {
        match self {
            DriveError::Source(error) => error.cause(),
            DriveError::Tap(error) => error.cause(),
            DriveError::Thread(_) => Cause::Unforeseen,
        }
    }
}

/// Waits for the end of all lanes and of the source. A stream that ends too early is the source's
/// failure if the source failed, and only else the stream's own.
async fn verdict(
    pumps: &mut Vec<Work<Result<Pumped, PumpError>>>,
    ending: &mut Ending,
    watch: &Watch,
    name: &str,
) -> Result<(), DriveError> {
    let mut bytes = 0;
    let mut cut = None;
    while let Some(pump) = pumps.pop() {
        match pump.finished().await? {
            Ok(Pumped::All(len)) => bytes += len,
            Ok(Pumped::Stopped) => {}
            Err(PumpError::Tap(error @ TapError::Cut(_))) => cut = Some(error),
            Err(PumpError::Tap(error)) => return Err(error.into()),
            Err(PumpError::Read(error)) => return Err(SourceError::Read { name: name.to_owned(), error }.into()),
        }
    }
    if let Some(cut) = cut {
        return match tokio::time::timeout(LAST_WORDS, ending.verdict()).await {
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(())) | Err(_) => Err(cut.into()),
        };
    }
    ending.verdict().await?;
    if bytes == 0 {
        return Err(SourceError::Silent { name: name.to_owned() }.into());
    }
    Ok(watch.complete()?)
}

/// What the tool said last is what a person looks for first.
fn repeat_last_lines(error: &DriveError, reporter: &Reporter) {
    let DriveError::Source(error) = error else { return };
    let lines = error.last_lines();
    if !lines.is_empty() {
        reporter.tell(Event::Warning("the last lines of the backup were:".to_owned()));
    }
    for line in lines {
        reporter.tell(Event::Child { label: "backup", line: line.clone() });
    }
}
