//! Where work runs: on threads of its own in the programs, as tasks on one runtime in simulation.
//!
//! Threads that drive packets do nothing else; hashing and disk have threads of their own, and
//! every thread has a runtime for its timers and channels. A simulation has one paused clock, which
//! a second thread would break, so there the same futures run side by side on one runtime. What is
//! simulated is what ships.

use std::future::Future;
use std::io;

use tokio::sync::oneshot;

/// A place for long-running work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A thread for each piece of work, each with a `current_thread` runtime.
    Threads,
    /// Tasks on the runtime and within the `LocalSet` of whoever starts them.
    Tasks,
}

/// Work that was started, to be awaited by whoever owns it.
#[derive(Debug)]
pub struct Work<T> {
    name: String,
    done: oneshot::Receiver<T>,
}

/// A piece of work ended without a result: it panicked.
#[derive(Debug, thiserror::Error)]
#[error("{name} stopped without a result: a defect of this program")]
pub struct Panicked {
    /// The name it was started with.
    pub name: String,
}

impl Place {
    /// Starts `work` under a `name` that debuggers show (15 bytes are kept by the kernel).
    ///
    /// # Errors
    /// When the thread or its runtime cannot be made.
    pub fn start<T, F>(self, name: &str, work: impl FnOnce() -> F + Send + 'static) -> io::Result<Work<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let (result, done) = oneshot::channel();
        match self {
            Place::Threads => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                    let output = runtime.block_on(work());
                    // Dropped before the result is told: then no task of it outlives its owner's wait.
                    drop(runtime);
                    let _ = result.send(output);
                })?;
            }
            Place::Tasks => {
                tokio::task::spawn_local(async move {
                    let _ = result.send(work().await);
                });
            }
        }
        Ok(Work { name: name.to_owned(), done })
    }
}

impl<T> Work<T> {
    /// Waits for the result.
    ///
    /// # Errors
    /// [`Panicked`] when there is none.
    pub async fn finished(self) -> Result<T, Panicked> {
        self.done.await.map_err(|_| Panicked { name: self.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn both(place: Place) {
        let doubled = place.start("double", || async { 2 * 21 }).expect("started");
        assert_eq!(doubled.finished().await.expect("a result"), 42);
    }

    #[tokio::test]
    async fn threads_give_their_result() {
        both(Place::Threads).await;
    }

    #[tokio::test]
    async fn tasks_give_their_result() {
        tokio::task::LocalSet::new().run_until(both(Place::Tasks)).await;
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let work: Work<()> = Place::Threads.start("panics", || async { panic!("on purpose") }).expect("started");
        assert!(work.finished().await.expect_err("no result").to_string().starts_with("panics stopped"));
    }
}
