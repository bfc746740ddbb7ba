//! Sources that are only read: a file, a FIFO, a device, the standard input.
//!
//! The end of their bytes is all they say, so the only failure to be seen is that there were none.

use std::fs::OpenOptions;
use std::io::{self, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::{Advice, OFlags, fadvise};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::oneshot;

use super::fd::FdReader;
use super::fifo::Synced;
use super::{Ending, Kind, LaneInput, LaneReader, Lead, OnNote, Origin, SourceError, Started};

/// The end of sources that are only read.
#[derive(Debug)]
pub(super) struct Inputs(Vec<Input>);

impl Inputs {
    /// Waits for the end of all. One may be empty, as a FIFO stream that no file fell to; all of them may not.
    pub(super) async fn verdict(&mut self) -> Result<(), SourceError> {
        let mut total = 0;
        for input in &mut self.0 {
            total += input.total().await?;
        }
        let names = || self.0.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(", ");
        if total == 0 { Err(SourceError::Empty { name: names() }) } else { Ok(()) }
    }
}

/// The end of one of them.
#[derive(Debug)]
struct Input {
    name: String,
    /// Says how many bytes there were, at the end.
    end: oneshot::Receiver<u64>,
    /// What `end` said, once it has spoken; `None` inside if the reader was dropped before the end.
    total: Option<Option<u64>>,
}

impl Input {
    /// Waits for the end, and gives the bytes there were.
    async fn total(&mut self) -> Result<u64, SourceError> {
        let total = match self.total {
            Some(total) => total,
            None => *self.total.insert((&mut self.end).await.ok()),
        };
        total.ok_or_else(|| SourceError::Abandoned { name: self.name.clone() })
    }
}

/// One of them, opened.
struct Opened {
    lane: LaneInput,
    input: Input,
    /// What it has to give, where that is known.
    length: Option<u64>,
}

/// These, opened, and the length of all together where it is known.
pub(super) fn open(origins: &[Origin], lead: Lead, on_note: &OnNote) -> Result<(Started, Option<u64>), SourceError> {
    let (mut lanes, mut inputs, mut length) = (Vec::new(), Vec::new(), Some(0));
    for origin in origins {
        let opened = match origin {
            Origin::Stdin => opened(stdin_fd()?, "-".to_owned(), None),
            Origin::File(path) => file(path, lead, on_note),
        }?;
        lanes.push(opened.lane);
        inputs.push(opened.input);
        length = length.zip(opened.length).map(|(sum, more): (u64, u64)| sum.saturating_add(more));
    }
    Ok((Started { lanes, ending: Ending(Kind::Inputs(Inputs(inputs))) }, length))
}

/// The length that [`open`] would find, without opening anything: a FIFO's writer would take notice.
pub(super) fn length(origins: &[Origin]) -> Result<Option<u64>, SourceError> {
    let lengths = origins.iter().map(|origin| match origin {
        Origin::Stdin => length_of_stdin(),
        Origin::File(path) => length_of_file(path),
    });
    let lengths: Option<Vec<u64>> = lengths.collect::<Result<Option<Vec<u64>>, _>>()?;
    Ok(lengths.map(|lengths| lengths.into_iter().fold(0, u64::saturating_add)))
}

/// The file, FIFO or device at `path`.
fn file(path: &Path, lead: Lead, on_note: &OnNote) -> Result<Opened, SourceError> {
    let name = path.display().to_string();
    // Without O_NONBLOCK, opening a FIFO would block until somebody writes to it.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => {
            // The disk is to be ahead of us. Advice only, and for a FIFO none.
            let _ = fadvise(&file, 0, None, Advice::Sequential);
            let is_fifo = file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo());
            let on_note = (is_fifo && lead == Lead::SyncByte).then(|| on_note.clone());
            opened(file.into(), name, on_note)
        }
        Err(error) => Err(SourceError::Open { name, error }),
    }
}

fn length_of_file(path: &Path) -> Result<Option<u64>, SourceError> {
    let length = std::fs::metadata(path).and_then(|metadata| full_length(&metadata));
    length.map_err(|error| SourceError::Open { name: path.display().to_string(), error })
}

fn length_of_stdin() -> Result<Option<u64>, SourceError> {
    remaining(&stdin_fd()?.into()).map_err(|error| SourceError::Open { name: "stdin".to_owned(), error })
}

fn stdin_fd() -> Result<OwnedFd, SourceError> {
    let fd = io::stdin().as_fd().try_clone_to_owned();
    fd.map_err(|error| SourceError::Open { name: "stdin".to_owned(), error })
}

/// A lane of what `fd` reads. With `on_note`, a byte before the stream is dropped and told.
fn opened(fd: OwnedFd, name: String, on_note: Option<OnNote>) -> Result<Opened, SourceError> {
    // `-` is what sha1sum calls it, not what a person does.
    let spoken = if name == "-" { "stdin".to_owned() } else { name.clone() };
    let file = std::fs::File::from(fd);
    let length = remaining(&file).map_err(|error| SourceError::Open { name: spoken.clone(), error })?;
    let (at_end, end) = oneshot::channel();
    let of_lane = name.clone();
    let open = move || -> io::Result<LaneReader> {
        let inner = FdReader::new(file.into())?;
        Ok(match on_note {
            None => Box::new(Counted { inner, total: 0, at_end: Some(at_end) }),
            Some(on_note) => {
                Box::new(Counted { inner: Synced::new(inner, name, on_note), total: 0, at_end: Some(at_end) })
            }
        })
    };
    let input = Input { name: spoken, end, total: None };
    Ok(Opened { lane: LaneInput::new(of_lane, open), input, length })
}

/// How many bytes a regular file has left from where it stands; `None` for anything else.
fn remaining(mut file: &std::fs::File) -> io::Result<Option<u64>> {
    match full_length(&file.metadata()?)? {
        Some(length) => Ok(Some(length.saturating_sub(file.stream_position()?))),
        None => Ok(None),
    }
}

/// The length of a regular file; `None` for what has none. A directory is an error.
fn full_length(metadata: &std::fs::Metadata) -> io::Result<Option<u64>> {
    match metadata.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(metadata.is_file().then_some(metadata.len())),
    }
}

/// Counts what it reads, and tells the total when it comes to the end.
struct Counted<R> {
    inner: R,
    total: u64,
    at_end: Option<oneshot::Sender<u64>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.remaining();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        let len = before - buf.remaining();
        this.total += len as u64;
        if len == 0 && before > 0 {
            // Nobody may be waiting for a verdict any more.
            this.at_end.take().map(|at_end| at_end.send(this.total));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
