//! What moves a stream: ours, and what it replaces. One to a file.
//!
//! A peer is two lines for `bash`, as people write them. Both are run with `-eu -o pipefail` and find in their
//! environment: `HOST` and `PORT`, where the receiver listens; `OUT`, the file or folder to write; `DIR`, a folder for
//! what they need besides. The sender's standard input is the stream.

mod mbstream;
mod mbuffer;
mod nc;
mod ours;
mod recipe;
mod socat;
mod ssh;
mod two_passes;
mod unpack;

pub(crate) use mbstream::Mbstream;
pub(crate) use mbuffer::Mbuffer;
pub(crate) use nc::Nc;
pub(crate) use ours::Ours;
pub(crate) use recipe::Recipe;
pub(crate) use socat::Socat;
pub(crate) use ssh::Ssh;
pub(crate) use two_passes::TwoPasses;
pub(crate) use unpack::Unpack;

use crate::need::Need;

/// A way to move a stream.
pub(crate) trait Peer: Sync {
    /// What it cannot do without.
    fn needs(&self) -> Vec<Need>;

    /// What is run before, once for each measurement, and not measured: keys and certificates.
    fn preparation(&self) -> Option<&str> {
        None
    }

    /// The line of the receiving host. None where nothing listens.
    fn receiver(&self, to: To) -> Option<String>;

    /// The line of the sending host.
    fn sender(&self, to: To) -> String;

    /// Whether each line is one process, whose memory can be told.
    fn is_ours(&self) -> bool {
        false
    }
}

/// What becomes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// `OUT` is `/dev/null`.
    Nowhere,
    /// `OUT` is to be a new file.
    File,
    /// `OUT` is an empty folder.
    Folder,
}

impl To {
    /// How a shell goes on after a command that writes the stream to standard output.
    fn shell(self) -> &'static str {
        match self {
            To::Nowhere | To::File => "> $OUT",
            To::Folder => "| mbstream -x -C $OUT",
        }
    }

    /// What the peers cannot unpack without.
    pub(crate) fn need(self) -> Option<Need> {
        (self == To::Folder).then_some(Need::Program("mbstream"))
    }
}
