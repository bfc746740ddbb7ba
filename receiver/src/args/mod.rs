//! The command line of `xbrecv`: what was typed, and what it means.

mod after;
mod fifo;
mod local;
mod modes;
mod ssh;
mod turn;
mod unpack;
mod way;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Parser};
use xbproto::cli::{
    AddressArgs, ControlArgs, DisplayArgs, KeyArgs, SessionArgs, SettingsArgs, Times, TlsArgs, TransportArgs,
    exit_codes_help,
};
use xbproto::quantity::Rate;

pub use self::after::AfterArgs;
pub use self::local::{ListForm, LocalArgs, Whole};
use self::modes::{NO_DIRECTORY, NO_FILES, SESSION};
pub use self::ssh::{FarSenderArgs, split_source};
pub use self::turn::TurnError;
pub use self::unpack::UnpackArgs;
pub use self::way::WayArgs;
use crate::disk::PageCache;
use crate::extract::Required;
use crate::sink::FifoPlan;

/// Receive a streaming MySQL or MariaDB backup from an xbsend on another host
///
/// Waits for one sender that proves to have the key, writes or unpacks its backup, and commits it
/// only when the sender's source has ended well and both sides have the same checksum. Until then
/// nothing stands under its final name. Ends with 0 when the backup is committed.
///
/// With --from it unpacks, lists or verifies a stream that is stored on this host, without a network.
#[derive(Clone, Parser, Debug)]
#[command(
    name = "xbrecv",
    version,
    after_help = exit_codes_help(),
    override_usage = "xbrecv [OPTIONS] (--extract [-C DIR] | -o FILE | --fifo-dir DIR | --stdout | -- COMMAND ARG...)\n       xbrecv [OPTIONS] --ssh [USER@]HOST[:PORT] (--extract [-C DIR] | -o FILE | ...) [-- COMMAND ARG...]\n       xbrecv --extract --from FILE [-C DIR]\n       xbrecv --list --from FILE\n       xbrecv --verify --from FILE\n       xbrecv --generate-key FILE"
)]
#[command(group = ArgGroup::new("destination").required(true).args(["extract", "output", "fifo_dir", "stdout", "command", "generate_key", "list", "verify", "control"]))]
pub struct Args {
    /// Feed the stream to COMMAND; its exit code 0 is part of the commit. With --ssh: run COMMAND there, and take its stream
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,

    /// Unpack the backup as xbstream -x does
    #[arg(short = 'x', long, help_heading = "Destination")]
    pub extract: bool,

    /// The directory to unpack into [default: the current directory]
    #[arg(short = 'C', long, value_name = "DIR", conflicts_with_all = NO_DIRECTORY, help_heading = "Destination")]
    directory: Option<PathBuf>,

    /// Write the stream to FILE, and its checksum to FILE.sha1; neither may exist. Several go to FILE.0, FILE.1 ...
    #[arg(short, long, value_name = "FILE", help_heading = "Destination")]
    pub output: Option<PathBuf>,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    fifo: fifo::FifoArgs,

    /// Write the stream to standard output, as it comes
    ///
    /// Whoever reads it gets the bytes before they are verified, and a pipe's reader cannot see a
    /// failure: it takes half a backup for a whole one. Look at the exit code of xbrecv, or use
    /// `-- COMMAND`, which is stopped when the backup fails.
    #[arg(long, help_heading = "Destination")]
    pub stdout: bool,

    /// Write files through the page cache, not past it (direct I/O)
    #[arg(long, conflicts_with_all = NO_FILES, help_heading = "Destination")]
    no_direct: bool,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub unpack: UnpackArgs,

    /// Make a key to keep in FILE (mode 0600), and do nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "deadline", conflicts_with_all = SESSION, help_heading = "Connection")]
    pub generate_key: Option<PathBuf>,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub way: WayArgs,

    /// Have at most RATE bytes a second sent, as pv -L reads it: 10m is 10 MiB/s; of both sides' limits the lower binds
    #[arg(short = 'L', long, value_name = "RATE", help_heading = "Connection")]
    pub rate_limit: Option<Rate>,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub control: ControlArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub local: LocalArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub after: AfterArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub far: FarSenderArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub transport: TransportArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub address: AddressArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub session: SessionArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub key: KeyArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub tls: TlsArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub display: DisplayArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub settings: SettingsArgs,
}

impl Args {
    /// The FIFOs to write to, if that was asked for.
    pub fn fifos(&self) -> Option<FifoPlan> {
        self.fifo.plan()
    }

    /// How files are to be written.
    pub fn page_cache(&self) -> PageCache {
        if self.no_direct { PageCache::Used } else { PageCache::Bypassed }
    }

    /// What an unpacked backup must have before it is committed: over the network, the sender judges that.
    pub fn required(&self) -> Required {
        match self.local.expect {
            Whole::Backup if !self.local.from.is_empty() => Required::Backup,
            _ => Required::WholeFiles,
        }
    }

    /// The directory to unpack into, if that is to be done.
    pub fn directory(&self) -> Option<&Path> {
        self.extract.then(|| self.directory.as_deref().unwrap_or(Path::new(".")))
    }

    /// What is asked for in this turn, counted from 1.
    ///
    /// # Errors
    /// [`TurnError`] when the next turn would want the same place.
    pub fn for_turn(&self, turn: u64, times: Times) -> Result<Args, TurnError> {
        let mut args = self.clone();
        if times == Times::ONCE {
            return Ok(args);
        }
        if self.stdout {
            return Err(TurnError::Stdout);
        }
        let place = if self.extract { &mut args.directory } else { &mut args.output };
        if self.extract || self.output.is_some() {
            *place = Some(turn::numbered(place.as_deref(), turn).ok_or(TurnError::Place)?);
        }
        if let Some(manifest) = args.unpack.manifest_mut() {
            *manifest = turn::numbered(Some(manifest), turn).ok_or(TurnError::Manifest)?;
        }
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_fault() {
        Args::command().debug_assert();
    }

    #[test]
    fn one_destination_is_required_and_only_one() {
        assert!(Args::try_parse_from(["xbrecv"]).is_err());
        assert!(Args::try_parse_from(["xbrecv", "-x", "-o", "f"]).is_err());
        assert!(Args::try_parse_from(["xbrecv", "-C", "d", "-o", "f"]).is_err());
        assert!(Args::try_parse_from(["xbrecv", "--", "cat"]).is_ok());
        assert!(Args::try_parse_from(["xbrecv", "--fifo-dir", "d"]).is_ok());
        assert!(Args::try_parse_from(["xbrecv", "--fifo-dir", "d", "--stdout"]).is_err());
        assert!(Args::try_parse_from(["xbrecv", "-x", "--fifo-sync-byte", "0"]).is_err());
        assert!(Args::try_parse_from(["xbrecv", "--list", "--verify", "--from", "f"]).is_err());
    }
}
