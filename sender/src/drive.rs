//! The source of a session, from its start to its verdict.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use xbproto::backup::BackupFacts;
use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::meter::Gauge;
use xbproto::place::Panicked;
use xbproto::session::Sender;
use xbproto::shared::Shared;

use crate::lanes::{LaneEnd, LaneThreads};
use crate::pump::{PumpError, Pumped};
use crate::source::{Ending, SourceError, Started};
use crate::spool::{Spool, SpoolError};
use crate::tap::{Expect, TapError, Watch};

/// How long a source whose stream was cut may go on before it is stopped.
const CUT_SHORT: Duration = Duration::from_secs(1);

/// How long a lane may take to say that it failed, when its source has failed as well.
const FIRST_CAUSE: Duration = Duration::from_millis(500);

/// How long the lanes' threads may take to notice that the session is over.
const LEAVE: Duration = Duration::from_secs(2);

/// Pumps the source into the session, by way of a spool if there is one, and tells it the source's verdict; returns
/// when the session is over, with what the source has said of the backup. The source has ended then.
pub async fn drive(
    started: Started,
    expect: Expect,
    spool: Option<&Spool>,
    session: &Arc<Shared<Sender>>,
    gauge: &Arc<Gauge>,
    reporter: &Reporter,
) -> BackupFacts {
    let Started { lanes, mut ending } = started;
    let watch = Watch::new(expect);
    let mut pumps = LaneThreads { watch: &watch, spool, session, gauge, reporter }.start(lanes);
    let over = session.when(|s| s.outcome().map(|_| ()));
    tokio::select! {
        biased;
        () = over => {}
        verdict = verdict(&mut pumps, &mut ending, &watch) => match verdict {
            Ok(()) => session.change(Sender::source_succeeded),
            Err(error) => {
                session.change(|s| s.fail(Failure::new(error.cause(), Party::Sender, &error)));
                repeat_last_lines(&error, reporter);
            }
        }
    }
    session.when(|s| s.outcome().map(|_| ())).await;
    ending.stop().await;
    // A lane that waits in a read nobody ends (a stalled network file) is left to the process's end.
    let _ = timeout(LEAVE, async { while pumps.join_next().await.is_some() {} }).await;
    watch.facts()
}

/// What may be wrong with a source.
#[derive(Debug, thiserror::Error)]
enum DriveError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Tap(#[from] TapError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Thread(#[from] Panicked),
    #[error("waiting for a lane: {0}")]
    Wait(#[from] JoinError),
}

impl DriveError {
    fn cause(&self) -> Cause {
        match self {
            DriveError::Source(error) => error.cause(),
            DriveError::Tap(error) => error.cause(),
            DriveError::Spool(error) => error.cause(),
            DriveError::Thread(_) | DriveError::Wait(_) => Cause::Unforeseen,
        }
    }
}

/// Waits for the end of all lanes and of the source, and judges both.
async fn verdict(pumps: &mut JoinSet<LaneEnd>, ending: &mut Ending, watch: &Watch) -> Result<(), DriveError> {
    let bytes = match read_lanes(pumps, ending).await {
        Err(DriveError::Tap(cut @ TapError::Cut(_))) => return Err(explain(cut, ending).await),
        bytes => bytes?,
    };
    ending.verdict().await?;
    if bytes == 0 {
        return Err(SourceError::Silent.into());
    }
    Ok(watch.complete()?)
}

/// Waits for the end of all lanes, and gives their bytes; or for the failure of their source, for what a
/// command leaves behind may keep its lane open long after it has failed.
async fn read_lanes(pumps: &mut JoinSet<LaneEnd>, ending: &mut Ending) -> Result<u64, DriveError> {
    let mut lanes = pin!(all_lanes(pumps));
    let early = tokio::select! {
        biased;
        bytes = &mut lanes => return bytes,
        early = ending.verdict() => early,
    };
    let Err(error) = early else { return lanes.await };
    // A lane that has failed is not read any more, and that makes its source fail.
    match timeout(FIRST_CAUSE, lanes).await {
        Ok(Err(first)) if !matches!(first, DriveError::Tap(TapError::Cut(_))) => Err(first),
        _ => Err(error.into()),
    }
}

/// Waits for the end of all lanes, or the first that fails, whichever it is.
async fn all_lanes(pumps: &mut JoinSet<LaneEnd>) -> Result<u64, DriveError> {
    let mut bytes = 0;
    while let Some(end) = pumps.join_next().await {
        match end?? {
            Ok(Pumped::All(len)) => bytes += len,
            Ok(Pumped::Spooled | Pumped::Stopped) => {}
            Err(PumpError::Tap(error)) => return Err(error.into()),
            Err(PumpError::Spool(error)) => return Err(error.into()),
            Err(PumpError::Read { name, error }) => return Err(SourceError::Read { name, error }.into()),
        }
    }
    Ok(bytes)
}

/// A stream that was cut is the source's failure if the source has failed, and only else the stream's own.
async fn explain(cut: TapError, ending: &mut Ending) -> DriveError {
    if timeout(CUT_SHORT, ending.ended()).await.is_err() {
        return cut.into();
    }
    ending.verdict().await.map_or_else(DriveError::from, |()| cut.into())
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

#[cfg(test)]
mod tests;
