//! What can be known before the first byte is unpacked: whether there is room, and how many files may be open.
//!
//! Whether the directory can be written shows when its staging folder is made, which is the first thing that is done
//! there, and removed when something here refuses.

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use xbproto::quantity::ByteSize;

use crate::sink::{SinkError, Target};

/// A hard limit of open files below this is told: a tool that copies with some hundred threads keeps a file open for each,
/// and as many wait to be synced.
const SENSIBLE: u64 = 1024;

/// What is known of the room that unpacking takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The streams' own length in bytes. Their headers are little, and what they remove again is rare.
    pub stored: u64,
    /// What becomes of it on the way.
    pub growth: Growth,
}

/// What becomes of the files of a stream when they are unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// They are as long as in the stream.
    Nothing,
    /// They are decompressed, and nobody knows how long they get.
    Decompressed,
}

/// Looks whether `target` has room for what is needed. Gives a warning where that is not known for sure. A file system
/// that does not tell has room. To be asked when what an earlier run has left there is removed.
///
/// # Errors
/// [`SinkError::NoRoom`] when there is less than the stream's own length.
pub fn room(target: &Target, need: Need) -> Result<Option<String>, SinkError> {
    let (Target { describe, free: Some(free) }, Need { stored, growth }) = (target, need) else { return Ok(None) };
    if *free < stored {
        let error = Errno::NOSPC.into();
        return Err(SinkError::NoRoom { target: describe.clone(), size: stored, free: Some(*free), error });
    }
    // Backups get two to four times as long.
    let is_tight = growth == Growth::Decompressed && free / 4 < stored;
    Ok(is_tight.then(|| {
        let (free, stored) = (ByteSize(*free), ByteSize(stored));
        format!("{describe} has {free} free; the stream has {stored}, and takes more once it is decompressed")
    }))
}

/// A warning if this process may open so few files that unpacking may run out of them. Unpacking itself raises the soft
/// limit to the hard one.
pub fn open_files() -> Option<String> {
    few_files(getrlimit(Resource::Nofile).maximum)
}

fn few_files(hard: Option<u64>) -> Option<String> {
    hard.filter(|hard| *hard < SENSIBLE).map(|hard| {
        format!(
            "no more than {hard} files may be open (hard limit); a backup tool that copies with many threads needs more: \
             raise it with ulimit -Hn, or LimitNOFILE= in a unit of systemd"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(stored: u64, growth: Growth, free: Option<u64>) -> Result<Option<String>, SinkError> {
        room(&Target { describe: "directory /r".to_owned(), free }, Need { stored, growth })
    }

    #[test]
    fn less_room_than_the_stream_takes_is_refused() {
        assert_eq!(ask(10, Growth::Nothing, Some(10)).unwrap(), None);
        assert_eq!(ask(10, Growth::Nothing, None).unwrap(), None);
        let error = ask(2048, Growth::Decompressed, Some(1024)).unwrap_err().to_string();
        assert_eq!(error, "directory /r: there is no room for 2.0 KiB, 1.0 KiB are free: No space left on device");
    }

    #[test]
    fn that_decompressing_may_need_more_is_told() {
        assert_eq!(ask(10, Growth::Decompressed, Some(40)).unwrap(), None);
        let warning = ask(1024, Growth::Decompressed, Some(2048)).unwrap().unwrap();
        assert_eq!(
            warning,
            "directory /r has 2.0 KiB free; the stream has 1.0 KiB, and takes more once it is decompressed"
        );
    }

    #[test]
    fn few_open_files_are_told() {
        assert_eq!(few_files(None), None);
        assert_eq!(few_files(Some(1024)), None);
        assert!(few_files(Some(256)).unwrap().starts_with("no more than 256 files may be open"));
    }
}
