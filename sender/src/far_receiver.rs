//! What a receiver that is started over ssh is told to do.

use std::ffi::OsString;
use std::time::Duration;

use xbproto::cli::{PortRange, Verbosity};
use xbproto::contact::port_of;

use crate::args::Args;
use crate::stand::wait;

/// How much longer than this side tries the receiver waits for it: by then ssh should have told it that this side is gone.
const LONGER: Duration = Duration::from_secs(30);

/// The arguments of `xbrecv` for `destination`, its own options for that. What the user has said for it comes last.
pub(crate) fn arguments(args: &Args, destination: Vec<OsString>) -> Vec<OsString> {
    let milliseconds = |span: Duration| format!("{}ms", span.as_millis());
    let mut words: Vec<OsString> = vec!["--progress".into(), "json".into()];
    let mut say = |option: &str, value: String| words.extend([option.into(), value.into()]);
    say("--wait", milliseconds(wait(args).saturating_add(LONGER)));
    say("--window", args.session.window.to_string());
    say("--peer-timeout", milliseconds(args.session.peer_timeout.peer_timeout()));
    if let Some(ports) = ports(args) {
        say("--ports", ports.to_string());
    }
    if args.display.verbosity() == Verbosity::Verbose {
        words.push("--verbose".into());
    }
    words.extend(destination);
    words.extend(args.far.ssh.remote_options().iter().cloned());
    words
}

/// Where it is to listen: where the user says, else on the port that this side is told to go to.
fn ports(args: &Args) -> Option<PortRange> {
    let named = || args.way.to.as_deref().and_then(port_of).and_then(PortRange::only);
    args.way.ports.clone().or_else(named)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn words(args: &[&str]) -> String {
        let args = Args::parse_from([&["xbsend", "--ssh", "db7", "-o", "f"], args].concat());
        let words = arguments(&args, vec!["-o".into(), "f".into()]);
        words.join(" ".as_ref()).into_string().expect("UTF-8")
    }

    #[test]
    fn the_receiver_is_told_what_both_sides_have_to_know() {
        let common = "--progress json --wait 45000ms --window 67108864 --peer-timeout 15000ms";
        assert_eq!(words(&[]), format!("{common} -o f"));
        assert_eq!(words(&["-v", "-M", "--no-direct", "gate"]), format!("{common} --verbose -o f --no-direct"));
    }

    #[test]
    fn it_listens_where_this_side_is_told_to_go() {
        assert!(words(&["gate:7000"]).contains(" --ports 7000-7000 "));
        assert!(words(&["gate:7000", "--ports", "9000-9009"]).contains(" --ports 9000-9009 "));
    }
}
