//! How ssh is called, and what it knows of a host.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use super::login::Login;
use crate::process::keep_at_terminal;

/// How a program is started on another host.
#[derive(Clone, Debug)]
pub struct Ssh {
    /// The program that connects, and its first arguments: the words of `--ssh-command`.
    pub words: Vec<String>,
    /// Where to.
    pub login: Login,
    /// What the shell over there is to run: `--remote-path`.
    pub remote_path: OsString,
}

/// The one option of the program over there. All else it reads from its standard input.
pub const BY_SSH: &str = "--by-ssh";

/// How long ssh may think about its own configuration, which may run commands.
const CONFIGURATION: Duration = Duration::from_secs(5);

/// What makes ssh notice a connection that is cut, within 45 s, and keeps firewalls from forgetting one that is silent for
/// hours. Only for those who have not said how they want it.
const ALIVE: [&str; 2] = ["-oServerAliveInterval=15", "-oServerAliveCountMax=3"];

/// What ssh makes of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Effective {
    /// Where it connects to, by name or address.
    pub(super) host: Option<String>,
    /// Whether its configuration has it ask for signs of life.
    pub(super) asks_for_life: bool,
}

/// Splits a command line into words as a shell does, quotes and backslashes included, without running one.
///
/// # Errors
/// What is wrong with it.
pub(super) fn words(line: &str) -> Result<Vec<String>, &'static str> {
    match shlex::split(line) {
        None => Err("a quote or a backslash has nothing that ends it"),
        Some(words) if words.is_empty() => Err("it names no program"),
        Some(words) => Ok(words),
    }
}

impl Ssh {
    /// As which this host is spoken of.
    pub fn label(&self) -> &str {
        &self.login.host
    }

    /// What to try by hand when it does not connect.
    pub(super) fn trial(&self) -> String {
        let port = self.login.port.map(|port| format!("-p {port} ")).unwrap_or_default();
        format!("{} {port}{} true", self.words.join(" "), self.login.destination())
    }

    /// The command that starts the program. No pty: it would change bytes. No forwardings of the configuration: another
    /// connection may have them already, and nobody needs them here.
    pub(super) fn start(&self, effective: &Effective) -> Command {
        let mut command = self.command(&["-T", "-oClearAllForwardings=yes"]);
        if !effective.asks_for_life {
            command.args(ALIVE);
        }
        self.finish(&mut command);
        let far: [&OsStr; 3] = [&self.remote_path, " ".as_ref(), BY_SSH.as_ref()];
        command.arg(far.into_iter().collect::<OsString>());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Asks ssh what its configuration makes of the host. Nothing is known where it does not say.
    pub(super) async fn effective(&self) -> Effective {
        let mut command = self.command(&["-G"]);
        self.finish(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let output = tokio::process::Command::from(command).kill_on_drop(true).output();
        match timeout(CONFIGURATION, output).await {
            Ok(Ok(output)) if output.status.success() => parse(&String::from_utf8_lossy(&output.stdout)),
            _ => Effective::default(),
        }
    }

    fn command(&self, options: &[&str]) -> Command {
        let (program, first) = self.words.split_first().map_or(("ssh", &[][..]), |(program, first)| (program, first));
        let mut command = Command::new(program);
        command.args(first).args(options);
        keep_at_terminal(&mut command);
        command
    }

    fn finish(&self, command: &mut Command) {
        if let Some(port) = self.login.port {
            command.arg("-p").arg(port.to_string());
        }
        command.arg(self.login.destination());
    }
}

/// Reads what `ssh -G` prints.
fn parse(text: &str) -> Effective {
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let host = value("hostname").filter(|host| !host.is_empty()).map(str::to_owned);
    Effective { host, asks_for_life: value("serveraliveinterval").is_some_and(|seconds| seconds != "0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(line: &str, login: &str) -> Ssh {
        Ssh { words: words(line).unwrap(), login: login.parse().unwrap(), remote_path: "sudo xbrecv".into() }
    }

    fn line(command: &Command) -> Vec<&str> {
        std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_str().unwrap()).collect()
    }

    #[test]
    fn the_command_line_is_the_same_for_everybody() {
        let ssh = ssh("ssh -i 'my key'", "backup@db7:2222");
        let silent = Effective::default();
        let expected = ["ssh", "-i", "my key", "-T", "-oClearAllForwardings=yes", ALIVE[0], ALIVE[1], "-p", "2222"];
        assert_eq!(line(&ssh.start(&silent)), [&expected[..], &["backup@db7", "sudo xbrecv --by-ssh"]].concat());
        let alive = Effective { asks_for_life: true, ..silent };
        assert!(!line(&ssh.start(&alive)).contains(&ALIVE[0]));
        assert_eq!(ssh.trial(), "ssh -i my key -p 2222 backup@db7 true");
    }

    #[test]
    fn words_are_split_without_a_shell() {
        assert_eq!(words(r#"ssh -o "A=b c" $HOME \$x"#).unwrap(), ["ssh", "-o", "A=b c", "$HOME", "$x"]);
        assert!(words("ssh 'x").is_err() && words(" ").is_err());
    }

    #[test]
    fn the_configuration_is_read() {
        let text = "user root\nhostname db7.example.com\nport 22\nserveraliveinterval 0\n";
        assert_eq!(parse(text), Effective { host: Some("db7.example.com".into()), asks_for_life: false });
        assert!(parse("ServerAliveInterval 30\n").asks_for_life);
        assert_eq!(parse("Last login: yesterday"), Effective::default());
    }

    #[tokio::test]
    async fn a_command_that_is_no_ssh_knows_nothing() {
        assert_eq!(ssh("/nonexistent/ssh", "db7").effective().await, Effective::default());
        assert_eq!(ssh("false", "db7").effective().await, Effective::default());
    }
}
