//! Two hosts and a cable, with a firewall on the far one.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Program;
use crate::skip::{is_root, skip};

/// The far host's address.
pub const THERE: &str = "10.30.0.2";

/// Two network namespaces, joined by a link. Gone when it is dropped.
pub struct TwoHosts {
    id: String,
}

impl TwoHosts {
    /// With a link of this MTU, in bytes; or says that `test` is skipped because nobody lets us.
    pub fn make(test: &str, mtu: u16) -> Option<TwoHosts> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !is_root() {
            skip(test, "only root can make network namespaces");
            return None;
        }
        let hosts = TwoHosts { id: format!("xb{}t{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)) };
        if !hosts.lay(mtu) {
            skip(test, "there is no `ip`, or making network namespaces is not allowed here");
            return None;
        }
        if !hosts.filters("") {
            skip(test, "there is no `nft`, or it may not filter packets here");
            return None;
        }
        Some(hosts)
    }

    /// A program on the near host.
    pub fn near(&self, program: Program) -> Program {
        program.under("ip", ["netns", "exec", &self.name("near")])
    }

    /// A program on the far host, where [`THERE`] is its address.
    pub fn far(&self, program: Program) -> Program {
        program.under("ip", ["netns", "exec", &self.name("far")])
    }

    /// Has the far host treat what comes in by these rules of nftables, and no others.
    pub fn filter(&self, rules: &str) {
        assert!(self.filters(rules), "nft does not take {rules:?}");
    }

    fn filters(&self, rules: &str) -> bool {
        let table = format!(
            "table inet xb\ndelete table inet xb\n\
             table inet xb {{ chain input {{ type filter hook input priority 0; {rules}; }}; }}\n"
        );
        let nft = Command::new("ip")
            .args(["netns", "exec", &self.name("far"), "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut nft) = nft else { return false };
        let written = nft.stdin.take().is_some_and(|mut stdin| stdin.write_all(table.as_bytes()).is_ok());
        nft.wait().is_ok_and(|status| status.success()) && written
    }

    fn lay(&self, mtu: u16) -> bool {
        let (near, far) = (self.name("near"), self.name("far"));
        let up = |host: &str, address: &str| {
            ip(&format!("-n {host} address add {address}/24 dev cable"))
                && ip(&format!("-n {host} link set cable up"))
                && ip(&format!("-n {host} link set lo up"))
        };
        ip(&format!("netns add {near}"))
            && ip(&format!("netns add {far}"))
            && ip(&format!("link add cable netns {near} mtu {mtu} type veth peer name cable netns {far} mtu {mtu}"))
            && up(&near, "10.30.0.1")
            && up(&far, THERE)
    }

    fn name(&self, place: &str) -> String {
        format!("{}{place}", self.id)
    }
}

impl Drop for TwoHosts {
    fn drop(&mut self) {
        for place in ["near", "far"] {
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
