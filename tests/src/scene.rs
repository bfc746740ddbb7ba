//! The place of one test.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use xbproto::key::Key;
use xbproto::tls::random;

use crate::log::patience;
use crate::{Ended, Log, Pace, Program, program_path};

/// Every process of a scene, and every child of theirs, has this in its environment.
pub(crate) const MARK: &str = "XBTESTS_SCENE";

/// A folder, a key, and the logs of everything that runs in it. When the test panics, it prints the logs.
pub struct Scene {
    folder: TempDir,
    key: Key,
    mark: String,
    logs: Logs,
    /// How long its programs put up with faults, if not as long as ever.
    pace: Option<Pace>,
}

/// The logs of a scene.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<Log>>>);

impl Scene {
    /// A new one, with a folder of its own.
    pub fn new() -> Scene {
        Scene::made(None)
    }

    /// One whose senders and receivers put up with faults as long as this says.
    pub fn at(pace: Pace) -> Scene {
        Scene::made(Some(pace))
    }

    fn made(pace: Option<Pace>) -> Scene {
        let folder = tempfile::Builder::new().prefix("xbtests-").tempdir().expect("a temporary folder");
        let key = Key::new(random().expect("random bytes"));
        let mark = format!("{}", folder.path().display());
        Scene { folder, key, mark, logs: Logs::default(), pace }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new folder in the folder.
    pub fn new_folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap_or_else(|error| panic!("making {}: {error}", path.display()));
        path
    }

    /// Writes a file in the folder.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
        path
    }

    /// What every process of this scene has in its environment, by the name [`MARK`].
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// The key that programs of this scene have in `XB_KEY`.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// A receiver on a free port of this host, with the scene's key.
    pub fn receiver<const N: usize>(&self, args: [&str; N]) -> Program {
        self.receiver_at("127.0.0.1:0").args(args)
    }

    /// A receiver at this address, with the scene's key.
    pub fn receiver_at(&self, address: &str) -> Program {
        self.xbrecv(["--listen", address]).args(self.pace.iter().flat_map(Pace::receiver_options))
    }

    /// A sender to this address, with the scene's key.
    pub fn sender<const N: usize>(&self, address: &str, args: [&str; N]) -> Program {
        self.xbsend([])
            .args(self.pace.iter().flat_map(Pace::sender_options))
            .args(args.iter().take_while(|arg| **arg != "--"))
            .arg(address)
            .args(args.iter().skip_while(|arg| **arg != "--"))
    }

    /// `xbrecv` with exactly these arguments, and the scene's key.
    pub fn xbrecv<const N: usize>(&self, args: [&str; N]) -> Program {
        self.program("xbrecv", program_path("xbrecv")).env("XB_KEY", self.key.reveal()).args(args)
    }

    /// `xbsend` with exactly these arguments, and the scene's key.
    pub fn xbsend<const N: usize>(&self, args: [&str; N]) -> Program {
        self.program("xbsend", program_path("xbsend")).env("XB_KEY", self.key.reveal()).args(args)
    }

    /// Runs a receiver and then, to where it listens, a sender. Returns how the sender and the receiver ended.
    pub fn transfer(&self, receiver: Program, sender: impl FnOnce(&str) -> Program) -> (Ended, Ended) {
        let receiver = receiver.start();
        let sender = sender(&receiver.address()).start();
        (sender.wait(), receiver.wait())
    }

    /// Any program. It runs in the scene's folder, without settings of whoever runs the tests.
    pub fn program(&self, name: &str, path: impl AsRef<Path>) -> Program {
        let program = Program::new(name, path.as_ref(), self.logs.clone()).without_settings();
        program.env(MARK, &self.mark).current_dir(self.folder())
    }

    /// What is in the folder, or in one below it: names relative to it, in order, without directories.
    pub fn listing(&self, below: &str) -> Vec<String> {
        let root = self.path(below);
        let mut names = Vec::new();
        list(&root, &root, &mut names);
        names.sort();
        names
    }

    /// Waits until a file in the folder has so many bytes.
    pub fn wait_for_size(&self, name: &str, bytes: u64) {
        let deadline = Instant::now() + patience();
        while fs::metadata(self.path(name)).map_or(0, |file| file.len()) < bytes {
            assert!(Instant::now() < deadline, "{name} never got {bytes} bytes");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills every process of this scene that is this program.
    pub fn kill(&self, program: &str) {
        for process in self.processes() {
            let words = fs::read(process.join("cmdline")).unwrap_or_default();
            let path = words.split(|byte| *byte == 0).next().unwrap_or_default();
            let pid = process.file_name().and_then(|name| name.to_str()?.parse().ok()).and_then(Pid::from_raw);
            if let (true, Some(pid)) = (Path::new(OsStr::from_bytes(path)).ends_with(program), pid) {
                // It may just have ended.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// The processes of this scene, or their children, that still live.
    pub fn living(&self) -> Vec<String> {
        self.processes().iter().filter_map(|process| describe(process)).collect()
    }

    /// Their folders in /proc.
    fn processes(&self) -> Vec<PathBuf> {
        let mark = format!("{MARK}={}\0", self.mark).into_bytes();
        let all = fs::read_dir("/proc").expect("a /proc").filter_map(|entry| Some(entry.ok()?.path()));
        all.filter(|process| is_marked(process, &mark)).collect()
    }

    /// No process of this scene is left. Those that were just killed get a moment to go.
    pub fn expect_nobody_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.living().is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.living(), Vec::<String>::new(), "processes are left");
    }

    /// A port of this host that was free a moment ago, for a receiver that cannot say where it listens, or for nobody.
    pub fn free_address(&self) -> SocketAddr {
        UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port")
    }

    /// Nobody listens on this port any more.
    pub fn expect_port_free(&self, address: &str) {
        UdpSocket::bind(address).unwrap_or_else(|error| panic!("{address} is not free: {error}"));
    }
}

impl Default for Scene {
    fn default() -> Scene {
        Scene::new()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            self.logs.0.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Log::print);
        }
    }
}

impl Logs {
    pub(crate) fn add(&self, log: Log) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(log);
    }
}

fn list(root: &Path, folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            list(root, &path, names);
        } else if let Ok(name) = path.strip_prefix(root) {
            names.push(name.display().to_string());
        }
    }
}

/// Whether the mark stands in the environment of a process.
fn is_marked(process: &Path, mark: &[u8]) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    environment.windows(mark.len()).any(|window| window == mark)
}

/// The command line of a process.
fn describe(process: &Path) -> Option<String> {
    let words = fs::read(process.join("cmdline")).ok()?;
    Some(format!("{}: {}", process.display(), String::from_utf8_lossy(&words).replace('\0', " ")))
}
