//! A state machine that several threads drive: a lock, and a bell that rings at every change.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// `S` behind a lock. Whoever changes it wakes everybody who waits for it; the lock is held only
/// for as long as a state machine thinks. They are woken in the order in which they began to wait,
/// so that a simulation repeats itself (tokio's `watch` wakes in a random order).
#[derive(Debug)]
pub struct Shared<S> {
    state: Mutex<S>,
    bell: Notify,
}

impl<S> Shared<S> {
    /// Shares `state`.
    pub fn new(state: S) -> Shared<S> {
        Shared { state: Mutex::new(state), bell: Notify::new() }
    }

    /// Looks at the state.
    pub fn look<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state, and wakes whoever waits for a change.
    pub fn change<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let result = change(&mut self.lock());
        self.bell.notify_waiters();
        result
    }

    /// Waits until `take` gives something; what it does to the state then is a change. It is asked
    /// again after every change, and must not change anything while it gives nothing. Cancel-safe.
    pub async fn when<T>(&self, mut take: impl FnMut(&mut S) -> Option<T>) -> T {
        loop {
            // Hears the bell from here on: what changes after the look below is not missed.
            let bell = self.bell.notified();
            if let Some(taken) = take(&mut self.lock()) {
                self.bell.notify_waiters();
                return taken;
            }
            bell.await;
        }
    }

    /// A panic while the lock was held has ended that thread's work already, and its owner knows.
    fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_change_wakes_those_who_wait() {
        let shared = Arc::new(Shared::new(0));
        let waiting = tokio::spawn({
            let shared = shared.clone();
            async move { shared.when(|n| (*n >= 2).then(|| std::mem::take(n))).await }
        });
        for _ in 0..2 {
            tokio::task::yield_now().await;
            shared.change(|n| *n += 1);
        }
        assert_eq!(waiting.await.expect("woken"), 2);
        assert_eq!(shared.look(|n| *n), 0);
    }
}
