//! The tasks behind connections, and whoever awaits them.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

/// How long the last words on a connection may take, to be written and to be heard.
pub(super) const PARTING: Duration = Duration::from_secs(3);

/// The tasks of connections. They end with their connections, and with this.
#[derive(Debug, Default)]
pub(super) struct Drivers(Mutex<JoinSet<()>>);

impl Drivers {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Waits until every connection has ended, and the peers know as far as they can be told.
    pub(super) async fn wait_idle(&self) {
        while poll_fn(|context| self.tasks().poll_join_next(context)).await.is_some() {}
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
