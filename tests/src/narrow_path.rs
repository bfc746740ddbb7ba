//! A path whose first hop carries more than the ones behind it, and nobody says so.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Program;
use crate::skip::{is_root, skip};

/// Three network namespaces in a row: a near one, a router, a far one. What is too long for the second hop vanishes, for
/// the router's messages about it are dropped, as many firewalls do. Gone when it is dropped.
pub struct NarrowPath {
    id: String,
}

/// Where a receiver in the far namespace listens.
pub const FAR: &str = "10.20.0.2";

impl NarrowPath {
    /// One of hops with these MTUs, in bytes; or says that `test` is skipped because nobody lets us.
    pub fn make(test: &str, first: u16, second: u16) -> Option<NarrowPath> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !is_root() {
            skip(test, "only root can make network namespaces");
            return None;
        }
        let id = format!("xb{}n{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = NarrowPath { id };
        if !path.lay(first, second) {
            skip(test, "there is no `ip`, or making network namespaces is not allowed here");
            return None;
        }
        Some(path)
    }

    /// A program at the near end.
    pub fn near(&self, program: Program) -> Program {
        self.within("near", program)
    }

    /// A program at the far end, where [`FAR`] is its address.
    pub fn far(&self, program: Program) -> Program {
        self.within("far", program)
    }

    /// From now on nothing of TCP to or from this port passes, and nobody is told.
    pub fn drop_tcp(&self, port: u16) {
        let router = self.name("router");
        for direction in ["sport", "dport"] {
            let rule = format!("-n {router} rule add priority 2 ipproto tcp {direction} {port} blackhole");
            assert!(ip(&rule), "ip {rule}");
        }
    }

    fn within(&self, place: &str, program: Program) -> Program {
        program.under("ip", ["netns", "exec", &self.name(place)])
    }

    fn name(&self, place: &str) -> String {
        format!("{}{place}", self.id)
    }

    fn lay(&self, first: u16, second: u16) -> bool {
        let [near, router, far] = ["near", "router", "far"].map(|place| self.name(place));
        let made = [&near, &router, &far].iter().all(|name| ip(&format!("netns add {name}")));
        let hop = |from: &str, network: &str, to: &str, mtu: u16| {
            ip(&format!("link add {network} netns {from} mtu {mtu} type veth peer name {network} netns {to} mtu {mtu}"))
                && [(from, 1), (to, 2)].iter().all(|(place, host)| {
                    ip(&format!("-n {place} address add 10.{network}.0.{host}/24 dev {network}"))
                        && ip(&format!("-n {place} link set {network} up"))
                })
        };
        made && hop(&near, "10", &router, first)
            && hop(&router, "20", &far, second)
            && ip(&format!("-n {near} route add default via 10.10.0.2"))
            && ip(&format!("-n {far} route add default via 10.20.0.1"))
            && ip(&format!("netns exec {router} sysctl -q net.ipv4.ip_forward=1"))
            && ip(&format!("-n {router} rule add priority 1 ipproto icmp blackhole"))
    }
}

impl Drop for NarrowPath {
    fn drop(&mut self) {
        for place in ["near", "router", "far"] {
            ip(&format!("netns delete {}", self.name(place)));
        }
    }
}

/// Runs `ip` with these arguments; whether it could.
fn ip(arguments: &str) -> bool {
    let mut ip = Command::new("ip");
    ip.args(arguments.split_whitespace()).stderr(Stdio::null());
    ip.status().is_ok_and(|status| status.success())
}
