//! Where the bytes of a backup end up.
