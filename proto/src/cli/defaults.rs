//! Numbers that both programs go by.

use std::time::Duration;

/// The session's window in bytes unless told otherwise: what may be under way, and what each side may hold.
pub const WINDOW: u64 = 64 << 20;

/// How long the link's thread may take to say goodbye after the session is over.
pub const GOODBYE: Duration = Duration::from_secs(5);
