//! A process to be: its command line, its surroundings, its three streams.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use crate::{Backup, Log, Running};

/// What a process reads.
pub enum Input {
    /// `/dev/null`.
    Nothing,
    /// A pipe with these bytes.
    Bytes(Vec<u8>),
    /// A pipe that is fed from a reader, and closed after it.
    Reader(Box<dyn Read + Send>),
    /// A file, a pipe's end, anything open.
    Open(Stdio),
}

/// Where a process writes.
pub enum Output {
    /// Kept, for [`crate::Ended::stdout`].
    Kept,
    /// A file, a pipe's end, anything open.
    Open(Stdio),
}

/// A process that is not started yet.
pub struct Program {
    pub(crate) name: String,
    pub(crate) command: Command,
    input: Input,
    output: Output,
    stderr: Option<Stdio>,
    pub(crate) logs: crate::scene::Logs,
}

impl Program {
    pub(crate) fn new(name: &str, path: impl AsRef<OsStr>, logs: crate::scene::Logs) -> Program {
        let command = Command::new(path);
        Program { name: name.to_owned(), command, input: Input::Nothing, output: Output::Kept, stderr: None, logs }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Program {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Program {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Takes the key out of its environment.
    pub fn without_key(mut self) -> Program {
        self.command.env_remove("XB_KEY");
        self
    }

    /// Takes everything out of its environment that would be a setting, and gives it an empty file of them.
    pub(crate) fn without_settings(mut self) -> Program {
        let settings =
            std::env::vars_os().map(|(name, _)| name).filter(|name| name.as_encoded_bytes().starts_with(b"XB_"));
        for name in settings {
            self.command.env_remove(name);
        }
        self.env("XB_CONFIG", "/dev/null")
    }

    /// Where it runs.
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Program {
        self.command.current_dir(dir.into());
        self
    }

    /// What it reads; nothing (`/dev/null`) unless told.
    pub fn input(mut self, input: Input) -> Program {
        self.input = input;
        self
    }

    /// Feeds it a backup through a pipe.
    pub fn feed(self, backup: &Backup) -> Program {
        self.input(Input::Bytes(backup.stream()))
    }

    /// Where its standard output goes; kept unless told.
    pub fn output(mut self, output: Output) -> Program {
        self.output = output;
        self
    }

    /// Sends its standard error elsewhere than to the log.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Program {
        self.stderr = Some(stderr.into());
        self
    }

    /// Starts it with standard error closed.
    pub fn without_stderr(self) -> Program {
        self.under("sh", ["-c", "exec \"$0\" \"$@\" 2>&-"])
    }

    /// Its arguments so far, the program first.
    pub(crate) fn words(&self) -> Vec<OsString> {
        std::iter::once(self.command.get_program()).chain(self.command.get_args()).map(OsStr::to_owned).collect()
    }

    /// It as the last arguments of another program, which is to run it in its own place.
    pub(crate) fn under<I: IntoIterator<Item: AsRef<OsStr>>>(self, other: &str, args: I) -> Program {
        let mut command = Command::new(other);
        command.args(args).args(self.words());
        surround(&mut command, &self.command);
        Program { command, ..self }
    }

    /// Starts it, in a process group of its own.
    pub fn start(mut self) -> Running {
        use std::os::unix::process::CommandExt;
        let (stdin, feeding) = match self.input {
            Input::Nothing => (Stdio::null(), None),
            Input::Bytes(bytes) => {
                (Stdio::piped(), Some(Box::new(std::io::Cursor::new(bytes)) as Box<dyn Read + Send>))
            }
            Input::Reader(reader) => (Stdio::piped(), Some(reader)),
            Input::Open(stdin) => (stdin, None),
        };
        let stdout = match self.output {
            Output::Kept => Stdio::piped(),
            Output::Open(stdout) => stdout,
        };
        self.command.stdin(stdin).stdout(stdout).stderr(self.stderr.unwrap_or_else(Stdio::piped)).process_group(0);
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("starting {}: {error}", self.name));
        if let (Some(mut reader), Some(mut pipe)) = (feeding, child.stdin.take()) {
            // A program that does not want the rest closes the pipe.
            thread::spawn(move || std::io::copy(&mut reader, &mut pipe).map(|_| pipe.flush()));
        }
        let log = match child.stderr.take() {
            Some(stderr) => Log::collect(self.name.clone(), stderr),
            None => Log::collect(self.name.clone(), std::io::empty()),
        };
        self.logs.add(log.clone());
        Running::new(self.name, child, log)
    }
}

/// Gives `command` the environment and the directory of another.
pub(crate) fn surround(command: &mut Command, other: &Command) {
    for (name, value) in other.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(dir) = other.get_current_dir() {
        command.current_dir(dir);
    }
}

impl From<File> for Input {
    fn from(file: File) -> Input {
        Input::Open(file.into())
    }
}
