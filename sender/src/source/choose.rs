//! Which source the command line and the standard input ask for.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::fs::FileType;

use xbproto::wire::MAX_LANES;

use super::fifo::{FifoWish, Output, output, output_of_tool};
use super::{SourceError, dir, input};

/// What the command line says about the source.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Everything after `--`.
    pub command: Vec<OsString>,
    /// `-i`, in order: files, or `-` for the standard input.
    pub inputs: Vec<PathBuf>,
    /// Whether a FIFO among them may begin with a byte that is no part of its stream.
    pub lead: Lead,
    /// `--dir`: a directory.
    pub dir: Option<PathBuf>,
    /// `--tool`: which backup tool to run.
    pub tool: Option<OsString>,
    /// `--tool-args`: handed on to it.
    pub tool_args: Vec<OsString>,
    /// `--fifo-streams` and what belongs to it.
    pub fifos: FifoWish,
}

/// What a FIFO may begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lead {
    /// The byte that xtrabackup writes before an xbstream.
    #[default]
    SyncByte,
    /// Nothing that is not part of its bytes, whatever they are.
    Nothing,
}

/// Something to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The standard input.
    Stdin,
    /// The file, FIFO or device at this path.
    File(PathBuf),
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
    /// A command and its arguments, which are never empty, and where it writes.
    Command(Vec<OsString>, Output),
    /// The files of this directory.
    Directory(PathBuf),
    /// What is there already, a lane each; never nothing.
    Read(Vec<Origin>, Lead),
    /// The backup tool that is found on the path.
    Tool {
        /// The one to take if there are several.
        name: Option<OsString>,
        /// The user's options for it.
        args: Vec<OsString>,
        /// Where it writes.
        output: Output,
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
            Choice::Read(origins, _) => input::length(origins),
            Choice::Directory(path) => Ok(Some(dir::length(path)?)),
            Choice::Command(..) | Choice::Tool { .. } => Ok(None),
        }
    }

    /// How many lanes the source will have.
    pub fn lanes(&self) -> u16 {
        match self {
            Choice::Read(origins, _) => u16::try_from(origins.len()).unwrap_or(u16::MAX),
            Choice::Directory(_) => 1,
            Choice::Command(_, output) | Choice::Tool { output, .. } => output.streams(),
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
    let Wish { command, inputs, lead, dir, tool, tool_args, fifos } = wish;
    if !command.is_empty() {
        let output = output(&command, &fifos)?;
        return Ok(Choice::Command(command, output));
    }
    if let Some(dir) = dir {
        return Ok(Choice::Directory(dir));
    }
    if !inputs.is_empty() {
        return Ok(Choice::Read(origins(inputs, stdin)?, lead));
    }
    let tool_meant = tool.is_some() || !tool_args.is_empty() || fifos.streams.is_some();
    match stdin {
        Stdin::Stream if !tool_meant => Ok(Choice::Read(vec![Origin::Stdin], lead)),
        _ => {
            let output = output_of_tool(&tool_args, &fifos)?;
            Ok(Choice::Tool { name: tool, args: tool_args, output })
        }
    }
}

fn origins(inputs: Vec<PathBuf>, stdin: Stdin) -> Result<Vec<Origin>, SourceError> {
    let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
    let dashes = inputs.iter().filter(|path| is_stdin(path)).count();
    match (dashes, stdin) {
        (1, Stdin::Terminal) => return Err(SourceError::Terminal),
        (2.., _) => return Err(SourceError::StdinTwice),
        _ if inputs.len() > usize::from(MAX_LANES) => return Err(SourceError::TooMany { inputs: inputs.len() }),
        _ => {}
    }
    let origin = |path| if is_stdin(&path) { Origin::Stdin } else { Origin::File(path) };
    Ok(inputs.into_iter().map(origin).collect())
}

impl Wish {
    /// Refuses a wish that names more than one source.
    fn check(&self) -> Result<(), SourceError> {
        let named = [
            (!self.command.is_empty(), "the command after `--`"),
            (!self.inputs.is_empty(), "-i"),
            (self.dir.is_some(), "--dir"),
            (self.tool.is_some(), "--tool"),
            (!self.tool_args.is_empty(), "--tool-args"),
        ];
        if self.fifos.streams.is_some() && (self.dir.is_some() || !self.inputs.is_empty()) {
            return Err(SourceError::FifosOfNothing);
        }
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
        Choice::Tool { name: None, args: vec![], output: Output::Stdout }
    }

    fn read(origin: Origin) -> Choice {
        Choice::Read(vec![origin], Lead::SyncByte)
    }

    fn command() -> Wish {
        Wish { command: vec!["mariabackup".into(), "--backup".into()], ..Wish::default() }
    }

    fn input(path: &str) -> Wish {
        Wish { inputs: vec![path.into()], ..Wish::default() }
    }

    #[test]
    fn what_is_named_is_taken_whatever_stdin_is() {
        for stdin in [Stdin::Stream, Stdin::Terminal, Stdin::Nothing] {
            assert_eq!(choose(command(), stdin).unwrap(), Choice::Command(command().command, Output::Stdout));
            assert_eq!(choose(input("a/b"), stdin).unwrap(), read(Origin::File("a/b".into())));
        }
    }

    #[test]
    fn without_a_word_stdin_decides() {
        assert_eq!(choose(Wish::default(), Stdin::Stream).unwrap(), read(Origin::Stdin));
        assert_eq!(choose(Wish::default(), Stdin::Terminal).unwrap(), tool());
        assert_eq!(choose(Wish::default(), Stdin::Nothing).unwrap(), tool());
    }

    #[test]
    fn a_dash_is_stdin_but_no_terminal() {
        assert_eq!(choose(input("-"), Stdin::Stream).unwrap(), read(Origin::Stdin));
        assert_eq!(choose(input("-"), Stdin::Nothing).unwrap(), read(Origin::Stdin));
        let error = choose(input("-"), Stdin::Terminal).unwrap_err();
        assert_eq!(error.cause(), Cause::Usage);
    }

    #[test]
    fn asking_for_the_tool_wins_over_a_pipe() {
        let wish = Wish { tool: Some("xtrabackup".into()), tool_args: vec!["--parallel=4".into()], ..Wish::default() };
        let expected = Choice::Tool { name: wish.tool.clone(), args: wish.tool_args.clone(), output: Output::Stdout };
        assert_eq!(choose(wish, Stdin::Stream).unwrap(), expected);
    }

    #[test]
    fn two_sources_are_refused() {
        let wishes = [
            Wish { inputs: vec!["-".into()], ..command() },
            Wish { tool: Some("xtrabackup".into()), ..command() },
            Wish { tool_args: vec!["--parallel=4".into()], ..input("-") },
            Wish { dir: Some("d".into()), ..input("-") },
        ];
        for wish in wishes {
            let error = choose(wish, Stdin::Stream).unwrap_err();
            assert_eq!(error.cause(), Cause::Usage);
            assert!(
                error.to_string().contains(" and --tool")
                    || error.to_string().contains(" and -i")
                    || error.to_string().contains(" and --dir"),
                "{error}"
            );
        }
    }

    #[test]
    fn several_files_are_several_lanes_and_stdin_is_one_of_them_at_most() {
        let wish = Wish { inputs: vec!["b".into(), "-".into(), "a".into()], ..Wish::default() };
        let choice = choose(wish, Stdin::Stream).unwrap();
        let origins = [Origin::File("b".into()), Origin::Stdin, Origin::File("a".into())];
        assert_eq!(choice, Choice::Read(origins.to_vec(), Lead::SyncByte));
        assert_eq!(choice.lanes(), 3);
        let twice = Wish { inputs: vec!["-".into(), "-".into()], ..Wish::default() };
        assert!(matches!(choose(twice, Stdin::Stream), Err(SourceError::StdinTwice)));
        let many = Wish { inputs: vec!["x".into(); 2000], ..Wish::default() };
        assert_eq!(choose(many, Stdin::Stream).unwrap_err().cause(), Cause::Usage);
    }

    #[test]
    fn fifo_streams_mean_the_tool() {
        let fifos = FifoWish { streams: Some(3), ..FifoWish::default() };
        let choice = choose(Wish { fifos: fifos.clone(), ..Wish::default() }, Stdin::Stream).unwrap();
        assert!(matches!(choice, Choice::Tool { .. }));
        assert_eq!(choice.lanes(), 3);
        assert_eq!(choose(Wish { fifos, ..input("a") }, Stdin::Stream).unwrap_err().cause(), Cause::Usage);
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
