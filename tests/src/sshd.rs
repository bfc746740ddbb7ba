//! A real sshd, and the ssh that knows the way to it.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::log::patience;
use crate::scene::MARK;
use crate::skip::skip;
use crate::{Program, Scene, program_path};

/// Where Debian and most others have it; it wants to be called by its path.
const SSHD: &str = "/usr/sbin/sshd";

/// What it is called in the configuration of the client.
pub const FAR_HOST: &str = "db7";

/// An sshd with keys and a configuration of its own, for whoever runs the test. Dropped, it is gone, and its connections are.
/// Programs that it starts belong to the scene.
pub struct Sshd {
    process: Child,
    client: PathBuf,
    address: String,
    port: u16,
}

impl Sshd {
    /// One on a free port of this host; or says that `test` is skipped because there is none.
    pub fn start(test: &str, scene: &Scene) -> Option<Sshd> {
        Sshd::start_as(test, scene, "127.0.0.1", |command| command)
    }

    /// One at `address`, run as `within` says: in a network namespace.
    pub fn start_as(test: &str, scene: &Scene, address: &str, within: impl Fn(Program) -> Program) -> Option<Sshd> {
        if !Path::new(SSHD).exists() {
            skip(test, "sshd is not installed (Debian: openssh-server)");
            return None;
        }
        let folder = scene.new_folder("ssh");
        for key in ["host", "client"] {
            keygen(&folder.join(key));
        }
        // Where a privileged one keeps those without privileges.
        let _ = fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        configure(scene, &folder, address, port);
        let program = within(scene.program("sshd", SSHD).args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")));
        let mut command = program.command;
        // In a session of its own, by which all of it can be found; and none of the scene's programs.
        command.env_remove(MARK).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.join("sshd.log")).expect("a log")).process_group(0);
        let process = command.spawn().expect("sshd");
        let sshd = Sshd { process, client: folder.join("ssh_config"), address: address.to_owned(), port };
        sshd.wait(&folder.join("sshd.log"));
        Some(sshd)
    }

    /// The words for `--ssh-command`: an ssh that knows [`FAR_HOST`], and has the right key.
    pub fn command(&self) -> String {
        format!("ssh -F {}", self.client.display())
    }

    /// `xbsend`, told how to start the `xbrecv` under test over there.
    pub fn sender<const N: usize>(&self, scene: &Scene, args: [&str; N]) -> Program {
        scene.xbsend([]).args(self.words("xbrecv")).args(args)
    }

    /// `xbrecv`, told how to start the `xbsend` under test over there, and what that is to run.
    pub fn receiver<const N: usize>(&self, scene: &Scene, args: [&str; N]) -> Program {
        scene.xbrecv([]).args(self.words("xbsend")).args(args)
    }

    /// The options by which `program` is started over there, where it listens on the address of ssh.
    pub fn words(&self, program: &str) -> Vec<OsString> {
        self.words_for(&program_path(program).display().to_string())
    }

    /// The same for whatever runs the program.
    pub fn words_for(&self, remote_path: &str) -> Vec<OsString> {
        let listen = format!("--remote-option=--listen={}:0", self.address);
        let words = ["--ssh", FAR_HOST, "--ssh-command", &self.command(), &listen, "--remote-path", remote_path];
        words.into_iter().map(OsString::from).collect()
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn wait(&self, log: &Path) {
        let deadline = Instant::now() + patience();
        while !fs::read_to_string(log).unwrap_or_default().contains("Server listening on") {
            assert!(Instant::now() < deadline, "sshd never listened: {:?}", fs::read_to_string(log));
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes a key pair without a passphrase.
fn keygen(path: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "xbtests", "-f"]).arg(path);
    assert!(keygen.status().expect("ssh-keygen").success());
}

/// Writes the files of both sides.
fn configure(scene: &Scene, folder: &Path, address: &str, port: u16) {
    let public = |key: &str| fs::read_to_string(folder.join(key).with_extension("pub")).expect("a public key");
    let (at, mark) = (folder.display(), scene.mark());
    fs::write(folder.join("authorized_keys"), public("client")).expect("the keys");
    fs::write(folder.join("known_hosts"), format!("[{address}]:{port} {}", public("host"))).expect("the hosts");
    let server = format!(
        "Port {port}\nListenAddress {address}\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized_keys\nPidFile none\n\
         StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nUseDNS no\nSetEnv {MARK}={mark} XB_CONFIG=/dev/null\n"
    );
    fs::write(folder.join("sshd_config"), server).expect("a configuration");
    let client = format!(
        "Host {FAR_HOST}\n  HostName {address}\n  Port {port}\nHost *\n  IdentityFile {at}/client\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {at}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  BatchMode yes\n"
    );
    fs::write(folder.join("ssh_config"), client).expect("a configuration");
}
