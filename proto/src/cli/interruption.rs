//! The signals that end a program early.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Cause;

/// A future that resolves at the first SIGINT or SIGTERM from now on; neither ends the process by
/// itself any more. Call it within a runtime.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn interruption() -> io::Result<impl Future<Output = Cause>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Cause::Interrupted,
            _ = terminate.recv() => Cause::Terminated,
        }
    })
}
