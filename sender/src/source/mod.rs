//! Where the bytes of a backup come from.
