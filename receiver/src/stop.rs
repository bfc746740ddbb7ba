//! The flag that ends work for a session that is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised to make whoever works for a session give up. Clones are the same flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Raises it, for good.
    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was raised.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
