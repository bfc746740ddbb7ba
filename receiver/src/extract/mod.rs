//! Unpacking a backup into a directory.

mod beneath;
mod path;

pub use path::{PathError, SafePath, Trailing, Unsafe, make_safe};

/// What the name of a staging folder begins with; the session's id follows, 16 hex digits.
pub const STAGING_PREFIX: &str = ".xbrecv-";
