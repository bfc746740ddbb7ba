//! What a stored stream is read from: a file, a FIFO, a device, standard input.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Advice, fadvise};
use xbproto::lane::MAX_BLOCK;
use xbproto::pool::Buffer;

use super::LocalError;
use super::stream::is_stdin;
use crate::disk::shown;

/// Where the bytes of a stream come from; nothing is read yet.
#[derive(Debug)]
pub(super) struct Input {
    name: String,
    origin: Origin,
    length: Option<u64>,
}

#[derive(Debug)]
enum Origin {
    Open(File),
    /// Opening it waits for a writer, so that is left to the thread that reads.
    Fifo(PathBuf),
}

impl Input {
    /// What `path` names, or standard input if that is `-`.
    ///
    /// # Errors
    /// When there is nothing that could be read.
    pub(super) fn find(path: &Path) -> Result<Input, LocalError> {
        if is_stdin(path) {
            return Input::stdin().map_err(|error| LocalError::Open { name: "stdin".to_owned(), error });
        }
        let name = shown(path).to_string();
        let failed = |error| LocalError::Open { name: name.clone(), error };
        let kind = fs::metadata(path).map_err(failed)?.file_type();
        if kind.is_dir() {
            return Err(LocalError::Directory { name });
        }
        if kind.is_fifo() {
            return Ok(Input { name, origin: Origin::Fifo(path.to_owned()), length: None });
        }
        let mut file = File::open(path).map_err(failed)?;
        let length = remaining(&mut file).map_err(failed)?;
        Ok(Input { name, origin: Origin::Open(file), length })
    }

    fn stdin() -> io::Result<Input> {
        let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let length = remaining(&mut file)?;
        Ok(Input { name: "stdin".to_owned(), origin: Origin::Open(file), length })
    }

    /// Something open, of no length.
    #[cfg(test)]
    pub(super) fn of_test(file: File) -> Input {
        Input { name: "test".to_owned(), origin: Origin::Open(file), length: None }
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes it has, if that is known before they are read.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Gets it ready to be read; a FIFO waits here for its writer.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(self) -> io::Result<File> {
        let file = match self.origin {
            Origin::Open(file) => file,
            Origin::Fifo(path) => File::open(path)?,
        };
        // The disk, or whoever writes, is to be ahead of us. Neither works for the other, and neither is needed.
        let _ = fadvise(&file, 0, None, Advice::Sequential);
        let _ = rustix::pipe::fcntl_setpipe_size(&file, MAX_BLOCK);
        Ok(file)
    }
}

/// How many bytes `file` still has from where it stands, if it is a regular file.
fn remaining(file: &mut File) -> io::Result<Option<u64>> {
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok(Some(metadata.len().saturating_sub(file.stream_position()?))),
        false => Ok(None),
    }
}

/// Reads until `buffer` is full, or to the end of `file`. Less than full says that it is the end.
///
/// # Errors
/// When a read fails; what came before it is in the buffer.
pub(super) fn fill(file: &mut File, buffer: &mut Buffer) -> io::Result<()> {
    loop {
        match file.read(buffer.spare()) {
            Ok(0) => return Ok(()),
            Ok(read) => buffer.advance(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Another process may have set O_NONBLOCK on the standard input that we share with it.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(file, PollFlags::IN)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{SeekFrom, Write};

    use xbproto::failure::Cause;
    use xbproto::pool::Pool;

    use super::*;

    #[test]
    fn the_length_counts_from_where_the_file_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"header and body").unwrap();
        file.seek(SeekFrom::Start(11)).unwrap();
        assert_eq!(remaining(&mut file).unwrap(), Some(4));
    }

    #[test]
    fn a_pipe_fills_the_buffer_whatever_its_pieces_are() {
        let (reader, mut writer) = io::pipe().unwrap();
        let writing = std::thread::spawn(move || (0..3000).for_each(|_| writer.write_all(&[7; 100]).unwrap()));
        let mut file = File::from(std::os::fd::OwnedFd::from(reader));
        let pool = Pool::default();
        let lengths: Vec<usize> = [100_000, 150_000, 100_000]
            .map(|len| {
                let mut buffer = pool.buffer(len, 5);
                fill(&mut file, &mut buffer).unwrap();
                buffer.len()
            })
            .to_vec();
        writing.join().unwrap();
        assert_eq!(lengths, [100_000, 150_000, 50_000]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for (path, said) in [("/", "opening /: it is a directory"), ("/no/such", "opening /no/such: No such file")] {
            let error = Input::find(Path::new(path)).unwrap_err();
            assert!(error.to_string().starts_with(said), "{error}");
            assert_eq!(error.cause(), Cause::Source);
        }
    }
}
