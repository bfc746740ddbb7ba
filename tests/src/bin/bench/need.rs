//! What a row cannot be measured without.

use std::fmt;
use std::process::{Command, Stdio};

use crate::stage::Stage;

/// A thing that may not be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A program on the path.
    Program(&'static str),
    /// An option that the help of a program of ours lists, with or without its value.
    Option(&'static str, &'static str),
    /// A congestion control of TCP.
    Congestion(&'static str),
}

impl Need {
    /// Whether it is here.
    pub(crate) fn is_met(self, stage: &Stage) -> bool {
        match self {
            Need::Program(program) => says(stage.bash(&format!("command -v {program}"))).is_some(),
            Need::Option(program, option) => {
                let name = option.split('=').next().unwrap_or(option);
                let help = says(stage.bash(&format!("{program} -h"))).unwrap_or_default();
                help.split(|end: char| end.is_whitespace() || "[=,".contains(end)).any(|word| word == name)
            }
            Need::Congestion(name) => {
                let available = says(stage.bash("cat /proc/sys/net/ipv4/tcp_available_congestion_control"));
                available.is_some_and(|names| names.split_whitespace().any(|one| one == name))
            }
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Program(program) => write!(f, "{program} is not installed"),
            Need::Option(program, option) => write!(f, "this {program} has no {option}"),
            Need::Congestion(name) => {
                write!(f, "this kernel has no TCP congestion control {name} (modprobe tcp_{name})")
            }
        }
    }
}

/// What a command prints, if it ends well.
fn says(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
