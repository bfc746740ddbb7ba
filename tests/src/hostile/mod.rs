//! Streams that mean harm, and what must become of each.
//!
//! One family to a file. A stream is made by hand of chunks that no encoder would make, so that every number in it can
//! lie.
//!
//! | module | owns |
//! |---|---|
//! | `case` | one stream, where it is unpacked, and what is expected of it |
//! | `snapshot` | everything below a folder, links not followed |
//! | `raw` | chunks whose numbers can lie |
//! | `names`, `lengths`, `order`, `moves` | what a stream can be wrong in by itself |
//! | `formats` | encoded content whose numbers can lie |
//! | `encoded`, `archives`, `bombs` | what encoded files can be wrong in |
//! | `suffixes`, `lanes` | names that come to be one |
//! | `places` | what can be in the way in the target directory |
//! | `legal` | what is odd, and must be taken |

mod archives;
mod bombs;
mod case;
mod encoded;
mod formats;
mod lanes;
mod legal;
mod lengths;
mod moves;
mod names;
mod order;
mod places;
mod raw;
mod snapshot;
mod suffixes;

pub use case::{Case, run_all};
pub use formats::{bomb_of_zstd, zstd_window};
pub use raw::Chunk;
pub use snapshot::Snapshot;

/// Every stream that must be refused.
pub fn refused() -> Vec<Case> {
    let families = [
        names::cases(),
        lengths::cases(),
        order::cases(),
        moves::cases(),
        encoded::cases(),
        archives::cases(),
        bombs::cases(),
        suffixes::cases(),
        lanes::cases(),
        places::cases(),
    ];
    families.into_iter().flatten().collect()
}

/// Streams that look no better, and must be taken.
pub fn legal() -> Vec<Case> {
    legal::cases()
}
