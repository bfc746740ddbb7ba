//! A lane whose bytes, pauses and failures are written down beforehand.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};
use xbproto::lane::LaneId;
use xbsend::source::LaneInput;

use super::pattern::Pattern;
use super::{Event, Log};

/// What a source does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Gives so many bytes, as fast as they are taken.
    Give(u64),
    /// Has nothing for a while.
    Pause(Duration),
    /// Breaks.
    Fail(io::ErrorKind),
}

/// A source that does `steps` and is then at its end.
pub fn lane(lane: LaneId, steps: &[Step], pattern: Pattern, log: &Log) -> LaneInput {
    let script =
        Script { lane, steps: steps.iter().copied().collect(), offset: 0, pause: None, pattern, log: log.clone() };
    LaneInput::new("-", move || Ok(Box::new(script)))
}

/// How many bytes `steps` give.
pub fn len(steps: &[Step]) -> u64 {
    steps.iter().map(|step| if let Step::Give(len) = step { *len } else { 0 }).sum()
}

struct Script {
    lane: LaneId,
    steps: VecDeque<Step>,
    offset: u64,
    /// The pause that is running.
    pause: Option<Pin<Box<Sleep>>>,
    pattern: Pattern,
    log: Log,
}

impl AsyncRead for Script {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.steps.front_mut() {
                Some(Step::Give(0)) => {}
                Some(Step::Give(left)) => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.remaining());
                    self.give(most, buffer);
                    return Poll::Ready(Ok(()));
                }
                Some(Step::Pause(time)) => {
                    let time = *time;
                    let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(time)));
                    ready!(pause.as_mut().poll(cx));
                    self.pause = None;
                }
                Some(Step::Fail(kind)) => return Poll::Ready(Err((*kind).into())),
                None => return Poll::Ready(Ok(())),
            }
            self.steps.pop_front();
        }
    }
}

impl Script {
    fn give(&mut self, most: usize, buffer: &mut ReadBuf<'_>) {
        let bytes = self.pattern.at(self.offset, most);
        buffer.put_slice(bytes);
        let len = bytes.len() as u64;
        self.offset += len;
        if let Some(Step::Give(left)) = self.steps.front_mut() {
            *left -= len;
        }
        self.log.note(Event::Given(self.lane, self.offset));
    }
}
