//! `--spool`: a queue on the disk between source and window, so that the source goes on while the link is slow or down.
//!
//! Each lane has a queue of its own: the source's thread puts into its [`Inlet`], the pump reads from its [`Outlet`].
//! Bytes go by memory, and to the disk only when that and the window are full; then all go there until it has run empty,
//! which keeps their order. What is on the disk is cut into slots, each with a CRC that is kept in memory.
//!
//! | module | owns |
//! |---|---|
//! | `plan` | what `--spool` asks for |
//! | `ring`, `queue` | what is where, and what comes next; they touch no file |
//! | `store` | the file |
//! | `lane`, `inlet`, `outlet` | the queue between two threads, and its ends |
//! | `episode` | telling things once |

mod episode;
mod error;
mod inlet;
mod lane;
mod outlet;
mod plan;
mod queue;
mod ring;
mod store;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xbproto::cli::Reporter;
use xbproto::lane::MAX_BLOCK;
use xbproto::quantity::ByteSize;

pub use error::SpoolError;
pub use inlet::Inlet;
pub use outlet::Outlet;
pub use plan::{SpoolPlan, SpoolPlanError};

use lane::Lane;
use queue::Queue;
use ring::Ring;
use store::Store;

/// Bytes that are read back and checked at once.
const SLOT: usize = MAX_BLOCK;

/// Bytes in memory before the disk is used, over all lanes: they outlast the moments in which the window is full.
const MEMORY: usize = 4 * MAX_BLOCK;

/// A directory to spool in.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    gauge: Arc<SpoolGauge>,
}

impl Spool {
    /// Makes sure that a file can be made where the plan says. It is gone again; a lane makes its own.
    ///
    /// # Errors
    /// [`SpoolError::Make`].
    pub fn prepare(plan: SpoolPlan) -> Result<Spool, SpoolError> {
        let SpoolPlan { dir, size: ByteSize(limit) } = plan;
        Store::make(dir.clone())?;
        Ok(Spool { dir, gauge: Arc::new(SpoolGauge { queued: AtomicU64::new(0), limit }) })
    }

    /// The queue of one of so many lanes, which has an equal share of everything.
    ///
    /// # Errors
    /// [`SpoolError::Make`].
    pub fn lane(&self, of: usize, reporter: &Reporter) -> Result<(Inlet, Outlet), SpoolError> {
        let store = Store::make(self.dir.clone())?;
        let slots = (self.gauge.limit / (of * SLOT) as u64).max(1);
        let queue = Queue::new(MEMORY / of, Ring::new(slots, SLOT));
        let lane = Arc::new(Lane::new(self.dir.clone(), store, queue, self.gauge.clone(), reporter.clone()));
        Ok((Inlet::new(lane.clone()), Outlet::new(lane)))
    }

    /// How much is queued, to be looked at at any time.
    pub fn gauge(&self) -> Arc<SpoolGauge> {
        self.gauge.clone()
    }
}

/// How much a spool holds.
#[derive(Debug)]
pub struct SpoolGauge {
    queued: AtomicU64,
    limit: u64,
}

impl SpoolGauge {
    /// Bytes on the disk, over all lanes.
    pub fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// The most there may be.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    fn add(&self, bytes: usize) {
        self.queued.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn remove(&self, bytes: usize) {
        self.queued.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}
