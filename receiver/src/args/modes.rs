//! Which options mean nothing in which mode: there they are refused, because whoever gives one expects something of it.
//!
//! A mode is an option too, and exactly one is given. clap forgets that an option requires another one where that conflicts
//! with the mode, so what does not go with a mode is listed here for each kind of option.

/// Where no backup is unpacked, nor looked at as if it were.
pub(super) const NO_UNPACKING: [&str; 6] = ["output", "fifo_dir", "stdout", "command", "list", "generate_key"];

/// Where nothing is unpacked into a directory.
pub(super) const NO_DIRECTORY: [&str; 7] =
    ["output", "fifo_dir", "stdout", "command", "list", "verify", "generate_key"];

/// Where no file is written that is ours.
pub(super) const NO_FILES: [&str; 6] = ["fifo_dir", "stdout", "command", "list", "verify", "generate_key"];

/// Where nothing is committed.
pub(super) const NO_COMMIT: [&str; 3] = ["list", "verify", "generate_key"];

/// Where there are no FIFOs.
pub(super) const NO_FIFOS: [&str; 7] = ["extract", "output", "stdout", "command", "list", "verify", "generate_key"];

/// What is about a session, where there is none.
pub(super) const SESSION: [&str; 22] = [
    "listen",
    "ports",
    "ssh",
    "ssh_command",
    "remote_path",
    "remote_option",
    "connect",
    "times",
    "wait",
    "rate_limit",
    "control_socket",
    "window",
    "peer_timeout",
    "key_file",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "ssl_mode",
    "fingerprint",
    "transport",
    "ipv4",
    "ipv6",
];

#[cfg(test)]
mod tests {
    use clap::Parser;
    use clap::error::ErrorKind;

    use crate::args::Args;

    /// Stands for the user who runs the test: others may not be given to.
    const ME: &str = "ME";

    /// One of a certificate.
    const FINGERPRINT: &str = "SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// Every mode, and the letters of the kinds of options that mean something in it.
    const MODES: [(&[&str], &str); 10] = [
        (&["-x"], "sncdtuwa"),
        (&["-o", "f"], "sntwa"),
        (&["--fifo-dir", "d"], "sntp"),
        (&["--stdout"], "snt"),
        (&["--", "cat"], "snt"),
        (&["-x", "--from", "f"], "sectduwa"),
        (&["--list", "--from", "f"], "s"),
        (&["--verify", "--from", "f"], "seu"),
        (&["--generate-key", "f"], ""),
        (&["--control", "s", "status"], ""),
    ];

    /// Every option that is no mode and not about what is shown, with the letter of its kind.
    const OPTIONS: [(&[&str], char); 41] = [
        (&["--deadline", "1s"], 's'),
        (&["-l", "9"], 'n'),
        (&["--ports", "9-10"], 'n'),
        (&["--ssh", "h"], 'n'),
        (&["--ssh", "h", "--ssh-command", "c", "--remote-path", "p", "-M", "-v"], 'n'),
        (&["--connect", "h"], 'n'),
        (&["--times", "1"], 'n'),
        (&["--wait", "1s"], 'n'),
        (&["-L", "1m"], 'n'),
        (&["--control-socket", "s"], 'n'),
        (&["--window", "8m"], 'n'),
        (&["--peer-timeout", "9s"], 'n'),
        (&["--key-file", "k"], 'n'),
        (&["--ssl-ca", "c"], 'n'),
        (&["--ssl-cert", "c", "--ssl-key", "k"], 'n'),
        (&["--ssl-mode", "PINNED"], 'n'),
        (&["--fingerprint", FINGERPRINT], 'n'),
        (&["--transport", "tcp"], 'n'),
        (&["-4"], 'n'),
        (&["-6"], 'n'),
        (&["--expect", "xbstream"], 'e'),
        (&["-C", "d"], 'c'),
        (&["--parallel", "2"], 'd'),
        (&["--only", "a"], 'd'),
        (&["--manifest", "m"], 'd'),
        (&["--prepare"], 'd'),
        (&["--then", "true"], 't'),
        (&["--decompress"], 'u'),
        (&["--decrypt", "AES256"], 'u'),
        (&["--decrypt", "AES256", "--encrypt-key-file", "k"], 'u'),
        (&["--decompress", "--unpacked-limit", "1g"], 'u'),
        (&["--no-direct"], 'w'),
        (&["--owner", ME], 'a'),
        (&["--mode", "640"], 'a'),
        (&["--fifo-timeout", "1s"], 'p'),
        (&["--fifo-sync-byte", "1"], 'p'),
        // Without what they are about.
        (&["--unpacked-limit", "1g"], '-'),
        (&["--encrypt-key-file", "k"], '-'),
        (&["--decompress", "--encrypt-key-file", "k"], '-'),
        (&["--prepare", "--only", "a"], '-'),
        (&["--list", "--expect", "xbstream"], '-'),
    ];

    /// `args` behind the name of the program, the command last.
    fn parse(mode: &[&str], option: &[&str]) -> Result<(), ErrorKind> {
        let (mode, command) = mode.split_at(mode.iter().position(|arg| *arg == "--").unwrap_or(mode.len()));
        let me = rustix::process::geteuid().as_raw().to_string();
        let line = [&["xbrecv"], option, mode, command].concat();
        let line = line.into_iter().map(|arg| if arg == ME { &me } else { arg });
        Args::try_parse_from(line).map(|_| ()).map_err(|error| error.kind())
    }

    #[test]
    fn every_option_means_something_in_its_modes_and_is_refused_in_the_others() {
        for (mode, kinds) in MODES {
            assert_eq!(parse(mode, &[]), Ok(()), "{mode:?}");
            for (option, kind) in OPTIONS {
                let refused = parse(mode, option).err();
                assert_eq!(refused.is_none(), kinds.contains(kind), "{mode:?} with {option:?}: {refused:?}");
                let usage = [ErrorKind::ArgumentConflict, ErrorKind::MissingRequiredArgument];
                assert!(refused.is_none_or(|kind| usage.contains(&kind)), "{mode:?} with {option:?}: {refused:?}");
            }
        }
    }

    #[test]
    fn no_mode_goes_with_another_one() {
        let modes = ["-x", "--output=f", "--fifo-dir=d", "--stdout", "--list", "--verify", "--generate-key=f"];
        for (index, mode) in modes.iter().enumerate() {
            for other in modes[index + 1..].iter().chain(&["--"]) {
                let mut line = vec!["xbrecv", mode, other];
                line.extend((*other == "--").then_some("cat"));
                for from in [None, Some("--from=f")] {
                    let line = line.iter().take(1).copied().chain(from).chain(line[1..].iter().copied());
                    assert!(Args::try_parse_from(line).is_err(), "{mode} with {other}");
                }
            }
        }
        assert!(Args::try_parse_from(["xbrecv", "--generate-key", "f", "--from", "f"]).is_err());
        assert!(Args::try_parse_from(["xbrecv", "--from", "f"]).is_err());
    }
}
