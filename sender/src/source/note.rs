//! What a source has to say that is no failure.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Something a person may want to know of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A byte was taken off the beginning of a FIFO stream.
    SyncByte {
        /// The lane.
        name: String,
        /// Its value, which differs from tool to tool.
        byte: u8,
    },
    /// Directories that do not arrive, because the format has only files.
    EmptyDirectories {
        /// Below this one.
        dir: PathBuf,
        /// How many.
        count: u64,
    },
}

/// Who hears of notes; nobody, unless told. Cheap to clone.
#[derive(Clone, Default)]
pub struct OnNote(Option<Arc<dyn Fn(Note) + Send + Sync>>);

impl OnNote {
    /// Has `hear` called with every note, on any thread, so it must not block.
    pub fn new(hear: impl Fn(Note) + Send + Sync + 'static) -> OnNote {
        OnNote(Some(Arc::new(hear)))
    }

    /// Tells a note.
    pub(super) fn tell(&self, note: Note) {
        if let Some(hear) = &self.0 {
            hear(note);
        }
    }
}

impl fmt::Debug for OnNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "OnNote(heard)" } else { "OnNote(unheard)" })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::SyncByte { name, byte } => {
                write!(f, "{name}: dropped the sync byte 0x{byte:02x}, which is no part of the stream")
            }
            Note::EmptyDirectories { dir, count } => {
                let what = if *count == 1 { "directory is" } else { "directories are" };
                write!(f, "{count} empty {what} not sent: an xbstream has only files; below {}", dir.display())
            }
        }
    }
}
