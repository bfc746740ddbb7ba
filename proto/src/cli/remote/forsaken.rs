//! Whoever is at the other end of ssh is gone.

use tokio::sync::oneshot;

use crate::cli::event::Event;
use crate::cli::reporter::Reporter;
use crate::failure::Failure;

/// Tells when whoever is at the other end of ssh is gone. It ends a session that has not begun, for nobody would come to it
/// any more. One that has begun goes on: what becomes of it is its own links' affair.
#[derive(Debug)]
pub struct Forsaken(pub(super) oneshot::Receiver<Gone>);

/// What there is to say of it.
#[derive(Debug)]
pub(super) struct Gone {
    /// How a session that has not begun fails.
    pub(super) failure: Failure,
    /// What is told if it has begun.
    pub(super) otherwise: Option<Event>,
}

/// Whether a session has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It has, or is over.
    Yes,
    /// It had not, and has failed now.
    No,
}

impl Forsaken {
    /// Has `fail` fail the session unless that has begun, as soon as it is to be done. Call it within a runtime, whose end is
    /// the end of it.
    pub fn heed(self, reporter: &Reporter, fail: impl FnOnce(Failure) -> Begun + Send + 'static) {
        let reporter = reporter.clone();
        tokio::spawn(async move {
            // Whoever would tell may end first, with nothing to tell.
            let Ok(Gone { failure, otherwise }) = self.0.await else { return };
            if fail(failure) == Begun::Yes {
                otherwise.into_iter().for_each(|event| reporter.tell(event));
            }
        });
    }
}
