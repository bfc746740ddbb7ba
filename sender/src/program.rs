//! The program: from its command line to its exit code.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tempfile::NamedTempFile;
use xbproto::cli::{Event, Reporter, Summary, ask_for_key, given_key, interruption};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::quantity::ByteSize;
use xbproto::quic::Family;
use xbproto::wire::{LaneSum, Purpose, SessionId, Welcome};

use crate::args::Args;
use crate::route::{RouteError, resolve};
use crate::source::{Stdin, choose};
use crate::transfer::{Done, Transfer, fits};

/// The session's window in bytes: what may be under way, and what each side may hold.
pub const WINDOW: u64 = 64 << 20;

/// Runs `xbsend` on the main thread and returns what it exits with.
pub fn run(args: Args) -> ExitCode {
    let reporter = Reporter::start(Party::Sender, args.display.progress, args.display.verbosity());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(send(args, &reporter)),
        Err(error) => Err(failure(Cause::Unforeseen, error)),
    };
    reporter.conclude(result)
}

async fn send(args: Args, reporter: &Reporter) -> Result<(), Failure> {
    let source = match args.purpose() {
        Purpose::Check => None,
        Purpose::Transfer => {
            let choice = choose(args.wish(), Stdin::inspect());
            Some(choice.map_err(|error| failure(error.cause(), error))?)
        }
    };
    let checksum = args.checksum_file.as_deref().map(ChecksumFile::prepare).transpose()?;
    let family = args.bind.map_or(args.address.family(), |bind| if bind.is_ipv4() { Family::V4 } else { Family::V6 });
    let route = resolve(&args.to, family, args.wait.0).await;
    let transfer = Transfer {
        session: session_id()?,
        route: route.map_err(|error| match error {
            RouteError::Lookup { .. } => failure(Cause::PeerLost, error),
            error => failure(Cause::Usage, error),
        })?,
        bind: args.bind,
        family,
        key: key(&args, reporter)?,
        source,
        expect: args.expect(),
        rate: args.rate_limit,
        size: args.size.map(|size| size.0),
        window: WINDOW,
    };
    reporter.session(transfer.session.into());
    let stop = interruption().map_err(|error| failure(Cause::Unforeseen, error))?;
    match transfer.run(stop, reporter).await? {
        Done::Checked(welcome) => checked(&welcome, args.size.map(|size| size.0), reporter),
        Done::Confirmed { receipt, sums, elapsed, name } => {
            sums.iter().for_each(|sum| {
                reporter.tell(Event::Checksum { name: name.clone(), sum: sum.sum, lane: sum.lane });
            });
            checksum.map_or(Ok(()), |file| file.write(&sums, &name))?;
            reporter.tell(Event::Finished(Summary::of(&receipt, elapsed)));
            Ok(())
        }
    }
}

fn key(args: &Args, reporter: &Reporter) -> Result<xbproto::key::Key, Failure> {
    let given = given_key(args.key.key_file.as_deref()).map_err(|error| failure(Cause::Usage, error))?;
    match given {
        Some(given) => {
            given.warning.into_iter().for_each(|warning| reporter.tell(Event::Warning(warning)));
            Ok(given.key)
        }
        None => ask_for_key().map_err(|error| failure(Cause::Usage, error)),
    }
}

fn session_id() -> Result<SessionId, Failure> {
    Ok(SessionId(xbproto::tls::random().map_err(|error| failure(Cause::Unforeseen, error))?))
}

fn checked(welcome: &Welcome, size: Option<u64>, reporter: &Reporter) -> Result<(), Failure> {
    fits(welcome, size)?;
    let free = welcome.free.map(|free| format!(", {} free", ByteSize(free))).unwrap_or_default();
    reporter.tell(Event::Notice(format!("check passed: the receiver would write to {}{free}", welcome.target)));
    Ok(())
}

/// The file of `--checksum-file`: made beforehand, so that a wrong path shows before the backup
/// runs, and given its name when there is something to say.
#[derive(Debug)]
struct ChecksumFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl ChecksumFile {
    fn prepare(path: &Path) -> Result<ChecksumFile, Failure> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = std::fs::Permissions::from_mode(0o644);
        match tempfile::Builder::new().prefix(".xbsend-").permissions(mode).tempfile_in(directory) {
            Ok(file) => Ok(ChecksumFile { file, path: path.to_owned() }),
            Err(error) => Err(failure(Cause::Usage, format_args!("--checksum-file {}: {error}", path.display()))),
        }
    }

    fn write(mut self, sums: &[LaneSum], name: &str) -> Result<(), Failure> {
        let lines: String = sums.iter().map(|sum| format!("{}  {name}\n", sum.sum)).collect();
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.as_file().sync_all());
        let written = written.and_then(|()| self.file.persist(&self.path).map_err(|error| error.error));
        written.map(|_| ()).map_err(|error| {
            let words = format!("the backup is confirmed, but {} could not be written: {error}", self.path.display());
            failure(Cause::AfterCommit, words)
        })
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
