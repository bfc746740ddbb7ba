//! The examples do what they say: the scripts of every folder, and the quickstart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xbtests::skip::skip;
use xbtests::{Backup, FakeTool, Program, Scene, program_path};

/// A folder of `examples/` that is being tried.
struct Example {
    name: &'static str,
    scene: Scene,
    backup: Backup,
    bin: PathBuf,
}

/// Marks the directory that is to be prepared, if one is; otherwise leaves `target` empty.
const PREPARE: &str = r#"target=
case $* in *--prepare*)
    for word in "$@"; do case $word in --target-dir=*) target=${word#*=};; esac; done
    touch "$target/prepared";;
esac"#;

/// What a tool says when it is done.
const DONE: &str = "echo 'completed OK!' >&2";

impl Example {
    fn new(name: &'static str) -> Example {
        let (scene, backup) = (Scene::new(), Backup::small());
        let stream = scene.file("stream", backup.stream()).display().to_string();
        scene.file("key", scene.key().reveal());
        Command::new("chmod").arg("600").arg(scene.path("key")).status().expect("chmod");
        let prepare_or_backup = format!("{PREPARE}; echo \"$@\" >> calls; [ -n \"$target\" ] || cat {stream}; {DONE}");
        let bin = scene.path("bin");
        FakeTool::new(&scene, "mariadb-backup", &prepare_or_backup)
            .and("gpg", "while [ \"$1\" != --output ]; do shift; done; tr A-Za-z N-ZA-Mn-za-m > \"$2\"");
        for program in ["xbsend", "xbrecv"] {
            std::os::unix::fs::symlink(program_path(program), bin.join(program)).expect("a link");
        }
        Example { name, scene, backup, bin }
    }

    fn script(&self, script: &str, variables: &[(&str, &str)]) -> Program {
        let path = root().join("examples").join(self.name).join(script);
        let program = self.scene.program(script, path).without_key();
        let program = program.env("PATH", format!("{}:/usr/bin:/bin", self.bin.display())).env("XB_KEY_FILE", "key");
        variables.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Runs both scripts with these variables on both sides; both must end well.
    fn run(&self, variables: &[(&str, &str)]) {
        let destination = self.script("destination.sh", variables).env("XB_LISTEN", "127.0.0.1:0").start();
        let to = destination.address();
        let source = self.script("source.sh", variables).env("XB_TO", to).start().wait();
        assert_eq!((source.code, destination.wait().code), (0, 0), "source and destination of {}", self.name);
        self.scene.expect_nobody_left();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.scene.path(name)).unwrap_or_else(|error| panic!("reading {name}: {error}"))
    }
}

#[test]
fn a_replica_is_unpacked_and_prepared() {
    let example = Example::new("replica");
    let owner = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    example.run(&[("TARGET", "mysql"), ("OWNER", &owner)]);
    fs::remove_file(example.scene.path("mysql/prepared")).expect("prepared");
    example.backup.expect_in(&example.scene.path("mysql"));
}

#[test]
fn a_nightly_backup_is_stored_and_an_old_one_forgotten() {
    let example = Example::new("nightly");
    example.scene.new_folder("backups");
    let old = example.scene.file("backups/2001-01-01.xbstream", "old");
    Command::new("touch").args(["-d", "2001-01-01"]).arg(&old).status().expect("touch");
    let foreign = example.scene.file("backups/notes", "mine");
    Command::new("touch").args(["-d", "2001-01-01"]).arg(&foreign).status().expect("touch");
    example.run(&[("BACKUPS", "backups"), ("XB_WAIT", "60s")]);
    let stored = example.scene.listing("backups");
    assert_eq!(stored.len(), 3, "{stored:?}");
    assert!(example.read(&format!("backups/{}", stored[0])) == example.backup.stream());
    assert_eq!((stored[1].clone(), &stored[2][..]), (format!("{}.sha1", stored[0]), "notes"));
}

#[test]
fn increments_start_where_the_receipt_says() {
    let example = Example::new("incremental");
    if !Path::new("/usr/bin/jq").exists() {
        return skip("increments_start_where_the_receipt_says", "jq is not installed (Debian: jq)");
    }
    example.scene.new_folder("receipts");
    example.scene.new_folder("chain");
    for name in ["1", "2"] {
        example.run(&[("RECEIPTS", "receipts"), ("CHAIN", "chain"), ("NAME", name)]);
    }
    assert_eq!(example.scene.listing("chain"), ["1.xbstream", "1.xbstream.sha1", "2.xbstream", "2.xbstream.sha1"]);
    assert_eq!(example.scene.listing("receipts"), ["last.json"]);
    let restore = example.script("restore.sh", &[("CHAIN", "chain"), ("TARGET", "restored")]);
    assert_eq!(restore.start().wait().code, 0);
    let calls = String::from_utf8(example.read("calls")).expect("UTF-8");
    let expected = [
        "--backup --stream=xbstream",
        "--backup --stream=xbstream --incremental-lsn=42",
        "--prepare --target-dir=restored",
        "--prepare --target-dir=restored --incremental-dir=restored.next",
    ];
    assert_eq!(calls.lines().collect::<Vec<_>>(), expected);
    fs::remove_file(example.scene.path("restored/prepared")).expect("prepared");
    example.backup.expect_in(&example.scene.path("restored"));
    assert!(!example.scene.path("restored.next").exists());
}

#[test]
fn a_stored_backup_is_verified_listed_and_unpacked_in_part() {
    let example = Example::new("stored");
    example.run(&[("FILE", "copy.xbstream")]);
    assert!(example.read("copy.xbstream") == example.backup.stream());
    let list = String::from_utf8(example.read("copy.xbstream.list")).expect("UTF-8");
    assert!(list.lines().any(|line| line.ends_with("  shop/orders.ibd")), "{list}");
    let target = example.scene.path("part").display().to_string();
    let part = example.script("part.sh", &[("FILE", "copy.xbstream"), ("TARGET", &target)]).start().wait();
    assert_eq!((part.code, part.stdout.as_slice()), (0, b"shop/orders.ibd: OK\n".as_slice()));
    assert_eq!(example.scene.listing("part"), ["shop/orders.ibd"]);
}

#[test]
fn a_rate_limited_copy_is_checked_and_stored() {
    let example = Example::new("rate-limited");
    example.run(&[("FILE", "copy.xbstream"), ("DATADIR", "bin"), ("RATE", "1g")]);
    assert!(example.read("copy.xbstream") == example.backup.stream());
}

#[test]
fn a_consumer_gets_the_whole_stream() {
    let example = Example::new("consumer");
    example.run(&[("FILE", "copy.gpg")]);
    assert_eq!(example.read("copy.gpg").len(), example.backup.stream().len());
    assert!(example.read("copy.gpg") != example.backup.stream());
    assert!(!example.scene.path("copy.gpg.partial").exists());
}

#[test]
fn a_consumer_that_fails_leaves_nothing() {
    let example = Example::new("consumer");
    fs::write(example.bin.join("gpg"), "#!/bin/sh\necho no such recipient >&2\nexit 2\n").expect("a script");
    let destination = example.script("destination.sh", &[("FILE", "copy.gpg")]).env("XB_LISTEN", "127.0.0.1:0").start();
    let to = destination.address();
    let source = example.script("source.sh", &[]).env("XB_TO", to).start().wait();
    assert_eq!((source.code, destination.wait().code), (7, 7));
    source.expect_said("no such recipient");
    assert!(!example.scene.path("copy.gpg").exists() && !example.scene.path("copy.gpg.partial").exists());
}

#[test]
fn a_directory_travels_as_a_tar_archive() {
    let example = Example::new("any-stream");
    example.scene.new_folder("files");
    example.scene.file("files/notes", "hello");
    example.run(&[("DIR", "files"), ("TARGET", "copy")]);
    assert_eq!(example.read("copy/notes"), b"hello");
}

#[test]
fn the_quickstart_prints_both_checksums_and_the_rate() {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("tests are in deps/");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["run", "--quiet", "--example", "quickstart", "--target-dir"]).arg(profile.parent().expect("a target"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let ended = cargo.args(["--", "20m"]).current_dir(root()).stdin(Stdio::null()).output().expect("cargo can be run");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{out}{err}");
    let sum = |side: &str| out.lines().find_map(|line| line.strip_prefix(side)).map(|sum| sum.trim().to_owned());
    assert_eq!(sum("sent").map(|sum| sum.len()), Some(40), "{out}");
    assert_eq!(sum("sent"), sum("received"));
    assert!(err.contains("/s, synced") && err.trim_end().ends_with("completed OK!"), "{err}");
}

#[test]
fn every_folder_is_tried() {
    let entries = fs::read_dir(root().join("examples")).expect("examples");
    let folders = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut names: Vec<String> = folders.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    assert_eq!(names, ["any-stream", "consumer", "incremental", "nightly", "rate-limited", "replica", "stored"]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}
