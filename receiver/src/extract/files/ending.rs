//! Files that have ended, and that somebody may still be writing.
//!
//! A file that is not open is opened by its name when it is written, see `open_files`. Before that name goes to another
//! file, or to none, all of these are opened, and stay open.

use std::sync::{Arc, Weak};

use super::writers::Slot;
use crate::disk::DiskError;

/// How many may be listed that are written already. Fewer than these wait to be written at any time.
const WRITTEN: usize = 1024;

/// The files that have ended.
#[derive(Debug, Default)]
pub(in crate::extract) struct Ending(Vec<Weak<Slot>>);

impl Ending {
    /// One more has ended.
    pub(in crate::extract) fn push(&mut self, slot: &Arc<Slot>) {
        if self.0.len() >= WRITTEN {
            self.0.retain(|slot| slot.strong_count() > 0);
        }
        self.0.push(Arc::downgrade(slot));
    }

    /// Frees their names: whatever is still to be written goes to the files that have them now.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub(in crate::extract) fn free_names(&mut self) -> Result<(), DiskError> {
        let slots = std::mem::take(&mut self.0);
        // Those that are open now will stay so.
        slots.iter().filter_map(Weak::upgrade).try_for_each(|slot| slot.keep_open())
    }
}
