//! Unpacking a backup into a directory.

mod beneath;
mod commit;
mod error;
mod path;
mod record;
mod recover;
mod staging;

pub use error::ExtractError;
pub use path::{PathError, SafePath, Trailing, Unsafe, make_safe};
pub use staging::STAGING_PREFIX;
