//! The names of a backup: which there may be, what they are on disk, and which chunk may come next. Pure: nothing here looks at
//! a disk.
//!
//! | module | owns |
//! |---|---|
//! | `path` | which names of a stream may become files |
//! | `names` | what the stream calls a file, and the one name it has on disk |
//! | `directories` | that none is a file too |
//! | `inventory` | all of it together, for lanes that make one tree |

pub(super) mod directories;
pub(super) mod inventory;
pub(super) mod names;
pub(super) mod path;
