//! A backup as several streams.

use crate::{Backup, Ended, FifoTool, Pace, Program, Scene};

/// A scene with the streams of a backup in `stream.0` and so on, and a temporary folder of its own.
pub struct Streams {
    /// The scene.
    pub scene: Scene,
    /// What all streams are together.
    pub backup: Backup,
}

impl Streams {
    /// A backup as `N` streams.
    pub fn new<const N: usize>(backup: Backup) -> Streams {
        let scene = Scene::at(Pace::of_this_run());
        scene.new_folder("tmp");
        for (index, stream) in backup.streams::<N>().iter().enumerate() {
            scene.file(&format!("stream.{index}"), stream);
        }
        Streams { scene, backup }
    }

    /// A small one as three.
    pub fn small() -> Streams {
        Streams::new::<3>(Backup::small())
    }

    /// A sender whose temporary files are in the scene.
    pub fn sender<const N: usize>(&self, to: &str, args: [&str; N]) -> Program {
        self.scene.sender(to, args).env("TMPDIR", self.scene.path("tmp"))
    }

    /// An xtrabackup that does as it is told with them. Returns its path.
    pub fn tool(&self, tool: &FifoTool) -> String {
        tool.install(&self.scene, "xtrabackup")
    }

    /// Sends to a tree; both succeed.
    pub fn send<const N: usize>(&self, args: [&str; N]) -> Ended {
        let receiver = self.scene.receiver(["-x", "-C", "data"]);
        let (sent, received) = self.scene.transfer(receiver, |to| self.sender(to, args));
        sent.expect_success();
        received.expect_success();
        self.backup.expect_in(&self.scene.path("data"));
        self.expect_no_trace();
        sent
    }

    /// Sends to a tree; both fail with this code for the same reason.
    pub fn fail<const N: usize>(&self, code: i32, words: &str, args: [&str; N]) {
        let receiver = self.scene.receiver(["-x", "-C", "data"]);
        let (sent, received) = self.scene.transfer(receiver, |to| self.sender(to, args));
        for ended in [&sent, &received] {
            ended.expect_failure(code).expect_said(words);
        }
        assert_eq!(self.scene.listing("data"), Vec::<String>::new());
        self.expect_no_trace();
    }

    /// No process is left, and no FIFO.
    pub fn expect_no_trace(&self) {
        self.scene.expect_nobody_left();
        assert_eq!(self.scene.listing("tmp"), Vec::<String>::new());
        assert_eq!(self.scene.listing("fifos"), Vec::<String>::new());
    }
}
