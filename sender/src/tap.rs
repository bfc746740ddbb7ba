//! Watches the frames of a stream as they pass on their way to the peer.
//!
//! Every lane has a [`Tap`]; what the lanes make together, one tree of files, is watched by the
//! [`Watch`] that made the taps.

use bytes::Bytes;
use xbproto::failure::Cause;
use xbproto::xbstream::{DecodeError, Missing, OrderError, StreamPath};

/// How much is required of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Expect {
    /// An xbstream with all that a whole backup consists of.
    #[default]
    Backup,
    /// An xbstream whose files are all complete, whatever they are.
    Xbstream,
    /// Any bytes at all.
    Raw,
}

/// Watches a stream of one or several lanes.
#[derive(Clone, Debug)]
pub struct Watch {}

impl Watch {
    /// Begins to watch a stream.
    pub fn new(_expect: Expect) -> Watch {
        unimplemented!()
    }

    /// The tap of one more lane.
    pub fn tap(&self) -> Tap {
        unimplemented!()
    }

    /// To be called when every lane has been finished: is it all there?
    pub fn complete(&self) -> Result<(), TapError> {
        unimplemented!()
    }
}

/// Watches one lane.
#[derive(Debug)]
pub struct Tap {}

impl Tap {
    /// Looks at the next bytes of the lane. After an error the lane is of no use any more.
    pub fn pass(&mut self, _bytes: &Bytes) -> Result<(), TapError> {
        unimplemented!()
    }

    /// To be called at the end of the lane: an error if that is inside a chunk.
    pub fn finish(&mut self) -> Result<(), TapError> {
        unimplemented!()
    }

    /// The file whose bytes pass by, for the progress.
    pub fn current_file(&self) -> Option<StreamPath> {
        unimplemented!()
    }
}

/// A stream that the peer could not use.
///
/// An error of [`Tap::pass`] is the stream's own fault. One of [`Tap::finish`] and
/// [`Watch::complete`] says that something lacks, and a source that failed explains that better:
/// ask for its verdict first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TapError {
    /// The stream does not even begin like one.
    #[error("not an xbstream: {0}; to send any other kind of data use --raw")]
    NotXbstream(DecodeError),
    /// The bytes are wrong.
    #[error("damaged xbstream: {0}")]
    Decode(DecodeError),
    /// The order of the chunks is wrong.
    #[error("damaged xbstream: {0}")]
    Order(OrderError),
    /// The stream ended inside a chunk.
    #[error("backup incomplete: {0}")]
    Cut(DecodeError),
    /// The stream ended inside files.
    #[error("backup incomplete: {0}")]
    OpenFiles(OrderError),
    /// Files that end a backup are not there.
    #[error("backup incomplete: {0}")]
    Missing(Missing),
}

impl TapError {
    /// What the programs exit for.
    pub fn cause(&self) -> Cause {
        Cause::Integrity
    }
}
