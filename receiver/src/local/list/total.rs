//! What all files of a catalogue come to. Pure.

use super::catalogue::Catalogue;

/// All rows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) files: u64,
    pub(super) size: u64,
    pub(super) stored: u64,
    pub(super) holes: u64,
    pub(super) chunks: u64,
    pub(super) removed: u64,
}

impl Total {
    /// That of a catalogue.
    pub(super) fn of(catalogue: &Catalogue) -> Total {
        let begin = Total { removed: catalogue.removed(), ..Total::default() };
        catalogue.rows().fold(begin, |total, (_, row)| Total {
            files: total.files + 1,
            size: total.size.saturating_add(row.size),
            stored: total.stored.saturating_add(row.stored),
            holes: total.holes.saturating_add(row.holes()),
            chunks: total.chunks + row.chunks,
            removed: total.removed,
        })
    }
}
