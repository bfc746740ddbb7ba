//! A private database server.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::log::patience;
use crate::skip::{is_root, skip};
use crate::{Program, Running, Scene};

/// A MariaDB server with its own data directory and socket, without a port. Killed on drop.
pub struct MariaDb {
    data: PathBuf,
    socket: PathBuf,
    server: Running,
}

/// A folder of a server's own for temporary tables: one that starts removes those of all others from the folder that it
/// finds them in.
fn temporary(scene: &Scene, data: &Path) -> PathBuf {
    // The server's user passes through it.
    fs::set_permissions(scene.folder(), Permissions::from_mode(0o711)).expect("the scene's owner");
    let folder = data.with_extension("tmp");
    fs::create_dir_all(&folder).expect("a folder");
    fs::set_permissions(&folder, Permissions::from_mode(0o1777)).expect("a folder of one's own");
    folder
}

impl MariaDb {
    /// Whether everything is installed; says that `test` is skipped if not.
    pub fn is_installed(test: &str) -> bool {
        let programs = ["mariadbd", "mariadb-install-db", "mariadb", "mariadb-backup", "mbstream", "mariadb-binlog"];
        let missing = programs.iter().find(|program| find(program).is_none());
        if let Some(program) = missing {
            skip(test, &format!("{program} is not installed (Debian: mariadb-server, mariadb-backup)"));
        }
        missing.is_none()
    }

    /// A new server with an empty database directory, whose every change goes to its binlog.
    pub fn create(scene: &Scene, name: &str) -> MariaDb {
        let data = scene.new_folder(name);
        let mut install = scene.program("mariadb-install-db", find("mariadb-install-db").expect("installed"));
        install = install.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(user_option());
        let install =
            install.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]);
        let install = install.env("TMPDIR", temporary(scene, &data));
        assert_eq!(install.start().wait().code, 0, "mariadb-install-db failed");
        MariaDb::start(scene, data)
    }

    /// A server on a data directory that is there.
    pub fn start(scene: &Scene, data: PathBuf) -> MariaDb {
        give_to_server(&data);
        let socket = data.join("server.sock");
        let server = scene.program("mariadbd", find("mariadbd").expect("installed")).arg("--no-defaults");
        let server = server.arg(format!("--datadir={}", data.display())).arg(format!("--socket={}", socket.display()));
        let server =
            server.arg(format!("--pid-file={}", data.join("server.pid").display())).args(user_option()).args(OPTIONS);
        let server = server.env("TMPDIR", temporary(scene, &data));
        let mut server = MariaDb { data, socket, server: server.start() };
        server.wait_until_ready();
        server
    }

    /// Where its files are.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The option that leads clients and backup tools to it.
    pub fn socket_option(&self) -> String {
        format!("--socket={}", self.socket.display())
    }

    /// A client in batch mode, reading statements from wherever it is told.
    pub fn client(&self, scene: &Scene) -> Program {
        let client = scene.program("mariadb", find("mariadb").expect("installed")).arg("--no-defaults");
        client.arg(self.socket_option()).args(["--user=root", "--batch", "--skip-column-names", "--unbuffered"])
    }

    /// Runs statements and returns the lines of their results. Panics when one fails.
    pub fn run(&self, scene: &Scene, statements: &str) -> Vec<String> {
        let client = self.client(scene).input(crate::Input::Bytes(statements.as_bytes().to_vec()));
        let ended = client.start().wait();
        assert_eq!(ended.code, 0, "the statements failed: {}", ended.log);
        String::from_utf8_lossy(&ended.stdout).lines().map(str::to_owned).collect()
    }

    /// A connection that is used again and again.
    pub fn session(&self) -> Session {
        let mut client = Command::new("mariadb");
        client.arg("--no-defaults").arg(self.socket_option()).args(["--user=root", "--batch", "--skip-column-names"]);
        client.arg("--unbuffered").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = client.spawn().expect("a client");
        let statements = client.stdin.take().expect("piped");
        let results = BufReader::new(client.stdout.take().expect("piped"));
        Session { client, statements, results }
    }

    /// Shuts it down in order.
    pub fn stop(self) {
        self.server.signal(rustix::process::Signal::TERM);
        self.server.wait();
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + patience();
        while !self.answers() {
            assert!(self.server.is_alive(), "the server has ended: {}", self.server.log().text());
            assert!(Instant::now() < deadline, "the server is not ready within {:?}", patience());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        let mut client = Command::new("mariadb");
        client.arg("--no-defaults").arg(self.socket_option()).args(["--user=root", "--execute=SELECT 1"]);
        client
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// A client that is connected.
pub struct Session {
    client: Child,
    statements: ChildStdin,
    results: BufReader<ChildStdout>,
}

impl Session {
    /// Runs statements to their end. Panics when one fails.
    pub fn run(&mut self, statements: &str) {
        let sent = writeln!(self.statements, "{statements}; SELECT 'done';").and_then(|()| self.statements.flush());
        let mut line = String::new();
        while line.trim_end() != "done" {
            line.clear();
            let read = self.results.read_line(&mut line);
            assert!(
                sent.is_ok() && matches!(read, Ok(1..)),
                "a statement failed (see the client's words): {statements}"
            );
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

/// As small and as quick as a server can be that still logs everything.
const OPTIONS: [&str; 12] = [
    "--skip-networking",
    "--skip-slave-start",
    "--server-id=1",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=64M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-use-native-aio=0",
    "--plugin-maturity=unknown",
    "--loose-innodb-compression-default=OFF",
];

/// A server never runs as root unless it is told to, and it is better not told.
fn user_option() -> Option<&'static str> {
    is_root().then_some("--user=mysql")
}

/// Makes the server's user the owner of its data, and lets it pass through the scene's folder.
fn give_to_server(data: &Path) {
    if !is_root() {
        return;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("a list of users");
    let mysql = passwd.lines().find(|line| line.starts_with("mysql:")).expect("a user mysql");
    let ids: Vec<u32> = mysql.split(':').skip(2).take(2).filter_map(|id| id.parse().ok()).collect();
    own(data, ids[0], ids[1]);
}

fn own(path: &Path, user: u32, group: u32) {
    chown(path, Some(user), Some(group)).unwrap_or_else(|error| panic!("chown {}: {error}", path.display()));
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("readable").flatten() {
            own(&entry.path(), user, group);
        }
    }
}

/// A program on the PATH, or where Debian puts servers.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}
