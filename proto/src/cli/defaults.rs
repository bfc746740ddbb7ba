//! Numbers that both programs go by.

/// The session's window in bytes unless told otherwise: what may be under way, and what each side may hold.
pub const WINDOW: u64 = 64 << 20;
