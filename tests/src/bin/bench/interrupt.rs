//! Ctrl-C and `kill`: everything that runs is stopped, and what was made is removed on the way out.

use std::thread;

use anyhow::{Context, Result};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::job;

/// From now on, SIGINT, SIGTERM and SIGHUP end all jobs rather than this process. It ends because its jobs fail.
pub(crate) fn watch() -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build().context("a runtime for signals")?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?)
    };
    let watching = async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            job::stop_all();
        }
    };
    thread::spawn(move || runtime.block_on(watching));
    Ok(())
}
