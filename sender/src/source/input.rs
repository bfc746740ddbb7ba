//! Sources that are only read: a file, a FIFO, a device, the standard input.
//!
//! The end of their bytes is all they say, so the only failure to be seen is that there were none.

use std::fs::OpenOptions;
use std::io::{self, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::{Advice, OFlags, fadvise};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::oneshot;

use super::fd::FdReader;
use super::{Ending, Kind, LaneInput, LaneReader, SourceError, Started};

/// The end of a source that is only read.
#[derive(Debug)]
pub(super) struct Input {
    name: String,
    /// Says how many bytes there were, at the end.
    end: oneshot::Receiver<u64>,
    /// What `end` said, once it has spoken; `None` inside if the reader was dropped before the end.
    total: Option<Option<u64>>,
}

impl Input {
    pub(super) async fn verdict(&mut self) -> Result<(), SourceError> {
        let total = match self.total {
            Some(total) => total,
            None => *self.total.insert((&mut self.end).await.ok()),
        };
        let name = self.name.clone();
        match total {
            Some(0) => Err(SourceError::Empty { name }),
            Some(_) => Ok(()),
            None => Err(SourceError::Abandoned { name }),
        }
    }
}

/// The file, FIFO or device at `path`, opened, and its length where it has one.
pub(super) fn file(path: &Path) -> Result<(Started, Option<u64>), SourceError> {
    let name = path.display().to_string();
    // Without O_NONBLOCK, opening a FIFO would block until somebody writes to it.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => {
            // The disk is to be ahead of us. Advice only, and for a FIFO none.
            let _ = fadvise(&file, 0, None, Advice::Sequential);
            started(file.into(), name)
        }
        Err(error) => Err(SourceError::Open { name, error }),
    }
}

/// The standard input, and what a regular file has left there.
pub(super) fn stdin() -> Result<(Started, Option<u64>), SourceError> {
    started(stdin_fd()?, "-".to_owned())
}

/// The length that [`file()`] would find, without opening anything: a FIFO's writer would take notice.
pub(super) fn length_of_file(path: &Path) -> Result<Option<u64>, SourceError> {
    let length = std::fs::metadata(path).and_then(|metadata| length(&metadata));
    length.map_err(|error| SourceError::Open { name: path.display().to_string(), error })
}

/// The length that [`stdin`] would find.
pub(super) fn length_of_stdin() -> Result<Option<u64>, SourceError> {
    remaining(&stdin_fd()?.into()).map_err(|error| SourceError::Open { name: "stdin".to_owned(), error })
}

fn stdin_fd() -> Result<OwnedFd, SourceError> {
    let fd = io::stdin().as_fd().try_clone_to_owned();
    fd.map_err(|error| SourceError::Open { name: "stdin".to_owned(), error })
}

fn started(fd: OwnedFd, name: String) -> Result<(Started, Option<u64>), SourceError> {
    // `-` is what sha1sum calls it, not what a person does.
    let spoken = if name == "-" { "stdin".to_owned() } else { name.clone() };
    let file = std::fs::File::from(fd);
    let length = remaining(&file).map_err(|error| SourceError::Open { name: spoken.clone(), error })?;
    let (at_end, end) = oneshot::channel();
    let open = move || -> io::Result<LaneReader> {
        Ok(Box::new(Counted { inner: FdReader::new(file.into())?, total: 0, at_end: Some(at_end) }))
    };
    let ending = Ending(Kind::Input(Input { name: spoken, end, total: None }));
    Ok((Started { lanes: vec![LaneInput::new(open)], ending, name }, length))
}

/// How many bytes a regular file has left from where it stands; `None` for anything else.
fn remaining(mut file: &std::fs::File) -> io::Result<Option<u64>> {
    match length(&file.metadata()?)? {
        Some(length) => Ok(Some(length.saturating_sub(file.stream_position()?))),
        None => Ok(None),
    }
}

/// The length of a regular file; `None` for what has none. A directory is an error.
fn length(metadata: &std::fs::Metadata) -> io::Result<Option<u64>> {
    match metadata.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(metadata.is_file().then_some(metadata.len())),
    }
}

/// Counts what it reads, and tells the total when it comes to the end.
struct Counted {
    inner: FdReader,
    total: u64,
    at_end: Option<oneshot::Sender<u64>>,
}

impl AsyncRead for Counted {
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
mod tests {
    use std::io::Write;

    use tokio::io::AsyncReadExt;
    use xbproto::failure::Cause;

    use super::*;

    async fn read(started: &mut Started) -> Vec<u8> {
        let mut all = Vec::new();
        started.lanes.remove(0).open().unwrap().read_to_end(&mut all).await.unwrap();
        all
    }

    #[tokio::test]
    async fn a_file_knows_its_length_and_ends_well() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"backup").unwrap();
        let (mut started, length) = super::file(file.path()).unwrap();
        assert_eq!((length, length_of_file(file.path()).unwrap()), (Some(6), Some(6)));
        assert_eq!(started.name, file.path().to_str().unwrap());
        assert_eq!(read(&mut started).await, b"backup");
        started.ending.verdict().await.unwrap();
        started.ending.verdict().await.unwrap();
    }

    #[tokio::test]
    async fn the_length_counts_from_where_the_file_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"header and body").unwrap();
        file.seek(io::SeekFrom::Start(11)).unwrap();
        assert_eq!(started(file.into(), "-".into()).unwrap().1, Some(4));
    }

    #[tokio::test]
    async fn an_empty_stdin_is_a_failed_source_that_names_the_cure() {
        let (reader, _) = io::pipe().unwrap();
        let (mut started, length) = started(reader.into(), "-".into()).unwrap();
        assert_eq!((length, started.name.as_str()), (None, "-"));
        assert_eq!(read(&mut started).await, b"");
        let error = started.ending.verdict().await.unwrap_err();
        assert_eq!(error.cause(), Cause::Source);
        let said = "stdin was empty; name the backup command after `--`, so that its failure is seen";
        assert_eq!(error.to_string(), said);
    }

    #[tokio::test]
    async fn a_reader_dropped_before_the_end_is_no_good_ending() {
        let (reader, writer) = io::pipe().unwrap();
        let (mut started, _) = started(reader.into(), "-".into()).unwrap();
        (&writer).write_all(b"half").unwrap();
        let mut lane = started.lanes.remove(0).open().unwrap();
        lane.read_exact(&mut [0; 4]).await.unwrap();
        drop(lane);
        assert_eq!(started.ending.verdict().await.unwrap_err().to_string(), "stdin was not read to its end");
    }

    #[tokio::test]
    async fn a_fifo_waits_for_its_first_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let (mut started, _) = super::file(&path).unwrap();
        let writing = tokio::spawn(async move {
            tokio::task::yield_now().await;
            tokio::task::spawn_blocking(move || std::fs::write(path, "late")).await.unwrap()
        });
        assert_eq!(read(&mut started).await, b"late");
        writing.await.unwrap().unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for (path, said) in [("/", "opening /: is a directory"), ("/no/such", "opening /no/such: No such file")] {
            let error = super::file(Path::new(path)).unwrap_err();
            assert!(error.to_string().starts_with(said), "{error}");
            assert_eq!(error.cause(), Cause::Source);
        }
    }
}
