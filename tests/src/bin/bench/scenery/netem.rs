//! A long link made by the kernel.

use anyhow::{Context, Result, ensure};

use super::veth::{DEVICE, Veth};
use super::{Link, Namespace, Scenery};

/// How long the queue before the bottleneck may get, in milliseconds at its rate.
const QUEUE: u32 = 50;

/// A veth pair with a `netem` discipline on both sides.
///
/// `netem` takes what leaves in one call for one packet, so the large sends of segmentation offload are lost whole. An
/// emulator that sees packets is nearer to a real link.
pub(super) struct Netem(Veth);

impl Netem {
    pub(super) fn build(link: Link) -> Result<Netem> {
        let netem = Netem(Veth::build(1500)?);
        for host in [netem.sender(), netem.receiver()] {
            let status = host.bash(&discipline(link)).status().context("starting ip")?;
            let else_ = "name another emulator (--emulator)";
            ensure!(status.success(), "this kernel has no netem (modprobe sch_netem); {else_}");
        }
        Ok(netem)
    }
}

impl Scenery for Netem {
    fn sender(&self) -> &Namespace {
        self.0.sender()
    }

    fn receiver(&self) -> &Namespace {
        self.0.receiver()
    }

    fn address(&self) -> &str {
        self.0.address()
    }
}

/// The line that makes a host's half of a link. Its limit counts packets that are under way as well.
fn discipline(Link { round_trip, rate, loss }: Link) -> String {
    let delay = f64::from(round_trip) / 2.0;
    let limit = f64::from(rate) * 1e3 / 8.0 * (delay + f64::from(QUEUE)) / 1500.0;
    format!("tc qdisc add dev {DEVICE} root netem delay {delay}ms rate {rate}mbit loss {loss}% limit {limit:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_has_room_for_the_way_and_the_queue() {
        let line = discipline(Link { round_trip: 50, rate: 600, loss: 0.1 });
        assert_eq!(line, "tc qdisc add dev wire root netem delay 25ms rate 600mbit loss 0.1% limit 3750");
    }
}
