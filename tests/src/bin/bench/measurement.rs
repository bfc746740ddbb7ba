//! One row, measured once.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::cpu;
use crate::group::{Group, Row};
use crate::scenery::Scenery;
use crate::stage::Stage;
use crate::transfer::Transfer;

/// The ports of a transfer and of one beside it. Both are free: the namespaces are ours.
const PORTS: [u16; 2] = [29_871, 29_872];

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measurement {
    /// Bytes of the stream.
    pub(crate) bytes: u64,
    /// From the start of the sender to the end of both.
    pub(crate) wall: Duration,
    /// CPU time of all processes of both ends. None where another transfer took some too.
    pub(crate) cpu: Option<Duration>,
    /// The peak of resident memory of sender and receiver in kilobytes, where each is one process.
    pub(crate) peaks: Option<[u64; 2]>,
    /// Packets that were sent and did not arrive, beyond those that the link loses at random, in per cent of all
    /// that were sent. None on links without a bottleneck.
    pub(crate) wasted: Option<f64>,
    /// Bytes of this transfer in per cent of those of both, where there was one beside it.
    pub(crate) share: Option<f64>,
}

impl Measurement {
    /// Measures a row of a group that moves `stream`.
    pub(crate) fn of(row: &Row, group: &Group, stream: &Path, stage: &Stage) -> Result<Measurement> {
        let scenery = group.place.build(stage.emulator())?;
        if group.place.link().is_some() {
            scenery.sender().control_congestion(scenery.address(), row.congestion)?;
        }
        settle(stream)?;
        let transfer = |port, source| Transfer { stage, scenery: &*scenery, port, stream, source, to: group.to };
        let cpu = cpu::of_ended_children()?;
        let (own, beside) = thread::scope(|scope| {
            let peer = row.beside.as_deref();
            let beside = peer.map(|peer| scope.spawn(move || transfer(PORTS[1], row.source).run(peer)));
            let own = transfer(PORTS[0], row.source).run(&*row.peer);
            let beside = beside.map(|beside| beside.join().map_err(|_| anyhow!("a transfer panicked"))?).transpose();
            Ok::<_, anyhow::Error>((own?, beside?))
        })?;
        let cpu = cpu::of_ended_children()?.saturating_sub(cpu);
        Ok(Measurement {
            bytes: own.bytes,
            wall: own.wall,
            cpu: beside.is_none().then_some(cpu),
            peaks: row.peer.is_ours().then_some(own.peaks),
            wasted: group.place.link().map(|link| wasted(&*scenery, link.loss)).transpose()?,
            share: beside.map(|beside| 100.0 * own.bytes as f64 / (own.bytes + beside.bytes) as f64),
        })
    }

    /// Megabytes (10⁶) of the stream in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.wall.as_secs_f64()
    }

    /// CPU seconds for a gigabyte (10⁹) of the stream.
    pub(crate) fn cpu_per_gb(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() / (self.bytes as f64 / 1e9))
    }
}

/// Lets the disk come to rest, and the stream into the page cache.
fn settle(stream: &Path) -> Result<()> {
    rustix::fs::sync();
    let mut file = File::open(stream).with_context(|| format!("opening {}", stream.display()))?;
    io::copy(&mut file, &mut io::sink()).with_context(|| format!("reading {}", stream.display()))?;
    Ok(())
}

/// The percentage of the sender's packets that did not arrive, without those lost at random.
fn wasted(scenery: &dyn Scenery, loss: f64) -> Result<f64> {
    let ((_, sent), (arrived, _)) = (scenery.sender().packets()?, scenery.receiver().packets()?);
    Ok((100.0 * sent.saturating_sub(arrived) as f64 / sent.max(1) as f64 - loss).max(0.0))
}
