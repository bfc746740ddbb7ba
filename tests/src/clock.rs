//! Clocks that are set while a program runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::skip::skip;
use crate::{Program, Scene};

/// Where Debian and others have the library.
const FOLDERS: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
];

/// For programs with threads.
const LIBRARY: &str = "libfaketimeMT.so.1";

/// The clock on the wall of one program. What measures time with it goes wrong; the machine's own is left alone.
pub struct Clock {
    library: PathBuf,
    /// What it shows, for the library.
    setting: PathBuf,
}

impl Clock {
    /// A clock that is right, or says that `test` is skipped because there is no libfaketime.
    pub fn new(test: &str, scene: &Scene) -> Option<Clock> {
        let Some(library) = FOLDERS.iter().map(|folder| Path::new(folder).join(LIBRARY)).find(|path| path.exists())
        else {
            skip(test, "libfaketime is not installed");
            return None;
        };
        let clock = Clock { library, setting: scene.path("clock") };
        clock.set("+0");
        Some(clock)
    }

    /// The program with this clock.
    pub fn given_to(&self, program: Program) -> Program {
        let program = program.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", &self.setting);
        // A step is seen at once, and what is no clock on a wall is not one.
        program.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1")
    }

    /// Sets it, relative to the true time: `+1d`, `-1d`.
    pub fn set(&self, to: &str) {
        let new = self.setting.with_extension("new");
        fs::write(&new, to).expect("a file");
        fs::rename(&new, &self.setting).expect("a file");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn year(scene: &Scene, clock: &Clock) -> i32 {
        let date = clock.given_to(scene.program("date", "date").arg("+%Y")).start().wait();
        String::from_utf8_lossy(&date.stdout).trim().parse().expect("a year")
    }

    #[test]
    fn a_program_sees_the_time_it_is_told() {
        let scene = Scene::new();
        let Some(clock) = Clock::new("a_program_sees_the_time_it_is_told", &scene) else { return };
        let now = year(&scene, &clock);
        clock.set("+731d");
        assert_eq!(year(&scene, &clock), now + 2);
        clock.set("-731d");
        assert!(year(&scene, &clock) < now - 1);
    }
}
