//! What a sender that is started over ssh is told to do.

use std::ffi::OsString;
use std::time::Duration;

use xbproto::cli::{PortRange, Verbosity};
use xbproto::contact::port_of;

use crate::args::Args;
use crate::stand::wait;

/// How much longer than this side tries the sender waits for it: by then ssh should have told it that this side is gone.
const LONGER: Duration = Duration::from_secs(30);

/// The arguments of `xbsend`. What the user has said for it comes after ours, and the command of the source last.
pub(crate) fn arguments(args: &Args) -> Vec<OsString> {
    let milliseconds = |span: Duration| format!("{}ms", span.as_millis());
    let mut words: Vec<OsString> = vec!["--progress".into(), "json".into()];
    let mut say = |option: &str, value: String| words.extend([option.into(), value.into()]);
    say("--wait", milliseconds(wait(args).saturating_add(LONGER)));
    say("--window", args.session.window.to_string());
    say("--peer-timeout", milliseconds(args.session.peer_timeout.peer_timeout()));
    if !args.far.ssh.remote_options().iter().any(says_where) {
        say("--listen", xbproto::contact::DEFAULT_PORT.to_string());
    }
    if let Some(ports) = ports(args) {
        say("--ports", ports.to_string());
    }
    if args.display.verbosity() == Verbosity::Verbose {
        words.push("--verbose".into());
    }
    words.extend(args.far.ssh.remote_options().iter().cloned());
    if !args.far.command.is_empty() {
        words.push("--".into());
        words.extend(args.far.command.iter().cloned());
    }
    words
}

/// Where it is to listen: where the user says, else on the port that this side is told to go to.
fn ports(args: &Args) -> Option<PortRange> {
    let named = || args.way.connect.as_deref().and_then(port_of).and_then(PortRange::only);
    args.way.ports.clone().or_else(named)
}

/// Whether an option for the sender says where it is to listen.
fn says_where(option: &OsString) -> bool {
    let bytes = option.as_encoded_bytes();
    bytes == b"--listen" || bytes.starts_with(b"--listen=") || bytes.starts_with(b"-l")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::split_source;

    fn told(line: &str) -> String {
        let (words, command) = split_source(line.split(' ').map(OsString::from).collect());
        let mut args = Args::parse_from(words);
        args.far.command = command;
        arguments(&args).join(" ".as_ref()).into_string().expect("UTF-8")
    }

    #[test]
    fn the_sender_is_told_what_both_sides_have_to_know() {
        let common = "--progress json --wait 45000ms --window 67108864 --peer-timeout 15000ms";
        assert_eq!(told("xbrecv --ssh db7 -x"), format!("{common} --listen 9999"));
        let command = "mariadb-backup --backup -v";
        let line = format!("xbrecv --ssh db7 -v -x -M --retry-for=1m -- {command}");
        assert_eq!(told(&line), format!("{common} --listen 9999 --verbose --retry-for=1m -- {command}"));
    }

    #[test]
    fn it_listens_where_this_side_is_told_to_go() {
        assert!(told("xbrecv --ssh db7 -x --connect gate:7000").contains(" --listen 9999 --ports 7000-7000"));
        let told = told("xbrecv --ssh db7 -x -M --listen=192.0.2.7:0");
        assert!(!told.contains("9999") && told.ends_with(" --listen=192.0.2.7:0"), "{told}");
    }
}
