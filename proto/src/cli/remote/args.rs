//! The options for a program that is started on another host.

use std::ffi::OsString;
use std::str::FromStr;

use clap::Args;

use super::login::Login;
use super::ssh::{Ssh, words};

/// How the program on the other host is started over ssh.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Over ssh")]
pub struct SshArgs {
    /// Start the other program on HOST with your own ssh, and do the whole with one command
    ///
    /// ssh does as its configuration says (user, keys, agent, jump hosts); PORT is sshd's. The program there gets a key for
    /// this once over ssh, and ends with this one, or when ssh ends before the transfer has begun. The backup itself goes
    /// directly over UDP: to the address that ssh came to, to HOST, or to HOST:PORT if that is given as well.
    #[arg(long, value_name = "[USER@]HOST[:PORT]", conflicts_with_all = ["listen", "times", "key_file", "ssl_ca", "ssl_cert", "ssl_key", "ssl_mode", "fingerprint"])]
    ssh: Option<Login>,

    /// The command that connects, instead of ssh, with its options; quotes are heeded, but no shell is run
    #[arg(long, value_name = "COMMAND", default_value = "ssh", requires = "ssh")]
    ssh_command: SshCommand,

    /// What runs the other program there, such as 'sudo xbrecv'; the shell there reads it [default: its name]
    #[arg(long, value_name = "COMMAND", requires = "ssh")]
    remote_path: Option<OsString>,

    /// One more option for the other program, such as -M --decompress; may be repeated
    #[arg(short = 'M', long, value_name = "OPTION", allow_hyphen_values = true, requires = "ssh")]
    remote_option: Vec<OsString>,
}

/// The words of `--ssh-command`.
#[derive(Clone, Debug)]
struct SshCommand(Vec<String>);

impl FromStr for SshCommand {
    type Err = &'static str;

    fn from_str(line: &str) -> Result<SshCommand, Self::Err> {
        words(line).map(SshCommand)
    }
}

impl SshArgs {
    /// How to start the program that is called `program` on the other host, if that is to be done.
    pub fn ssh(&self, program: &str) -> Option<Ssh> {
        let login = self.ssh.clone()?;
        let remote_path = self.remote_path.clone().unwrap_or_else(|| program.into());
        Some(Ssh { words: self.ssh_command.0.clone(), login, remote_path })
    }

    /// Options for the program there.
    pub fn remote_options(&self) -> &[OsString] {
        &self.remote_option
    }
}
