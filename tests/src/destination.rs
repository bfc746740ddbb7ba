//! Where receivers of tests put what comes.

use std::thread;

use crate::{Program, Scene};

/// One of the two destinations that give nothing its name before it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `-o out.xb`.
    File,
    /// `-x -C data`.
    Directory,
}

impl Destination {
    /// All of them.
    pub const BOTH: [Destination; 2] = [Destination::File, Destination::Directory];

    /// Does this for each of them, at the same time: most of it is waiting.
    pub fn each(test: impl Fn(Destination) + Sync) {
        let test = &test;
        thread::scope(|scope| {
            for destination in Destination::BOTH {
                scope.spawn(move || test(destination));
            }
        });
    }

    /// A receiver to it.
    pub fn receiver(self, scene: &Scene) -> Program {
        self.receiver_below(scene, "")
    }

    /// A receiver to it below a folder of the scene, which ends with a slash.
    pub fn receiver_below(self, scene: &Scene, folder: &str) -> Program {
        match self {
            Destination::File => scene.receiver(["-o", &format!("{folder}out.xb")]),
            // Made by the receiver.
            Destination::Directory => scene.receiver(["-x", "-C", &format!("{folder}data")]),
        }
    }
}
