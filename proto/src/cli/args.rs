//! Option groups that both programs have, with their help.

use std::path::PathBuf;

use clap::Args;

use super::reporter::Verbosity;
use super::style::ProgressStyle;
use crate::lane::MIN_SHARE;
use crate::liveness::Liveness;
use crate::quantity::{ByteSize, QuantityError, Span};
use crate::quic::Family;

/// How much is shown, and how.
#[derive(Args, Clone, Debug, Default)]
pub struct DisplayArgs {
    /// How progress is shown on standard error
    #[arg(long, value_name = "MODE", default_value = "auto", help_heading = "Display")]
    pub progress: ProgressStyle,

    /// Show details: what was negotiated, measured and retried
    #[arg(short, long, help_heading = "Display")]
    verbose: bool,
}

impl DisplayArgs {
    /// How much is told.
    pub fn verbosity(&self) -> Verbosity {
        match self.verbose {
            true => Verbosity::Verbose,
            false => Verbosity::Normal,
        }
    }
}

/// What holds for a session, whatever becomes of its links.
#[derive(Args, Clone, Copy, Debug)]
pub struct SessionArgs {
    /// What may be under way and not acknowledged; both sides keep to the smaller setting
    ///
    /// The sender keeps every byte until the receiver has it safe, so that the session survives the
    /// loss of a link; this is how much memory that takes on either side. At least 2m.
    #[arg(long, value_name = "SIZE", default_value = "64m", value_parser = window, help_heading = "Connection")]
    pub window: u64,

    /// After how long without a sign of life the other side is taken for lost; 1s to 1h
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = peer_timeout, help_heading = "Connection")]
    pub peer_timeout: Liveness,

    /// Give up when the whole has not ended after this long
    #[arg(long, value_name = "DURATION", help_heading = "Connection")]
    pub deadline: Option<Span>,
}

fn window(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>().map_err(|error| error.to_string())? {
        ByteSize(bytes) if bytes < MIN_SHARE as u64 => Err("it is at least 2m".to_owned()),
        ByteSize(bytes) => Ok(bytes),
    }
}

fn peer_timeout(text: &str) -> Result<Liveness, String> {
    let span: Span = text.parse().map_err(|error: QuantityError| error.to_string())?;
    Liveness::new(span.0).map_err(|error| error.to_string())
}

/// Where the key comes from.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyArgs {
    /// Read the key from FILE instead of the environment variable XB_KEY
    ///
    /// Make one to keep with `xbrecv --generate-key FILE`, and copy it to the other host. The file
    /// should be readable by its owner only. The key is never given on the command line, where
    /// every user of the host could see it.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub key_file: Option<PathBuf>,
}

/// Which internet protocol is spoken.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct AddressArgs {
    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Connection")]
    ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long, help_heading = "Connection")]
    ipv6: bool,
}

impl AddressArgs {
    /// What was chosen.
    pub fn family(self) -> Family {
        match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    #[command(name = "xbsend", after_help = crate::cli::exit_codes_help())]
    struct All {
        #[command(flatten)]
        display: DisplayArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        address: AddressArgs,
        #[command(flatten)]
        session: SessionArgs,
    }

    fn parsed(arguments: &[&str]) -> Result<All, clap::Error> {
        All::try_parse_from([&["xbsend"], arguments].concat())
    }

    #[test]
    fn clap_finds_no_fault_with_the_groups() {
        All::command().debug_assert();
        assert!(All::command().render_help().to_string().contains("Exit codes:\n    0  the receiver has verified"));
    }

    #[test]
    fn without_options_the_defaults_hold() {
        let all = parsed(&[]).expect("no option is required");
        assert_eq!(all.display.progress, ProgressStyle::Auto);
        assert_eq!(all.display.verbosity(), Verbosity::Normal);
        assert_eq!(all.key.key_file, None);
        assert_eq!(all.address.family(), Family::Any);
        assert_eq!((all.session.window, all.session.peer_timeout), (64 << 20, Liveness::default()));
    }

    #[test]
    fn every_option_is_read() {
        let all = parsed(&["--progress", "json", "-v", "--key-file", "k", "-6"]).expect("valid");
        assert_eq!(all.display.progress, ProgressStyle::Json);
        assert_eq!(all.display.verbosity(), Verbosity::Verbose);
        assert_eq!(all.key.key_file, Some("k".into()));
        assert_eq!(all.address.family(), Family::V6);
        assert_eq!(parsed(&["-4"]).expect("valid").address.family(), Family::V4);
        assert!(parsed(&["-4", "-6"]).is_err());
        assert_eq!(parsed(&["--window", "2m"]).expect("valid").session.window, 2 << 20);
        assert!(parsed(&["--window", "1m"]).is_err());
        assert!(parsed(&["--peer-timeout", "900ms"]).is_err());
    }
}
