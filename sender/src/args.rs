//! The command line of `xbsend`: what was typed, and what it means.

mod dir;
mod fifo;
mod receipt;
mod ssh;
mod way;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgGroup, Parser, ValueEnum};
use xbproto::cli::{
    AddressArgs, ControlArgs, DisplayArgs, KeyArgs, SessionArgs, SettingsArgs, TlsArgs, TransportArgs, exit_codes_help,
};
use xbproto::quantity::{ByteSize, Rate, Span};
use xbproto::quic::Congestion;
use xbproto::wire::Purpose;

pub use self::receipt::ReceiptArgs;
pub use self::ssh::{DestinationError, FarReceiverArgs};
pub use self::way::WayArgs;
use crate::outbox::Compression;
use crate::source::{Lead, Wish};
use crate::spool::SpoolPlan;
use crate::tap::Expect;

/// The ways to call it.
const USAGE: &str = "xbsend [OPTIONS] HOST:PORT [-- COMMAND ARG...]
       xbsend [OPTIONS] --ssh [USER@]HOST[:PORT] (--extract DIR | -o FILE) [-- COMMAND ARG...]
       xbsend [OPTIONS] --listen [ADDR:]PORT [-- COMMAND ARG...]";
/// Where no backup tool is looked for: another source is named.
const NO_TOOL: [&str; 3] = ["command", "input", "dir"];

/// Where nothing makes FIFOs.
const NO_FIFOS: [&str; 2] = ["input", "dir"];

/// Send a streaming MySQL or MariaDB backup to an xbrecv on another host
///
/// Runs the backup (or reads one) and pushes it over QUIC with TLS 1.3. Ends with 0 only after the
/// receiver has verified the checksum, synced and committed the copy, and has said so.
///
/// The source is, in this order: the COMMAND after `--`; the directory of --dir; the file of -i, or several of them;
/// standard input, if that is a pipe, a file or a socket; else the backup tool that is installed here, run with --backup
/// --stream=xbstream.
///
/// Ctrl-C and SIGTERM end it, and what it runs; losing the terminal (SIGHUP) does not.
#[derive(Parser, Debug)]
#[command(name = "xbsend", version, after_help = exit_codes_help(), override_usage = USAGE)]
#[command(group = ArgGroup::new("listener").args(["listen", "ssh"]))]
pub struct Args {
    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub way: WayArgs,

    /// Run COMMAND and send its standard output; its exit code is part of the verdict
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,

    /// Send FILE, or standard input if FILE is -; several are the streams of one backup, in this order
    #[arg(short, long, value_name = "FILE", help_heading = "Source")]
    input: Vec<PathBuf>,

    /// The backup tool to run: xtrabackup, mariadb-backup, mariabackup, or a path
    #[arg(long, value_name = "TOOL", conflicts_with_all = NO_TOOL, help_heading = "Source")]
    tool: Option<OsString>,

