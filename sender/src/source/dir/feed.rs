//! The thread that reads a directory, and the lane it feeds.
//!
//! The thread is some chunks ahead of whoever reads the lane, so that the disk and the digests work at the same time.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use bytes::Bytes;
use rustix::fs::{Advice, fadvise};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;
use xbproto::lane::MAX_BLOCK;
use xbproto::pool::Pool;
use xbproto::xbstream::{Opening, encode};

use super::difference::first_difference;
use super::holes::Extents;
use super::inventory::{Entry, Inventory, Stamp, open};
use super::layout::{Chunk, Chunks};
use super::proven::Proven;
use super::{DirError, Happened};

/// Pieces that are read and not taken. A chunk is two of them, its head and its data.
const AHEAD: usize = 8;

/// What the thread has to say.
enum Piece {
    Bytes(Bytes),
    /// All of it was read.
    End,
    Failed(DirError),
}

/// Why the thread stops.
enum Stopped {
    /// Nobody takes what it reads any more.
    Unwanted,
    Failed(DirError),
}

impl From<DirError> for Stopped {
    fn from(error: DirError) -> Stopped {
        Stopped::Failed(error)
    }
}

/// The stream of a directory.
pub(super) struct Feed {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    /// What to say if the thread goes without a word.
    dir: std::path::PathBuf,
    ended: bool,
}

impl Feed {
    /// Starts to read.
    pub(super) fn start(inventory: Inventory) -> io::Result<Feed> {
        let (to, pieces) = mpsc::channel(AHEAD);
        let dir = inventory.dir.clone();
        thread::Builder::new().name("read-dir".into()).spawn(move || {
            let last = match (Reading { inventory, pool: Pool::default(), to: to.clone() }).all() {
                Ok(()) => Piece::End,
                Err(Stopped::Failed(error)) => Piece::Failed(error),
                Err(Stopped::Unwanted) => return,
            };
            let _ = to.blocking_send(last);
        })?;
        Ok(Feed { pieces, current: Bytes::new(), dir, ended: false })
    }
}

impl AsyncRead for Feed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.current.is_empty() && !this.ended {
            match ready!(this.pieces.poll_recv(cx)) {
                Some(Piece::Bytes(bytes)) => this.current = bytes,
                Some(Piece::End) => this.ended = true,
                Some(Piece::Failed(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::Error::other(DirError::Abandoned(this.dir.clone())))),
            }
        }
        let len = this.current.len().min(buf.remaining());
        buf.put_slice(&this.current.split_to(len));
        Poll::Ready(Ok(()))
    }
}

struct Reading {
    inventory: Inventory,
    pool: Pool,
    to: mpsc::Sender<Piece>,
}

impl Reading {
    fn all(&self) -> Result<(), Stopped> {
        let files = &self.inventory.files;
        let mut next = files.first().map(|entry| self.open(entry)).transpose()?;
        for (index, entry) in files.iter().enumerate() {
            // The system fetches the beginning of one while the one before is sent.
            let following = files.get(index + 1).map(|entry| self.open(entry)).transpose()?;
            if let Some(file) = std::mem::replace(&mut next, following) {
                self.file(entry, &file)?;
            }
        }
        Ok(self.check_all()?)
    }

    /// Makes sure that all is still as it was listed, what was sent long ago as well.
    fn check_all(&self) -> Result<(), DirError> {
        let now = Inventory::of(&self.inventory.dir)?;
        let different = first_difference(&self.inventory.files, &now.files);
        different.map_or(Ok(()), |(path, happened)| Err(self.unlike(path, happened)))
    }

    fn open(&self, entry: &Entry) -> Result<File, DirError> {
        let place = self.inventory.place(&entry.path);
        let file = open(&place).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.unlike(&entry.path, Happened::Vanished),
            _ => DirError::Io { doing: "opening", path: place.clone(), error },
        })?;
        self.check(entry, &file)?;
        // Advice only.
        let _ = fadvise(&file, 0, None, Advice::Sequential);
        let _ = fadvise(&file, 0, std::num::NonZeroU64::new(MAX_BLOCK as u64), Advice::WillNeed);
        Ok(file)
    }

    /// Sends a file, and makes sure that it stayed as it was.
    fn file(&self, entry: &Entry, file: &File) -> Result<(), Stopped> {
        let failed = |error| self.reading(entry, error);
        let metadata = file.metadata().map_err(failed)?;
        let reported = Extents::of(file, &metadata).map_err(failed)?;
        for chunk in Chunks::of(Proven::of(file, reported)) {
            self.chunk(entry, file, &chunk.map_err(failed)?)?;
        }
        self.check(entry, file)?;
        self.send(encode::end(&entry.path).map_err(|error| self.unfit(entry, error))?.into())
    }

    fn chunk(&self, entry: &Entry, file: &File, chunk: &Chunk) -> Result<(), Stopped> {
        let mut buffer = self.pool.buffer(chunk.len, 0);
        for (offset, len) in chunk.data() {
            file.read_exact_at(&mut buffer.spare()[..len], offset).map_err(|error| self.reading(entry, error))?;
            buffer.advance(len);
        }
        let head = match chunk.runs.is_empty() {
            true => encode::payload_head(&entry.path, Opening::New, chunk.offset, buffer.as_ref()),
            false => encode::sparse_head(&entry.path, chunk.offset, &chunk.runs, buffer.as_ref()),
        };
        self.send(head.map_err(|error| self.unfit(entry, error))?.into())?;
        self.send(buffer.freeze())
    }

    fn send(&self, bytes: Bytes) -> Result<(), Stopped> {
        self.to.blocking_send(Piece::Bytes(bytes)).map_err(|_| Stopped::Unwanted)
    }

    fn check(&self, entry: &Entry, file: &File) -> Result<(), DirError> {
        let metadata = file.metadata().map_err(|error| self.reading(entry, error))?;
        if Stamp::of(&metadata) == entry.stamp { Ok(()) } else { Err(self.changed(entry)) }
    }

    fn reading(&self, entry: &Entry, error: io::Error) -> DirError {
        match error.kind() {
            // It has become shorter.
            ErrorKind::UnexpectedEof => self.changed(entry),
            _ => DirError::Io { doing: "reading", path: self.inventory.place(&entry.path), error },
        }
    }

    fn changed(&self, entry: &Entry) -> DirError {
        self.unlike(&entry.path, Happened::Changed)
    }

    fn unlike(&self, path: &[u8], happened: Happened) -> DirError {
        DirError::Changed { path: self.inventory.place(path), happened, dir: self.inventory.dir.clone() }
    }

    fn unfit(&self, entry: &Entry, error: encode::EncodeError) -> DirError {
        DirError::Name { path: self.inventory.place(&entry.path), error }
    }
}
