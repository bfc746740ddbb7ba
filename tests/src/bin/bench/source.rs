//! What a sender reads: a stream as a file, or as somebody hands it out.

use std::fs::File;
use std::io::{self, PipeWriter, Read, Seek, Write, pipe};
use std::path::Path;
use std::process::Stdio;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

/// How a sender gets its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File,
    /// A pipe, from a program that writes 64 KiB at a time.
    Pieces,
    /// A pipe, into which the stream goes again and again for so long.
    Lasting(Duration),
}

/// A source that is open.
pub(crate) enum Feed {
    /// The sender has a file with so many bytes.
    Given(u64),
    /// A thread writes to the sender.
    Flowing(JoinHandle<io::Result<u64>>),
}

impl Source {
    /// Opens it: the sender's standard input, and what feeds it.
    pub(crate) fn open(self, stream: &Path) -> Result<(Stdio, Feed)> {
        let file = File::open(stream).with_context(|| format!("opening {}", stream.display()))?;
        let (piece, time) = match self {
            Source::File => {
                let bytes = file.metadata().context("the length of a stream")?.len();
                return Ok((file.into(), Feed::Given(bytes)));
            }
            Source::Pieces => (64 << 10, None),
            Source::Lasting(time) => (1 << 20, Some(time)),
        };
        let (reader, writer) = pipe().context("making a pipe")?;
        let until = time.map(|time| Instant::now() + time);
        Ok((reader.into(), Feed::Flowing(thread::spawn(move || feed(file, writer, piece, until)))))
    }
}

impl Feed {
    /// How many bytes the sender has got. Waits until it has all.
    pub(crate) fn bytes(self) -> Result<u64> {
        match self {
            Feed::Given(bytes) => Ok(bytes),
            Feed::Flowing(feed) => {
                feed.join().map_err(|_| anyhow!("the source panicked"))?.context("feeding the sender")
            }
        }
    }
}

/// Writes a file to a pipe in pieces, once or until a time.
fn feed(mut file: File, mut pipe: PipeWriter, piece: usize, until: Option<Instant>) -> io::Result<u64> {
    let (mut buffer, mut total) = (vec![0; piece], 0);
    while until.is_none_or(|end| Instant::now() < end) {
        match (file.read(&mut buffer)?, until) {
            (0, None) => break,
            (0, Some(_)) => file.rewind()?,
            (read, _) => {
                pipe.write_all(&buffer[..read])?;
                total += read as u64;
            }
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_handed_out_once_and_a_lasting_source_repeats_it() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 100_000]).unwrap();
        for until in [None, Some(Instant::now() + Duration::from_millis(50))] {
            let (mut reader, writer) = pipe().unwrap();
            let file = file.reopen().unwrap();
            let fed = thread::spawn(move || feed(file, writer, 64 << 10, until).unwrap());
            let read = io::copy(&mut reader, &mut io::sink()).unwrap();
            assert_eq!(read, fed.join().unwrap());
            assert_eq!(read > 100_000, until.is_some(), "{read}");
        }
    }
}
