//! Which source the command line and the standard input ask for.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::fs::FileType;

use super::{SourceError, input};

/// What the command line says about the source.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Everything after `--`.
    pub command: Vec<OsString>,
    /// `-i`: a file, or `-` for the standard input.
    pub input: Option<PathBuf>,
    /// `--tool`: which backup tool to run.
    pub tool: Option<OsString>,
    /// `--tool-args`: handed on to it.
    pub tool_args: Vec<OsString>,
}

/// What the standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// A pipe, a socket, a regular file: somebody meant it to be read.
    Stream,
    /// A terminal: a person sits there.
    Terminal,
    /// `/dev/null` or another character device: nobody means anything by it.
    Nothing,
}

/// The source to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A command and its arguments; never empty.
    Command(Vec<OsString>),
    /// The file, FIFO or device at this path.
    File(PathBuf),
    /// The standard input.
    Stdin,
    /// The backup tool that is found on the path.
    Tool {
        /// The one to take if there are several.
        name: Option<OsString>,
        /// The user's options for it.
        args: Vec<OsString>,
    },
}

impl Stdin {
    /// Looks at the standard input of this process. One that was closed is [`Stdin::Nothing`].
    pub fn inspect() -> Stdin {
        Stdin::of(io::stdin())
    }

    fn of(fd: impl AsFd) -> Stdin {
        match rustix::fs::fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Err(_) => Stdin::Nothing,
            Ok(FileType::CharacterDevice) if rustix::termios::isatty(&fd) => Stdin::Terminal,
            Ok(FileType::CharacterDevice) => Stdin::Nothing,
            Ok(_) => Stdin::Stream,
        }
    }
}

impl Choice {
    /// Bytes that the source would bring, where that is known without touching it.
    ///
    /// # Errors
    /// A failed source, if there is no file to be read.
    pub fn length(&self) -> Result<Option<u64>, SourceError> {
        match self {
            Choice::File(path) => input::length_of_file(path),
            Choice::Stdin => input::length_of_stdin(),
            Choice::Command(_) | Choice::Tool { .. } => Ok(None),
        }
    }
}

/// Decides what the source is: what the command line names, otherwise the standard input if
/// somebody meant it to be read, otherwise the backup tool that is installed.
///
/// # Errors
/// A usage error if the wish contradicts itself, or wants the backup read from a terminal.
pub fn choose(wish: Wish, stdin: Stdin) -> Result<Choice, SourceError> {
    wish.check()?;
    let Wish { command, input, tool, tool_args } = wish;
    if !command.is_empty() {
        return Ok(Choice::Command(command));
    }
    match input {
        Some(path) if path.as_os_str() != "-" => return Ok(Choice::File(path)),
        Some(_) if stdin == Stdin::Terminal => return Err(SourceError::Terminal),
        Some(_) => return Ok(Choice::Stdin),
        None => {}
    }
    let tool_meant = tool.is_some() || !tool_args.is_empty();
    match stdin {
        Stdin::Stream if !tool_meant => Ok(Choice::Stdin),
        _ => Ok(Choice::Tool { name: tool, args: tool_args }),
    }
}

impl Wish {
    /// Refuses a wish that names more than one source.
    fn check(&self) -> Result<(), SourceError> {
        let named = [
            (!self.command.is_empty(), "the command after `--`"),
            (self.input.is_some(), "-i"),
            (self.tool.is_some(), "--tool"),
            (!self.tool_args.is_empty(), "--tool-args"),
        ];
        let mut named = named.iter().filter(|(given, _)| *given).map(|(_, name)| *name);
        match (named.next(), named.next()) {
            // These two belong together.
            (Some("--tool"), Some("--tool-args")) => Ok(()),
            (Some(first), Some(second)) => Err(SourceError::TwoSources { first, second }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use xbproto::failure::Cause;

    use super::*;

    fn tool() -> Choice {
        Choice::Tool { name: None, args: vec![] }
    }

    fn command() -> Wish {
        Wish { command: vec!["mariabackup".into(), "--backup".into()], ..Wish::default() }
    }

    fn input(path: &str) -> Wish {
        Wish { input: Some(path.into()), ..Wish::default() }
    }

    #[test]
    fn what_is_named_is_taken_whatever_stdin_is() {
        for stdin in [Stdin::Stream, Stdin::Terminal, Stdin::Nothing] {
            assert_eq!(choose(command(), stdin).unwrap(), Choice::Command(command().command));
            assert_eq!(choose(input("a/b"), stdin).unwrap(), Choice::File("a/b".into()));
        }
    }

    #[test]
    fn without_a_word_stdin_decides() {
        assert_eq!(choose(Wish::default(), Stdin::Stream).unwrap(), Choice::Stdin);
        assert_eq!(choose(Wish::default(), Stdin::Terminal).unwrap(), tool());
        assert_eq!(choose(Wish::default(), Stdin::Nothing).unwrap(), tool());
    }

    #[test]
    fn a_dash_is_stdin_but_no_terminal() {
        assert_eq!(choose(input("-"), Stdin::Stream).unwrap(), Choice::Stdin);
        assert_eq!(choose(input("-"), Stdin::Nothing).unwrap(), Choice::Stdin);
        let error = choose(input("-"), Stdin::Terminal).unwrap_err();
        assert_eq!(error.cause(), Cause::Usage);
    }

    #[test]
    fn asking_for_the_tool_wins_over_a_pipe() {
        let wish = Wish { tool: Some("xtrabackup".into()), tool_args: vec!["--parallel=4".into()], ..Wish::default() };
        let expected = Choice::Tool { name: wish.tool.clone(), args: wish.tool_args.clone() };
        assert_eq!(choose(wish, Stdin::Stream).unwrap(), expected);
    }

    #[test]
    fn two_sources_are_refused() {
        let wishes = [
            Wish { input: Some("-".into()), ..command() },
            Wish { tool: Some("xtrabackup".into()), ..command() },
            Wish { tool_args: vec!["--parallel=4".into()], ..input("-") },
        ];
        for wish in wishes {
            let error = choose(wish, Stdin::Stream).unwrap_err();
            assert_eq!(error.cause(), Cause::Usage);
            assert!(error.to_string().contains(" and --tool") || error.to_string().contains(" and -i"), "{error}");
        }
    }

    #[test]
    fn kinds_of_stdin_are_told_apart() {
        let (pipe, _) = io::pipe().unwrap();
        assert_eq!(Stdin::of(&pipe), Stdin::Stream);
        assert_eq!(Stdin::of(tempfile::tempfile().unwrap()), Stdin::Stream);
        assert_eq!(Stdin::of(std::os::unix::net::UnixStream::pair().unwrap().0), Stdin::Stream);
        assert_eq!(Stdin::of(File::open("/dev/null").unwrap()), Stdin::Nothing);
        assert_eq!(Stdin::of(File::open("/dev/zero").unwrap()), Stdin::Nothing);
        assert_eq!(Stdin::of(File::open("/dev/ptmx").unwrap()), Stdin::Terminal);
    }
}
