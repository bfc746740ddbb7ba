//! The receiver on another host, started from here.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use xbproto::cli::remote::SshArgs;

/// How xbrecv is started over there, and what it is to do with the backup. What needs --ssh needs its group: clap forgets that
/// an option requires another one that conflicts with what is given, such as --key-file, but never a group.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Over ssh", group = ArgGroup::new("far").arg("ssh"))]
pub struct FarReceiverArgs {
    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub ssh: SshArgs,

    /// With --ssh: unpack the backup there into DIR, as xbrecv --extract -C DIR does
    #[arg(long, value_name = "DIR", requires = "far", conflicts_with = "output")]
    extract: Option<PathBuf>,

    /// With --ssh: write the stream there to FILE, and its checksum to FILE.sha1, as xbrecv -o FILE does
    #[arg(short, long, value_name = "FILE", requires = "far")]
    output: Option<PathBuf>,
}

/// The command line does not say where the backup is to be.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// A receiver that would not know what to do.
    #[error("--ssh needs --extract DIR or -o FILE: where the backup is to be over there")]
    Missing,
}

impl FarReceiverArgs {
    /// The options of `xbrecv` for the destination, if one is to be started.
    ///
    /// # Errors
    /// [`DestinationError`]
    pub fn destination(&self) -> Result<Option<Vec<OsString>>, DestinationError> {
        if self.ssh.ssh("xbrecv").is_none() {
            return Ok(None);
        }
        match (&self.extract, &self.output) {
            (Some(dir), _) => Ok(Some(vec!["--extract".into(), with_value("--directory=", dir)])),
            (None, Some(file)) => Ok(Some(vec![with_value("--output=", file)])),
            (None, None) => Err(DestinationError::Missing),
        }
    }
}

/// An option and its value as one word, so that one that begins with a dash is no option.
fn with_value(option: &str, value: &Path) -> OsString {
    [OsStr::new(option), value.as_os_str()].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::Args;

    fn destination(args: &[&str]) -> Result<Option<Vec<std::ffi::OsString>>, String> {
        let args = Args::try_parse_from([&["xbsend"], args].concat()).map_err(|error| error.to_string())?;
        args.far.destination().map_err(|error| error.to_string())
    }

    #[test]
    fn a_destination_goes_with_ssh_and_only_with_it() {
        assert_eq!(destination(&["db7:9999"]), Ok(None));
        let extract = vec!["--extract".into(), "--directory=/r".into()];
        assert_eq!(destination(&["--ssh", "me@db7", "--extract", "/r"]), Ok(Some(extract)));
        assert_eq!(destination(&["--ssh", "db7", "--output=-f"]), Ok(Some(vec!["--output=-f".into()])));
        assert!(destination(&["--ssh", "db7"]).unwrap_err().contains("--extract DIR or -o FILE"));
        for destination_alone in
            [&["-o", "f", "db7"][..], &["--extract", "d", "--key-file", "k", "db7"], &["-o", "f", "-l", "9"]]
        {
            assert!(destination(destination_alone).unwrap_err().contains("--ssh <[USER@]HOST[:PORT]>"));
        }
        assert!(destination(&["--ssh", "db7", "-o", "f", "--extract", "d"]).is_err());
        assert!(destination(&["--ssh", "-v", "-o", "f"]).is_err());
        assert!(destination(&["--ssh", "db7", "-o", "f", "--key-file", "k"]).is_err());
    }

    #[test]
    fn what_is_about_ssh_needs_it() {
        for option in ["--ssh-command=ssh", "--remote-path=x", "--ports=1-2", "-M-v"] {
            assert!(destination(&[option, "db7"]).is_err(), "{option}");
            assert!(destination(&[option, "--ssh", "db7", "-o", "f"]).is_ok(), "{option}");
        }
        assert!(destination(&[]).is_err());
    }

    #[test]
    fn options_for_the_other_side_are_kept_as_they_are() {
        let line =
            ["xbsend", "--ssh", "db7", "--extract", "d", "-M", "--decompress", "-M", "--only=a b", "--", "tool", "-M"];
        let args = Args::parse_from(line);
        assert_eq!(args.far.ssh.remote_options(), ["--decompress", "--only=a b"]);
        assert_eq!(args.wish().command, ["tool", "-M"]);
    }
}
