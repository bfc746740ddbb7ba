//! Locking what a thread that panicked may have held: what is behind the locks of this program is whole at any time.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, whatever has become of those who held it before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
