//! One stream through one peer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::job::Job;
use crate::listening::wait_until_listening;
use crate::peer::{Peer, To};
use crate::scenery::{Namespace, Scenery};
use crate::source::Source;
use crate::stage::Stage;
use crate::watch::Watch;

/// A transfer to be.
pub(crate) struct Transfer<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) scenery: &'a dyn Scenery,
    pub(crate) port: u16,
    pub(crate) stream: &'a Path,
    pub(crate) source: Source,
    pub(crate) to: To,
}

/// A transfer that has ended well.
pub(crate) struct Transferred {
    /// Bytes of the stream.
    pub(crate) bytes: u64,
    /// From the start of the sender to the end of both.
    pub(crate) wall: Duration,
    /// The most memory that the first processes of sender and receiver had, in kilobytes.
    pub(crate) peaks: [u64; 2],
}

impl Transfer<'_> {
    /// Runs it through a peer.
    pub(crate) fn run(&self, peer: &dyn Peer) -> Result<Transferred> {
        let folder = tempfile::tempdir_in(self.stage.folder()).context("a folder for a transfer")?;
        if let Some(preparation) = peer.preparation() {
            Job::start("preparing", self.stage.bash(preparation), Stdio::null(), &folder.path().join("prepare.log"))?
                .wait()?;
        }
        let out = self.out(folder.path())?;
        let receiver = peer.receiver(self.to).map(|line| self.listen(&line, &out, folder.path())).transpose()?;
        let watch = receiver.as_ref().map(|receiver| Watch::on(receiver.pid()));
        let (stdin, feed) = self.source.open(self.stream)?;
        let start = Instant::now();
        let line = self.line(self.scenery.sender(), &peer.sender(self.to), &out);
        let sender = Job::start("the sender", line, stdin, &folder.path().join("sender.log"))?;
        let watches = [Some(Watch::on(sender.pid())), watch];
        // When the sender fails, the receiver is dropped, and so killed.
        sender.wait()?;
        receiver.map_or(Ok(()), Job::wait)?;
        let (wall, bytes) = (start.elapsed(), feed.bytes()?);
        self.check(&out, bytes)?;
        if self.to == To::Folder {
            // It stays until the run is over. ext4 passes over inodes that were freed in the last minutes, one by one, so
            // that whoever made files after a tree was removed would be slow.
            let _ = folder.keep();
        }
        Ok(Transferred { bytes, wall, peaks: watches.map(|watch| watch.map_or(0, Watch::peak)) })
    }

    /// What `OUT` is.
    fn out(&self, folder: &Path) -> Result<PathBuf> {
        let out = folder.join("out");
        match self.to {
            To::Nowhere => return Ok("/dev/null".into()),
            To::File => {}
            To::Folder => fs::create_dir(&out).with_context(|| format!("making {}", out.display()))?,
        }
        Ok(out)
    }

    /// What ended well and lost something is no measurement.
    fn check(&self, out: &Path, bytes: u64) -> Result<()> {
        if self.to == To::File {
            let arrived = fs::metadata(out).with_context(|| format!("looking at {}", out.display()))?.len();
            ensure!(arrived == bytes, "{bytes} bytes were sent, and {arrived} arrived");
        }
        Ok(())
    }

    fn listen(&self, line: &str, out: &Path, folder: &Path) -> Result<Job> {
        let line = self.line(self.scenery.receiver(), line, out);
        wait_until_listening(Job::start("the receiver", line, Stdio::null(), &folder.join("receiver.log"))?, self.port)
    }

    /// A line of a peer as a command on one of the hosts.
    fn line(&self, host: &Namespace, line: &str, out: &Path) -> Command {
        let mut command = host.bash(line);
        self.stage.furnish(&mut command);
        command.stdout(Stdio::null()).env("OUT", out);
        command.env("HOST", self.scenery.address()).env("PORT", self.port.to_string());
        command
    }
}
