//! How large a run is.

use std::time::Duration;

/// The sizes of the streams, and how long and how often something is measured.
pub(crate) struct Extent {
    /// Rows of each of the eight large tables, of some 250 bytes each.
    pub(crate) rows: usize,
    /// Small tables.
    pub(crate) tables: usize,
    /// Files of a few KiB.
    pub(crate) small_files: usize,
    /// How long a transfer over a long link lasts.
    pub(crate) lasting: Duration,
    /// How often each row is measured.
    pub(crate) rounds: usize,
}

impl Extent {
    /// Enough for figures: a stream of 1.2 GB.
    pub(crate) const WHOLE: Extent =
        Extent { rows: 500_000, tables: 1_500, small_files: 100_000, lasting: Duration::from_secs(35), rounds: 5 };

    /// Enough to see that everything works: a stream of 280 MB.
    pub(crate) const QUICK: Extent =
        Extent { rows: 50_000, tables: 100, small_files: 5_000, lasting: Duration::from_secs(4), rounds: 1 };
}
