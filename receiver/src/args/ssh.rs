//! The sender on another host, started from here.

use std::ffi::OsString;

use clap::Args;
use xbproto::cli::remote::SshArgs;

/// How xbsend is started over there, and what it is to send.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Over ssh")]
pub struct FarSenderArgs {
    #[allow(missing_docs, reason = "a comment would become help text")]
    #[command(flatten)]
    pub ssh: SshArgs,

    /// With --ssh, what stands after `--`: the command that makes the backup over there.
    #[arg(skip)]
    pub command: Vec<OsString>,
}

/// Splits off what stands after `--` if the rest of the command line has a `--ssh`: it is the command of the source over there
/// then, and not the destination here, so that clap is not to see it.
pub fn split_source(mut words: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let is_ssh = |word: &OsString| word == "--ssh" || word.as_encoded_bytes().starts_with(b"--ssh=");
    match words[..end].iter().any(is_ssh) {
        true => {
            let source = words.split_off(end).into_iter().skip(1).collect();
            (words, source)
        }
        false => (words, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Args;

    fn split(line: &str) -> (String, String) {
        let (words, source) = split_source(line.split(' ').map(OsString::from).collect());
        let text = |words: Vec<OsString>| words.join(" ".as_ref()).into_string().expect("UTF-8");
        (text(words), text(source))
    }

    #[test]
    fn with_ssh_the_command_is_the_source() {
        let (line, source) = split("xbrecv --ssh db7 -x -- tool --backup -- x");
        assert_eq!((&line[..], &source[..]), ("xbrecv --ssh db7 -x", "tool --backup -- x"));
        assert_eq!(split("xbrecv --ssh=db7 -o f -- cat").1, "cat");
        assert_eq!(split("xbrecv --ssh db7 -o f").1, "");
        assert_eq!(split("xbrecv -- cat --ssh"), ("xbrecv -- cat --ssh".to_owned(), String::new()));
        assert_eq!(split("xbrecv --ssh-command x -- cat").1, "");
    }

    #[test]
    fn a_destination_is_needed_here_with_ssh_too() {
        let parse = |args: &[&str]| Args::try_parse_from([&["xbrecv", "--ssh", "me@db7"], args].concat()).is_ok();
        assert!(parse(&["-x"]) && parse(&["-o", "f", "-M", "--tool=x", "--connect", "gate:7"]) && parse(&["--stdout"]));
        assert!(!parse(&[]));
        assert!(
            !parse(&["-x", "--listen", "9"]) && !parse(&["-x", "--times", "2"]) && !parse(&["-x", "--key-file", "k"])
        );
    }
}
