//! One stream, where it is unpacked, and what is expected of it.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use super::Snapshot;
use crate::{Ended, Scene, program_path};

/// Memory that a case may take, in MiB of writable pages, stacks included: the kernel gives no more (`RLIMIT_DATA`), and
/// a program that is refused memory aborts.
const MEMORY: u64 = 192;

/// How many cases run at a time.
const AT_A_TIME: usize = 4;

/// One stream, or several that come together.
pub struct Case {
    /// What it is, for messages.
    pub name: String,
    streams: Vec<Vec<u8>>,
    options: Vec<&'static str>,
    /// What the target directory has before; without, there is none.
    planted: Option<fn(&Path)>,
    memory: u64,
    outcome: Outcome,
}

enum Outcome {
    Refused { code: i32, said: String },
    Taken(BTreeMap<String, Vec<u8>>),
}

impl Case {
    /// A stream that is the fault of whoever made it: exit code 5. The message has the words `said` in it.
    pub fn refused(name: impl Into<String>, said: &str, stream: impl Into<Vec<u8>>) -> Case {
        let outcome = Outcome::Refused { code: 5, said: said.to_owned() };
        Case::new(name.into(), stream.into(), outcome)
    }

    /// A stream that must be taken, and what it comes to.
    pub fn taken(name: impl Into<String>, files: &[(&str, &[u8])], stream: impl Into<Vec<u8>>) -> Case {
        let files = files.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
        Case::new(name.into(), stream.into(), Outcome::Taken(files))
    }

    fn new(name: String, stream: Vec<u8>, outcome: Outcome) -> Case {
        Case { name, streams: vec![stream], options: Vec::new(), planted: None, memory: MEMORY, outcome }
    }

    /// It is the destination that fails: exit code 7.
    pub fn by_the_destination(mut self) -> Case {
        if let Outcome::Refused { code, .. } = &mut self.outcome {
            *code = 7;
        }
        self
    }

    /// With these options of the program.
    pub fn with<const N: usize>(mut self, options: [&'static str; N]) -> Case {
        self.options.extend(options);
        self
    }

    /// With one more stream of the same backup.
    pub fn and(mut self, stream: impl Into<Vec<u8>>) -> Case {
        self.streams.push(stream.into());
        self
    }

    /// Into a directory that is there, and in which this puts something.
    pub fn into(mut self, plant: fn(&Path)) -> Case {
        self.planted = Some(plant);
        self
    }

    /// With so many MiB of memory.
    pub fn within(mut self, memory: u64) -> Case {
        self.memory = memory;
        self
    }

    /// Unpacks it, and holds what became of it against what was expected.
    pub fn run(&self) {
        let scene = Scene::new();
        let canary = scene.new_folder("canary");
        fs::write(canary.join("file"), "alive").expect("space");
        fs::create_dir(canary.join("db")).expect("a folder");
        scene.file("key", super::formats::KEY);
        if let Some(plant) = self.planted {
            plant(&scene.new_folder("out"));
        }
        for (number, stream) in self.streams.iter().enumerate() {
            scene.file(&format!("stream.{number}"), stream);
        }
        let before = Snapshot::of(scene.folder());
        let ended = self.unpack(&scene);
        ended.expect_silence_on("panicked").expect_silence_on("please report");
        scene.expect_nobody_left();
        let after = Snapshot::of(scene.folder());
        match &self.outcome {
            Outcome::Refused { code, said } => {
                ended.expect_failure(*code).expect_said(said);
                ended.expect_said("left here: nothing");
                assert!(before == after, "{}: {:?}", self.name, before.differences(&after));
            }
            Outcome::Taken(files) => {
                ended.expect_success();
                assert!(before.without("out") == after.without("out"), "{}", self.name);
                assert_eq!(Snapshot::of(&scene.path("out")).files(), *files, "{}", self.name);
            }
        }
    }

    fn unpack(&self, scene: &Scene) -> Ended {
        let limited = format!("ulimit -d {} && exec \"$0\" \"$@\"", self.memory << 10);
        let program = scene.program(&self.name, "bash").args(["-c", &limited]).arg(program_path("xbrecv"));
        let streams = (0..self.streams.len()).flat_map(|number| ["--from".to_owned(), format!("stream.{number}")]);
        program.args(["-x", "-C", "out", "--expect", "xbstream"]).args(streams).args(&self.options).start().wait()
    }
}

/// Runs all of these, some at a time, and tells which of them failed.
pub fn run_all(cases: Vec<Case>) {
    let queue = Mutex::new(cases.into_iter());
    let next = || queue.lock().expect("no case ends while the lock is held").next();
    let failed = Mutex::new(Vec::new());
    let run = |case: Case| {
        if catch_unwind(AssertUnwindSafe(|| case.run())).is_err() {
            failed.lock().expect("a list").push(case.name);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| std::iter::from_fn(next).for_each(run));
        }
    });
    assert_eq!(failed.into_inner().expect("a list"), [""; 0], "these cases failed");
}
