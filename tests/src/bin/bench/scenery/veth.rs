//! Two hosts, side by side.

use anyhow::Result;

use super::namespace::ip;
use super::{Namespace, Scenery};

/// The name of each host's device.
pub(super) const DEVICE: &str = "wire";

/// Two namespaces with a pair of virtual Ethernet devices.
pub(super) struct Veth {
    sender: Namespace,
    receiver: Namespace,
}

impl Veth {
    pub(super) fn build(mtu: u16) -> Result<Veth> {
        let veth = Veth { sender: Namespace::make("source")?, receiver: Namespace::make("destination")? };
        let [a, b] = [veth.sender.name(), veth.receiver.name()];
        ip(&format!("link add {DEVICE} mtu {mtu} netns {a} type veth peer name {DEVICE} mtu {mtu} netns {b}"))?;
        for (host, address) in [(a, "10.99.0.1/24"), (b, "10.99.0.2/24")] {
            ip(&format!("-n {host} addr add {address} dev {DEVICE}"))?;
            ip(&format!("-n {host} link set {DEVICE} up"))?;
        }
        Ok(veth)
    }
}

impl Scenery for Veth {
    fn sender(&self) -> &Namespace {
        &self.sender
    }

    fn receiver(&self) -> &Namespace {
        &self.receiver
    }

    fn address(&self) -> &str {
        "10.99.0.2"
    }
}
