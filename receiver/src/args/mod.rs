//! The command line of `xbrecv`: what was typed, and what it means.

mod after;
mod fifo;
mod local;
mod modes;
mod unpack;

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{ArgGroup, Parser};
use xbproto::cli::{AddressArgs, DisplayArgs, KeyArgs, SessionArgs, TlsArgs, exit_codes_help};
use xbproto::quantity::Span;
use xbproto::quic::Family;

pub use self::after::AfterArgs;
pub use self::local::{ListForm, LocalArgs, Whole};
use self::modes::{NO_DIRECTORY, NO_FILES, SESSION};
pub use self::unpack::UnpackArgs;
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
    override_usage = "xbrecv [OPTIONS] (--extract [-C DIR] | -o FILE | --fifo-dir DIR | --stdout | -- COMMAND ARG...)\n       xbrecv --extract --from FILE [-C DIR]\n       xbrecv --list --from FILE\n       xbrecv --verify --from FILE\n       xbrecv --generate-key FILE"
)]
#[command(group = ArgGroup::new("destination").required(true).args(["extract", "output", "fifo_dir", "stdout", "command", "generate_key", "list", "verify"]))]
pub struct Args {
    /// Feed the stream to COMMAND; its exit code 0 is part of the commit
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

    /// UDP port to listen on, or address and port; port 0 takes a free one
    #[arg(short, long, value_name = "[ADDR:]PORT", default_value = "9999", help_heading = "Connection")]
    listen: ListenOn,

    /// How long to wait for the sender; for ever if not given
    #[arg(long, value_name = "DURATION", help_heading = "Connection")]
    pub wait: Option<Span>,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub local: LocalArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub after: AfterArgs,

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

    /// Where to listen, and for which addresses.
    pub fn listen(&self) -> (SocketAddr, Family) {
        let family = self.address.family();
        match self.listen.address {
            None => (family.unspecified(self.listen.port), family),
            Some(address) if address.is_ipv4() => (SocketAddr::new(address, self.listen.port), Family::V4),
            Some(address) => (SocketAddr::new(address, self.listen.port), family),
        }
    }
}

/// `PORT`, `ADDR:PORT` or `[ADDR]:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ListenOn {
    address: Option<IpAddr>,
    port: u16,
}

/// It is neither.
#[derive(Debug, thiserror::Error)]
#[error("expected PORT, ADDR:PORT or [ADDR]:PORT, with an address of this host")]
struct ListenError;

impl FromStr for ListenOn {
    type Err = ListenError;

    fn from_str(given: &str) -> Result<ListenOn, ListenError> {
        if let Ok(port) = given.parse() {
            return Ok(ListenOn { address: None, port });
        }
        let address: SocketAddr = given.parse().map_err(|_| ListenError)?;
        Ok(ListenOn { address: Some(address.ip()), port: address.port() })
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

    #[test]
    fn ports_and_addresses_are_told_apart() {
        let listen =
            |given: &str| given.parse::<ListenOn>().ok().map(|on| (on.address.map(|a| a.to_string()), on.port));
        assert_eq!(listen("0"), Some((None, 0)));
        assert_eq!(listen("127.0.0.1:7"), Some((Some("127.0.0.1".into()), 7)));
        assert_eq!(listen("[::1]:7"), Some((Some("::1".into()), 7)));
        assert_eq!(listen("localhost:7"), None);
        assert_eq!(listen("99999"), None);
    }
}
