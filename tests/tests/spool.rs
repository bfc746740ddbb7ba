//! A source goes on while the link takes nothing, as far as its spool goes.
//!
//! A receiver that is stopped stands for a link that is down.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use xbtests::{Endless, FakeTool, Running, Scene, SmallDisk};

/// More than the window, the memory of the spool and the smallest spool hold together.
const LONG: u64 = 100 << 20;

/// What the sender says when its source is at its end.
const SOURCE_ENDED: &str = "backup: tool finished, waiting for the receiver";

/// A sender whose receiver has stopped taking anything, and a source of [`LONG`] that begins to give then.
struct Stalled {
    scene: Scene,
    receiver: Running,
    sender: Running,
}

impl Stalled {
    /// With a spool in this folder of the scene, which is made unless it is a disk.
    fn new(scene: Scene, spool: &str) -> Stalled {
        let mut stream = File::create(scene.path("whole.xb")).expect("a file");
        std::io::copy(&mut Endless::new(LONG), &mut stream).expect("a stream");
        let script = "while ! [ -e go ]; do sleep 0.02; done; cat whole.xb; echo 'completed OK!' >&2";
        let tool = FakeTool::new(&scene, "mariadb-backup", script);
        let receiver = scene.receiver(["-o", "out.xb"]).start();
        let command = ["-v", "--spool", spool, "--", &tool.tool("mariadb-backup"), "--backup"];
        let sender = scene.sender(&receiver.address(), command).start();
        sender.log().wait_for("sending to");
        receiver.signal(Signal::STOP);
        scene.file("go", "");
        Stalled { scene, receiver, sender }
    }

    /// Lets the receiver go on: everything arrives, and the sender has given this warning once. Returns where.
    fn goes_on_well(self, warning: Option<&str>) -> Scene {
        self.receiver.signal(Signal::CONT);
        let sent = self.sender.wait();
        sent.expect_success().expect_said("has run empty");
        self.receiver.wait().expect_success();
        let [ours, theirs] = ["whole.xb", "out.xb"].map(|file| fs::read(self.scene.path(file)).expect("a stream"));
        assert!(ours == theirs, "out.xb is not as it was sent");
        if let Some(warning) = warning {
            assert_eq!(sent.log.matches(warning).count(), 1, "{warning:?}");
        }
        self.scene
    }

    /// Lets the receiver go on: both fail with this code and these words.
    fn goes_on_badly(self, code: i32, words: &str) {
        self.receiver.signal(Signal::CONT);
        self.sender.wait().expect_failure(code).expect_said(words);
        self.receiver.wait().expect_failure(code).expect_said(words);
        self.scene.expect_nobody_left();
    }
}

/// Waits until the thread that fills the spool has done that.
fn wait_until_filled(pid: u32) {
    let filling = |task: &Path| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim_end() == "fill-0");
    let tasks = || fs::read_dir(format!("/proc/{pid}/task")).expect("a process").flatten();
    while tasks().any(|task| filling(&task.path())) {
        thread::sleep(Duration::from_millis(5));
    }
}

/// The file that a process has open in this folder although it has no name.
fn nameless_file(pid: u32, folder: &Path) -> Option<PathBuf> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("a process");
    open.flatten().map(|entry| entry.path()).find(|fd| {
        fs::read_link(fd).is_ok_and(|file| file.starts_with(folder) && file.to_string_lossy().ends_with("(deleted)"))
    })
}

#[test]
fn a_source_with_a_spool_ends_long_before_the_link() {
    let scene = Scene::new();
    scene.new_folder("spool");
    let stalled = Stalled::new(scene, "spool,1g");
    stalled.sender.log().wait_for_line("spooling to spool");
    stalled.sender.log().wait_for(SOURCE_ENDED);
    stalled.goes_on_well(None);
}

#[test]
fn a_full_spool_holds_up_its_source() {
    let scene = Scene::new();
    scene.new_folder("spool");
    let stalled = Stalled::new(scene, "spool,16m");
    let warning = "the spool of 16.0 MiB in spool is full, the source waits";
    stalled.sender.log().wait_for_line(warning);
    stalled.goes_on_well(Some(warning));
}

#[test]
fn a_full_disk_of_the_spool_holds_up_its_source() {
    let scene = Scene::new();
    let test = "a_full_disk_of_the_spool_holds_up_its_source";
    let Some(disk) = SmallDisk::mount(test, scene.new_folder("disk"), 8 << 20) else { return };
    let stalled = Stalled::new(scene, "disk,1g");
    let warning = "the spool in disk takes no more: it leaves the last 5 % of its file system alone";
    stalled.sender.log().wait_for_line(warning);
    let free = rustix::fs::statvfs(disk.path()).expect("a file system");
    assert!(free.f_bavail * 20 >= free.f_blocks, "the last 5 % are not left alone");
    let scene = stalled.goes_on_well(Some(warning));
    // A folder with a disk in it cannot be removed.
    drop(disk);
    drop(scene);
}

#[test]
fn a_spool_that_was_changed_is_damage() {
    let (stalled, file, offset) = filled();
    file.write_all_at(b"damage", offset + 1234).expect("a file to be written");
    let words = format!("the spool in spool is damaged: 1048576 bytes at offset {offset} were written with CRC");
    stalled.goes_on_badly(5, &words);
}

#[test]
fn a_spool_that_cannot_be_read_is_a_failed_source() {
    let (stalled, file, offset) = filled();
    file.set_len(offset + 1234).expect("a file to be cut");
    stalled.goes_on_badly(6, &format!("reading 1048576 bytes at offset {offset} of the spool in spool: "));
}

/// A sender that has spooled all that the window did not take, its file, and where the last whole MiB in it begins.
fn filled() -> (Stalled, File, u64) {
    let scene = Scene::new();
    let folder = scene.new_folder("spool");
    let stalled = Stalled::new(scene, "spool,1g");
    stalled.sender.log().wait_for(SOURCE_ENDED);
    wait_until_filled(stalled.sender.pid());
    let file = nameless_file(stalled.sender.pid(), &folder).expect("a spool file");
    let file = File::options().write(true).open(file).expect("a spool file");
    let whole = file.metadata().expect("a spool file").len() >> 20;
    (stalled, file, (whole - 1) << 20)
}

#[test]
fn a_killed_sender_leaves_no_spool() {
    let scene = Scene::new();
    let folder = scene.new_folder("spool");
    let stalled = Stalled::new(scene, "spool,1g");
    stalled.sender.log().wait_for(SOURCE_ENDED);
    assert!(nameless_file(stalled.sender.pid(), &folder).is_some(), "there is no spool");
    stalled.sender.signal(Signal::KILL);
    assert_eq!(stalled.sender.wait().code, 137);
    assert_eq!(stalled.scene.listing("spool"), Vec::<String>::new());
}
