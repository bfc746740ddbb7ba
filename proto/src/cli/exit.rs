//! The exit codes of both programs, and the words for them.

use std::process::ExitCode;

use super::setting::Setting;
use crate::failure::Cause;

/// Every exit code with its short name and its meaning, in order: what `--help` and the README show.
pub const EXIT_CODES: &[(u8, &str, &str)] = &[
    (0, "confirmed", "the receiver has verified and committed the backup, and has said so"),
    (1, "unforeseen", "an unforeseen error"),
    (2, "usage", "wrong usage"),
    (3, "peer lost", "the peer was not reached, or was lost for good"),
    (4, "refused", "refused: key, identity, version, or busy"),
    (5, "integrity", "the data is damaged, malformed or incomplete"),
    (6, "source failed", "the source of the backup failed"),
    (7, "sink failed", "the destination failed, exists already, or is in use"),
    (8, "unconfirmed", "everything was sent, but the receipt never came"),
    (9, "after commit", "the backup is committed, but what was to run after it failed"),
    (124, "deadline", "the time for the whole (--deadline) was over"),
    (130, "interrupted", "interrupted (SIGINT)"),
    (143, "terminated", "terminated (SIGTERM)"),
];

/// What a program that fails for `cause` returns from `main`.
pub fn exit_code(cause: Cause) -> ExitCode {
    ExitCode::from(cause.code())
}

/// What a code means, in a few words.
pub fn meaning(code: u8) -> &'static str {
    EXIT_CODES.iter().find(|(known, _, _)| *known == code).map_or("unknown", |(_, _, meaning)| meaning)
}

/// What to do about a code, in a few words.
pub fn advice(code: u8, setting: Setting) -> &'static str {
    match setting {
        Setting::TwoHosts => advice_for_two(code),
        Setting::OneHost => advice_for_one(code),
    }
}

fn advice_for_one(code: u8) -> &'static str {
    match code {
        5 => "take another copy of the stream, or make the backup anew; xbrecv --list shows what can be read",
        6 => "look at the stream's file and its permissions, then run it again",
        7 => "look at free space, permissions and what the directory has, then run it again",
        124 => "allow more time, or find what was slow, then run it again",
        130 | 143 => "run it again",
        other => advice_for_two(other),
    }
}

fn advice_for_two(code: u8) -> &'static str {
    match code {
        0 => "nothing",
        2 => "--help shows what is possible",
        3 => "look at the other host and what lies between (--check tries the way), then run both again",
        4 => "compare keys, certificates and --version of both hosts; busy means that another sender was first",
        5 => "look at the backup tool and at what stands between it and xbsend, then run both again",
        6 => "mend what the tool's last lines say, then run both again",
        7 => "look at free space, permissions and the name on the receiving host, then run both again",
        8 => "look at the receiver: its last lines say whether the copy was committed",
        9 => "the copy is good: do by hand what failed after it",
        124 => "allow more time, or find what was slow, then run both again",
        130 | 143 => "run both again",
        _ => "read the reason; if it is no fault of the host, report it",
    }
}

/// The table as `--help` shows it after the options.
pub fn exit_codes_help() -> String {
    let rows = EXIT_CODES.iter().map(|(code, _, meaning)| format!("\n{code:>5}  {meaning}"));
    std::iter::once("Exit codes:".to_owned()).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_row() {
        let codes: Vec<u8> = EXIT_CODES.iter().map(|(code, _, _)| *code).collect();
        let causes: Vec<u8> = std::iter::once(0).chain(Cause::ALL.iter().map(|(_, code)| *code)).collect();
        assert_eq!(codes, causes);
    }

    #[test]
    fn the_help_has_a_row_for_each_code() {
        let help = exit_codes_help();
        assert_eq!(help.lines().count(), 1 + EXIT_CODES.len());
        assert!(help.contains("\n    7  the destination failed, exists already, or is in use\n"), "{help}");
    }

    #[test]
    fn an_unknown_code_is_called_so() {
        assert_eq!(meaning(77), "unknown");
    }
}
