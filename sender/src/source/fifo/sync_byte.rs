//! The byte before a FIFO stream.
//!
//! xtrabackup writes one byte into each FIFO as soon as it has opened it, for a reader that waits until there is something
//! to read. It is no part of the stream, and its value is not documented. A stream begins with `XB`, so the byte shows: it
//! is the one before that, or the only one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::super::{Note, OnNote};

/// How an xbstream begins.
const BEGINNING: &[u8] = b"XB";

/// So many bytes tell.
const HEAD: usize = 1 + BEGINNING.len();

/// The sync byte in front of these bytes, if there is one: the first bytes of a FIFO, or all that ever came of it.
fn sync_byte(head: &[u8]) -> Option<u8> {
    match head {
        [byte] => Some(*byte),
        [byte, stream @ ..] if stream.starts_with(BEGINNING) => Some(*byte),
        _ => None,
    }
}

/// Reads a FIFO stream without its sync byte.
pub(in crate::source) struct Synced<R> {
    inner: R,
    name: String,
    head: [u8; HEAD],
    /// How much of the head has come.
    len: usize,
    /// How much of it was given, once that could be decided.
    given: Option<usize>,
    on_note: OnNote,
}

impl<R> Synced<R> {
    /// What `inner` reads, which is called `name` when the byte is told.
    pub(in crate::source) fn new(inner: R, name: String, on_note: OnNote) -> Synced<R> {
        Synced { inner, name, head: [0; HEAD], len: 0, given: None, on_note }
    }
}

impl<R: AsyncRead + Unpin> Synced<R> {
    /// Waits until the head is there, or the end.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while self.len < HEAD {
            let mut rest = ReadBuf::new(&mut self.head[self.len..]);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut rest))?;
            match rest.filled().len() {
                0 => break,
                more => self.len += more,
            }
        }
        let skipped = match sync_byte(&self.head[..self.len]) {
            Some(byte) => {
                self.on_note.tell(Note::SyncByte { name: self.name.clone(), byte });
                1
            }
            None => 0,
        };
        Poll::Ready(Ok(skipped))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Synced<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let given = match this.given {
            Some(given) => given,
            None => ready!(this.poll_head(cx))?,
        };
        let rest = &this.head[given..this.len];
        if rest.is_empty() {
            this.given = Some(given);
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        let len = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..len]);
        this.given = Some(given + len);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::AsyncReadExt;

    use super::*;

    /// What is read of a FIFO with these bytes, and the sync byte, however the bytes come.
    async fn read(bytes: &[u8]) -> (Vec<u8>, Option<u8>) {
        let told = Arc::new(Mutex::new(None));
        let on_note: OnNote = {
            let told = told.clone();
            OnNote::new(move |note| {
                if let Note::SyncByte { byte, .. } = note {
                    *told.lock().unwrap() = Some(byte);
                }
            })
        };
        let (mut writer, reader) = tokio::io::duplex(1);
        let writing = async {
            tokio::io::AsyncWriteExt::write_all(&mut writer, bytes).await.unwrap();
            drop(writer);
        };
        let mut all = Vec::new();
        let mut synced = Synced::new(reader, "thread_0".into(), on_note);
        let ((), read) = tokio::join!(writing, synced.read_to_end(&mut all));
        read.unwrap();
        let told = *told.lock().unwrap();
        (all, told)
    }

    #[tokio::test]
    async fn only_a_byte_before_a_stream_or_alone_is_taken_off() {
        for (bytes, stream, byte) in [
            (b"*XBSTCK01".as_slice(), b"XBSTCK01".as_slice(), Some(b'*')),
            (b"XXBSTCK01", b"XBSTCK01", Some(b'X')),
            (b"XBSTCK01", b"XBSTCK01", None),
            (b"\0", b"", Some(0)),
            (b"", b"", None),
            (b"\x1f\x8b\x08gzip", b"\x1f\x8b\x08gzip", None),
            (b"ab", b"ab", None),
        ] {
            assert_eq!(read(bytes).await, (stream.to_vec(), byte), "{}", bytes.escape_ascii());
        }
    }
}
