//! A long link made by a program.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Link, Namespace, Scenery};

/// Says where the ends are, and keeps the link until nobody wants it any more.
const KEEP: &str = r#"echo "$LINK_A $LINK_B $LINK_B_IP"; exec cat"#;

/// A link between two namespaces that exist while a program runs.
///
/// The program is run as `PROGRAM --delay 25ms --rate 500mbit --loss 0.1 -- COMMAND`, with the delay of one way and the
/// loss of each. It runs the command with `LINK_A` and `LINK_B`, the names of the namespaces, and `LINK_B_IP`, the
/// address of the second one, in its environment, and removes them when the command has ended.
pub(super) struct Emulated {
    sender: Namespace,
    receiver: Namespace,
    address: String,
    program: Child,
}

impl Emulated {
    pub(super) fn build(link: Link, program: &Path) -> Result<Emulated> {
        let mut command = Command::new(program);
        command.arg("--delay").arg(format!("{}ms", f64::from(link.round_trip) / 2.0));
        command.arg("--rate").arg(format!("{}mbit", link.rate)).arg("--loss").arg(link.loss.to_string());
        // In a group of its own: Ctrl-C is not for it, for it has to clean up.
        command.args(["--", "sh", "-c", KEEP]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut program = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        let mut line = String::new();
        let stdout = program.stdout.take().context("a pipe")?;
        BufReader::new(stdout).read_line(&mut line).context("reading from the emulator")?;
        let [a, b, address] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            let _ = program.wait();
            bail!("the emulator has set none of LINK_A, LINK_B, LINK_B_IP: {line:?}");
        };
        let [sender, receiver] = [a, b].map(Namespace::of_somebody);
        Ok(Emulated { sender, receiver, address: address.to_owned(), program })
    }
}

impl Scenery for Emulated {
    fn sender(&self) -> &Namespace {
        &self.sender
    }

    fn receiver(&self) -> &Namespace {
        &self.receiver
    }

    fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // Its command ends, and so does it.
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