    /// Hand everything that follows to the backup tool
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_name = "ARG", conflicts_with_all = NO_TOOL, help_heading = "Source")]
    tool_args: Vec<OsString>,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    dir: dir::DirArgs,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    fifo: fifo::FifoArgs,

    /// How much is required of the stream: a whole backup (if nothing is said), any well-formed xbstream, or nothing
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Source")]
    expect: Option<ExpectArg>,

    /// Send any bytes; short for --expect raw
    #[arg(long, conflicts_with = "expect", help_heading = "Source")]
    raw: bool,

    /// How many bytes to expect, for percentage and ETA (such as 300g)
    #[arg(long, value_name = "SIZE", help_heading = "Source")]
    pub size: Option<ByteSize>,

    /// Write the line that sha1sum would print to FILE, once the receiver has confirmed; FILE is new, a FIFO or a device
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub checksum_file: Option<PathBuf>,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub receipt: ReceiptArgs,

    /// Queue up to SIZE bytes (16g if not given) in DIR while the link is slow or down, so that the source goes on
    #[arg(long, value_name = "DIR[,SIZE]", value_parser = OsStringValueParser::new().try_map(SpoolPlan::parse), help_heading = "Connection")]
    pub spool: Option<SpoolPlan>,

    /// Send at most RATE bytes a second, as pv -L reads it: 10m is 10 MiB/s; of both sides' limits the lower binds
    #[arg(short = 'L', long, value_name = "RATE", help_heading = "Connection")]
    pub rate_limit: Option<Rate>,

    /// What decides how much is sent before it is acknowledged: auto measures what the path carries
    #[arg(long, value_enum, default_value_t = CongestionArg::Auto, value_name = "WHICH", help_heading = "Connection")]
    congestion: CongestionArg,

    /// Compress on the wire, with zstd: as hard as makes it faster (auto), or with a level from 1 to 19
    ///
    /// Each block of the stream by itself, on half of the cores; what does not get smaller is sent as it is. auto, which
    /// is meant if nothing is said, looks at who is waited for, the network or the CPU. The receiver stores
    /// or unpacks the original stream, and the checksum is its. A rate limit holds for what is on the wire.
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "auto", help_heading = "Connection")]
    pub compress: Option<Compression>,

    /// How long to try to come back after the link is lost, each time; 0 gives up at once
    ///
    /// The receiver is told, and waits that and 30 s more. The source meanwhile is kept waiting when the
    /// window is full; see --spool.
    #[arg(long, value_name = "DURATION", default_value = "5m", help_heading = "Connection")]
    pub retry_for: Span,

    /// Try address, key, version, target and free space, without a backup; the receiver waits on
    #[arg(long, help_heading = "Connection")]
    check: bool,

    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub far: FarReceiverArgs,

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
    pub control: ControlArgs,

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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ExpectArg {
    /// An xbstream that holds the closing metadata and redo files of a backup
    Backup,
    /// An xbstream whose chunks and files are whole
    Xbstream,
    /// Any bytes; the SHA-1 is the only check
    Raw,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CongestionArg {
    /// Our own: what the path delivers times how long it is, whatever is lost by chance
    Auto,
    /// As most TCP senders do; slow on a long path that loses packets
    Cubic,
    /// The first version of BBR; sends a part of the packets in vain
    Bbr,
}

impl Args {
    /// What decides how much may be under way.
    pub fn congestion(&self) -> Congestion {
        match self.congestion {
            CongestionArg::Auto => Congestion::Model,
            CongestionArg::Cubic => Congestion::Cubic,
            CongestionArg::Bbr => Congestion::Bbr,
        }
    }

    /// How much is required of the stream.
    pub fn expect(&self) -> Expect {
        match (self.raw, self.expect, &self.dir.dir) {
            (true, ..) | (_, Some(ExpectArg::Raw), _) => Expect::Raw,
            (_, Some(ExpectArg::Xbstream), _) | (_, None, Some(_)) => Expect::Xbstream,
            (_, Some(ExpectArg::Backup), _) | (_, None, None) => Expect::Backup,
        }
    }

    /// What was said about the source.
    pub fn wish(&self) -> Wish {
        Wish {
            command: self.command.clone(),
            inputs: self.input.clone(),
            lead: if self.expect() == Expect::Raw { Lead::Nothing } else { Lead::SyncByte },
            dir: self.dir.dir.clone(),
            tool: self.tool.clone(),
            tool_args: self.tool_args.clone(),
            fifos: self.fifo.wish(),
        }
    }

    /// What the receiver is asked for.
    pub fn purpose(&self) -> Purpose {
        match self.check {
            true => Purpose::Check,
            false => Purpose::Transfer,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::outbox::Effort;

    #[test]
    fn clap_finds_no_fault() {
        Args::command().debug_assert();
    }

    #[test]
    fn everything_after_tool_args_is_the_tools() {
        let args = Args::parse_from(["xbsend", "db2:9999", "--tool-args", "--user=root", "-S", "/run/x.sock"]);
        assert_eq!(args.wish().tool_args, ["--user=root", "-S", "/run/x.sock"]);
        assert_eq!(args.way.to.as_deref(), Some("db2:9999"));
    }

    #[test]
    fn compression_is_automatic_unless_a_level_is_said() {
        let compress = |args: &[&str]| Args::try_parse_from([&["xbsend"], args].concat()).map(|args| args.compress);
        assert_eq!(compress(&["db2"]).ok(), Some(None));
        assert_eq!(compress(&["--compress", "db2"]).ok(), Some(Some(Compression::Auto)));
        let level = Compression::Fixed(Effort::Zstd(3));
        assert_eq!(compress(&["--compress=3", "db2"]).ok(), Some(Some(level)));
        assert!(compress(&["--compress=99", "db2"]).is_err());
    }

    #[test]
    fn an_order_needs_no_receiver_and_stands_alone() {
        let parse = |args: &[&str]| Args::try_parse_from([&["xbsend"], args].concat());
        let args = parse(&["--control", "/run/x", "rate-limit", "10m"]).expect("an order");
        assert_eq!(args.control.control, Some(["/run/x", "rate-limit", "10m"].map(OsString::from).into()));
        assert!(parse(&["--control", "/run/x", "status"]).is_ok());
        assert!(parse(&["--control", "/run/x"]).is_err());
        assert!(parse(&["-L", "1m", "--control", "/run/x", "status"]).is_err());
        assert!(parse(&["--control", "/run/x", "rate-limit", "10m", "db2"]).is_err());
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn a_command_keeps_its_options() {
        let args = Args::parse_from(["xbsend", "-L", "10m", "db2:9999", "--", "mariadb-backup", "--backup", "-L"]);
        assert_eq!(args.wish().command, ["mariadb-backup", "--backup", "-L"]);
        assert_eq!(args.rate_limit.map(Rate::bytes_per_second), Some(10 << 20));
    }
}
