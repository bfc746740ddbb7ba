//! Network namespaces: a host each.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A network namespace. One that was made here is deleted on drop.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
    maker: Maker,
}

#[derive(Debug, PartialEq, Eq)]
enum Maker {
    Us,
    Somebody,
}

impl Namespace {
    /// Makes one with a loopback device that is up.
    pub(crate) fn make(role: &str) -> Result<Namespace> {
        let namespace = Namespace { name: format!("xbbench-{}-{role}", std::process::id()), maker: Maker::Us };
        ip(&format!("netns add {}", namespace.name))?;
        ip(&format!("-n {} link set lo up", namespace.name))?;
        Ok(namespace)
    }

    /// One that somebody else made and removes.
    pub(crate) fn of_somebody(name: &str) -> Namespace {
        Namespace { name: name.to_owned(), maker: Maker::Somebody }
    }

    /// What `ip` calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A line of `bash` as a command that runs in it.
    pub(crate) fn bash(&self, line: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "bash", "-eu", "-o", "pipefail", "-c", line]);
        command
    }

    /// Lets TCP towards an address of another host use this congestion control. The route has it, because the variable of
    /// the kernel takes only what all users of the first namespace may use.
    pub(crate) fn control_congestion(&self, address: &str, name: &str) -> Result<()> {
        let route = format!("ip route replace $(ip -o route get {address} | sed 's/ uid .*//') congctl {name}");
        let status = self.bash(&route).status().context("starting ip")?;
        ensure!(status.success(), "setting the congestion control {name} towards {address} failed");
        Ok(())
    }

    /// Packets that its devices but loopback have received, and have sent or dropped on sending.
    pub(crate) fn packets(&self) -> Result<(u64, u64)> {
        let output = self.bash("cat /proc/net/dev").stdin(Stdio::null()).output().context("starting ip")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let devices = text.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| name.trim() != "lo");
        let counts = devices.map(|(_, counts)| {
            let counts: Vec<u64> = counts.split_whitespace().filter_map(|count| count.parse().ok()).collect();
            // bytes packets errs drop fifo frame compressed multicast, the same again for sending
            (counts.get(1).copied().unwrap_or(0), counts.get(9..12).map_or(0, |sent| sent[0] + sent[2]))
        });
        Ok(counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1)))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if self.maker == Maker::Us {
            let _ = ip(&format!("netns del {}", self.name));
        }
    }
}

/// Runs `ip`, and fails when it does. Its words go where ours go.
pub(crate) fn ip(arguments: &str) -> Result<()> {
    let status = Command::new("ip").args(arguments.split(' ')).status().context("starting ip")?;
    ensure!(status.success(), "`ip {arguments}` failed");
    Ok(())
}
