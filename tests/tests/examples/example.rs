//! A folder of `examples/` that is being tried.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use xbtests::{Backup, FakeSsh, FakeTool, Program, Running, Scene, program_path};

/// A folder, and the place in which its scripts run: with both programs, made-up tools, and the file of a key.
pub(crate) struct Example {
    name: &'static str,
    pub(crate) scene: Scene,
    pub(crate) backup: Backup,
    pub(crate) bin: PathBuf,
}

/// Marks the directory that is to be prepared, if one is; otherwise leaves `target` empty.
const PREPARE: &str = r#"target=
case $* in *--prepare*)
    for word in "$@"; do case $word in --target-dir=*) target=${word#*=};; esac; done
    touch "$target/prepared";;
esac"#;

/// What a tool says when it is done.
const DONE: &str = "echo 'completed OK!' >&2";

/// Variables of a script.
pub(crate) type Variables<'a> = &'a [(&'a str, &'a str)];

impl Example {
    pub(crate) fn new(name: &'static str) -> Example {
        let (scene, backup) = (Scene::new(), Backup::small());
        let stream = scene.file("stream", backup.stream()).display().to_string();
        let key = scene.file("key", scene.key().reveal());
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("a key for oneself");
        let prepare_or_backup = format!("{PREPARE}; echo \"$@\" >> calls; [ -n \"$target\" ] || cat {stream}; {DONE}");
        let bin = scene.path("bin");
        FakeTool::new(&scene, "mariadb-backup", &prepare_or_backup)
            .and("gpg", "while [ \"$1\" != --output ]; do shift; done; tr A-Za-z N-ZA-Mn-za-m > \"$2\"");
        FakeSsh::install(&scene);
        for program in ["xbsend", "xbrecv"] {
            std::os::unix::fs::symlink(program_path(program), bin.join(program)).expect("a link");
        }
        Example { name, scene, backup, bin }
    }

    /// A script of the folder.
    pub(crate) fn script(&self, script: &str, variables: Variables<'_>) -> Program {
        let path = super::root().join("examples").join(self.name).join(script);
        let program = self.scene.program(script, path).without_key();
        let program = program.env("PATH", format!("{}:/usr/bin:/bin", self.bin.display())).env("XB_KEY_FILE", "key");
        variables.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Runs both scripts with these variables on both sides, the destination first, for it listens; both must end well.
    pub(crate) fn run(&self, variables: Variables<'_>) {
        let destination = self.script("destination.sh", variables).env("XB_LISTEN", "127.0.0.1:0").start();
        let source = self.script("source.sh", variables).env("XB_TO", destination.address()).start().wait();
        assert_eq!((source.code, destination.wait().code), (0, 0), "source and destination of {}", self.name);
        self.scene.expect_nobody_left();
    }

    /// Starts the source, which listens.
    pub(crate) fn serve(&self, variables: Variables<'_>) -> Running {
        self.script("source.sh", variables).env("XB_LISTEN", "127.0.0.1:0").start()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.scene.path(name)).unwrap_or_else(|error| panic!("reading {name}: {error}"))
    }

    /// What is in a directory is the backup, and it has been prepared.
    pub(crate) fn expect_prepared(&self, name: &str) {
        fs::remove_file(self.scene.path(name).join("prepared")).expect("it is prepared");
        self.backup.expect_in(&self.scene.path(name));
    }
}

/// Whoever runs the test, as `--owner` takes it.
pub(crate) fn owner() -> String {
    format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
}
