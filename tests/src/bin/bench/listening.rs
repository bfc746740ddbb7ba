//! Whether somebody listens.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::job::Job;

/// How long a receiver may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// States of /proc/net: a TCP socket that listens, and a UDP socket that is connected to nobody.
const STATES: [(&str, &str); 4] = [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")];

/// Waits until somebody in the network namespace of `job` listens on a port.
pub(crate) fn wait_until_listening(job: Job, port: u16) -> Result<Job> {
    let deadline = Instant::now() + PATIENCE;
    while !is_listening(job.pid(), port) {
        if !job.is_alive() {
            job.wait()?;
            bail!("the receiver ended before it listened");
        }
        ensure!(Instant::now() < deadline, "nobody listens on port {port}: {}", job.words());
        thread::sleep(Duration::from_millis(5));
    }
    Ok(job)
}

fn is_listening(pid: u32, port: u16) -> bool {
    STATES.iter().any(|(table, state)| {
        let sockets = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        sockets.lines().skip(1).any(|socket| is_at(socket, port, state))
    })
}

/// Whether a line of /proc/net/tcp and its like is a socket in this state on this port.
fn is_at(socket: &str, port: u16, state: &str) -> bool {
    let fields: Vec<&str> = socket.split_whitespace().collect();
    let local = fields.get(1).and_then(|address| address.rsplit(':').next());
    local == Some(&format!("{port:04X}")) && fields.get(3) == Some(&state)
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn port_and_state_must_be_right() {
        let socket = "   0: 0100007F:270F 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 71 1";
        assert!(is_at(socket, 9999, "0A"));
        assert!(!is_at(socket, 9999, "07"));
        assert!(!is_at(socket, 9998, "0A"));
        assert!(!is_at("", 9998, "0A"));
    }
}
