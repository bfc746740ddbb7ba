//! What is known of a far program from what it and ssh have said, and what to tell of it. Pure.

use std::process::ExitStatus;

use super::orders::Afterwards;
use super::said::Said;
use super::ssh::{BY_SSH, Ssh};
use crate::cli::event::{Event, program_name};
use crate::failure::{Cause, Failure, Party};
use crate::process::describe;

/// How many of the last plain words are kept for the report of a failure.
const KEPT: usize = 20;

/// The account of one far program.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) ssh: Ssh,
    pub(super) far: Party,
    /// What it was told to do after the commit.
    pub(super) afterwards: Afterwards,
    /// The last plain words of ssh and the shell.
    words: Vec<String>,
    /// How it says that it has ended.
    last: Option<Last>,
    /// Whether it has told a checksum: what follows is work after the commit.
    pub(super) committed: bool,
}

/// The last thing a program says.
#[derive(Debug)]
enum Last {
    Finished,
    Failed { failure: Failure, left: Option<String> },
}

impl Account {
    /// Of the program of the `far` party, that `ssh` starts, and that does this after the commit.
    pub(super) fn new(ssh: Ssh, far: Party, afterwards: Afterwards) -> Account {
        Account { ssh, far, afterwards, words: Vec::new(), last: None, committed: false }
    }

    /// Takes note of what was said, and gives what a person is to be told of it.
    pub(super) fn note(&mut self, said: Said) -> Option<Event> {
        let line = match said {
            Said::Words(words) => {
                if self.words.len() == KEPT {
                    self.words.remove(0);
                }
                self.words.push(words.clone());
                words
            }
            Said::Told(words) => words,
            Said::Checksum { sum, name } => {
                self.committed = true;
                format!("{sum}  {name}")
            }
            Said::Finished => {
                self.last = Some(Last::Finished);
                return None;
            }
            Said::Failed { failure, left } => {
                self.last = Some(Last::Failed { failure, left });
                return None;
            }
            Said::Reachable(_) | Said::Nothing => return None,
        };
        Some(self.tell(line))
    }

    /// Whether the program has said how it ends.
    pub(super) fn has_ended(&self) -> bool {
        self.last.is_some()
    }

    /// The failure it has told.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match &self.last {
            Some(Last::Failed { failure, .. }) => Some(failure),
            _ => None,
        }
    }

    /// Why a program that has ended so never came to a session.
    pub(super) fn never_ready(&self, status: ExitStatus) -> Failure {
        if let Some(failure) = self.failure() {
            return failure.clone();
        }
        let (program, host) = (program_name(self.far), self.ssh.label());
        let (cause, reason) = match status.code() {
            Some(255) => (
                Cause::PeerLost,
                format!("ssh could not connect to {host}{}; does `{}` work?", self.quoted(), self.ssh.trial()),
            ),
            Some(126 | 127) => self.not_there(),
            Some(2) if self.has_said(BY_SSH) => (
                Cause::Refused,
                format!(
                    "{program} on {host} is too old to be started over ssh (it does not know {BY_SSH}); update it there"
                ),
            ),
            Some(2) => {
                (Cause::Usage, format!("{program} on {host} does not take what it is asked for{}", self.quoted()))
            }
            Some(_) if self.has_said("not found") => self.not_there(),
            _ => (
                Cause::PeerLost,
                format!("{program} on {host} never listened: what ssh ran {}{}", describe(status), self.quoted()),
            ),
        };
        Failure::new(cause, self.far.peer(), reason)
    }

    /// Why a program that says nothing for `limit` is not waited for.
    pub(super) fn too_slow(&self, limit: impl std::fmt::Display) -> Failure {
        let (program, host) = (program_name(self.far), self.ssh.label());
        let reason = format!(
            "{program} on {host} did not listen within {limit}{}; does `{}` work?",
            self.quoted(),
            self.ssh.trial()
        );
        Failure::new(Cause::PeerLost, self.far.peer(), reason)
    }

    /// What is told when ssh ends in mid-session.
    pub(super) fn cut(&self) -> Event {
        let host = self.ssh.label();
        Event::Warning(format!(
            "the ssh connection to {host} is gone{}; the transfer goes on without it",
            self.quoted()
        ))
    }

    /// What there is to tell of the end, beside `ours`.
    pub(super) fn last_words(&self, ours: Option<&Failure>) -> Vec<Event> {
        match &self.last {
            Some(Last::Finished) => vec![self.tell(format!("{} has ended well", program_name(self.far)))],
            Some(Last::Failed { failure, left }) => {
                let differs = ours.is_none_or(|ours| ours.reason != failure.reason);
                let reason = differs.then(|| format!("failed (exit code {}): {failure}", failure.cause.code()));
                let left = left.as_ref().map(|left| format!("left there: {left}"));
                reason.into_iter().chain(left).map(|words| self.tell(words)).collect()
            }
            None => {
                let (program, host) = (program_name(self.far), self.ssh.label());
                vec![Event::Warning(format!("{program} on {host} has not said how it ended: ssh ended before"))]
            }
        }
    }

    /// What it is doing when nothing is heard of it after the commit.
    pub(super) fn at_work(&self) -> Event {
        let (program, host) = (program_name(self.far), self.ssh.label());
        Event::Notice(format!("the backup is committed; {program} on {host} does what is to be done after it"))
    }

    /// How that has come out. The copy is good, so that whatever the program fails for then is something after the commit.
    /// `asked` is the request to end this program meanwhile.
    ///
    /// # Errors
    /// Its failure, or that none is known where there was something to do.
    pub(super) fn after_commit(&self, asked: Option<&Failure>) -> Result<(), Failure> {
        let (program, host) = (program_name(self.far), self.ssh.label());
        let unknown = |reason| Err(Failure::new(Cause::AfterCommit, self.far.peer(), reason));
        match (&self.last, asked) {
            (Some(Last::Finished), _) => Ok(()),
            (Some(Last::Failed { failure, .. }), _) => Err(Failure { cause: Cause::AfterCommit, ..failure.clone() }),
            (None, Some(asked)) => {
                unknown(format!("what {program} on {host} does after the commit was not waited for: {}", asked.reason))
            }
            (None, None) if self.afterwards == Afterwards::Work => unknown(format!(
                "the backup is committed, but {program} on {host} has not said whether it has done what was to be done \
                 after that; look there"
            )),
            (None, None) => Ok(()),
        }
    }

    fn not_there(&self) -> (Cause, String) {
        let (program, host) = (program_name(self.far), self.ssh.label());
        let path = self.ssh.remote_path.display();
        let words = format!(
            "{path} cannot be run on {host}{}; install {program} there, or say where it is with --remote-path",
            self.quoted()
        );
        (Cause::PeerLost, words)
    }

    fn has_said(&self, part: &str) -> bool {
        self.words.iter().any(|words| words.contains(part))
    }

    /// The last words of ssh, or of whoever spoke in its place, as a part of a sentence. A program that explains its usage
    /// says first what is wrong.
    fn quoted(&self) -> String {
        let error = self.words.iter().find(|words| words.starts_with("error: "));
        error.or(self.words.last()).map(|words| format!(": {}", words.trim())).unwrap_or_default()
    }

    fn tell(&self, line: String) -> Event {
        Event::Far { host: self.ssh.label().to_owned(), line }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn account(words: &[&str]) -> Account {
        let ssh = Ssh { words: vec!["ssh".into()], login: "me@db7".parse().unwrap(), remote_path: "xbrecv".into() };
        let mut account = Account::new(ssh, Party::Receiver, Afterwards::Nothing);
        words.iter().for_each(|words| drop(account.note(Said::Words((*words).into()))));
        account
    }

    fn told(events: Vec<Event>) -> Vec<String> {
        let text = |event| match event {
            Event::Far { host, line } => format!("{host}: {line}"),
            Event::Warning(text) => text,
            other => panic!("unexpected: {other:?}"),
        };
        events.into_iter().map(text).collect()
    }

    #[test]
    fn every_way_not_to_get_ready_is_told_from_the_others() {
        let cases: [(&[&str], u8, u8, &str); 8] = [
            (
                &["me@db7: Permission denied (publickey)."],
                255,
                3,
                "ssh could not connect to db7: me@db7: Permission denied (publickey).; does `ssh me@db7 true` work?",
            ),
            (
                &["bash: xbrecv: command not found"],
                127,
                3,
                "xbrecv cannot be run on db7: bash: xbrecv: command not found; install xbrecv there, or say where it is with --remote-path",
            ),
            (&["sudo: xbrecv: command not found"], 1, 3, "xbrecv cannot be run on db7"),
            (&["permission denied"], 126, 3, "xbrecv cannot be run on db7"),
            (
                &["error: unexpected argument '--by-ssh' found", "For more information"],
                2,
                4,
                "xbrecv on db7 is too old",
            ),
            (
                &["error: unexpected argument '--bogus' found"],
                2,
                2,
                "does not take what it is asked for: error: unexpected",
            ),
            (
                &["This account is currently not available."],
                1,
                3,
                "never listened: what ssh ran exited with status 1: This account",
            ),
            (&[], 0, 3, "never listened: what ssh ran exited with status 0"),
        ];
        for (words, status, code, reason) in cases {
            let failure = account(words).never_ready(ExitStatus::from_raw(i32::from(status) << 8));
            assert_eq!(failure.cause.code(), code, "{failure}");
            assert!(failure.reason.contains(reason), "{failure}");
        }
    }

    #[test]
    fn a_failure_that_was_told_counts_whatever_the_status() {
        let mut account = account(&[]);
        let failure = Failure::new(Cause::Sink, Party::Receiver, "f exists");
        account.note(Said::Failed { failure: failure.clone(), left: None });
        assert_eq!(account.never_ready(ExitStatus::from_raw(7 << 8)), failure);
    }

    #[test]
    fn the_same_reason_is_not_told_twice() {
        let mut account = account(&[]);
        assert_eq!(told(account.last_words(None)), ["xbrecv on db7 has not said how it ended: ssh ended before"]);
        let failure = Failure::new(Cause::Source, Party::Sender, "the tool failed");
        account.note(Said::Failed { failure: failure.clone(), left: Some("nothing".into()) });
        assert_eq!(told(account.last_words(Some(&failure))), ["db7: left there: nothing"]);
        let both = ["db7: failed (exit code 6): sender: the tool failed", "db7: left there: nothing"];
        assert_eq!(told(account.last_words(None)), both);
    }

    #[test]
    fn a_checksum_is_told_and_says_that_the_copy_is_committed() {
        let mut account = account(&[]);
        let event = account.note(Said::Checksum { sum: "ab".into(), name: "f".into() });
        assert_eq!((told(event.into_iter().collect()), account.committed), (vec!["db7: ab  f".to_owned()], true));
    }

    #[test]
    fn whatever_fails_after_the_commit_counts() {
        let mut account = account(&[]);
        assert_eq!(account.after_commit(None), Ok(()));
        let asked = Failure::new(Cause::Interrupted, Party::Sender, "interrupted by SIGINT");
        assert_eq!(account.after_commit(Some(&asked)).unwrap_err().cause, Cause::AfterCommit);
        account.afterwards = Afterwards::Work;
        let failure = account.after_commit(None).unwrap_err();
        assert_eq!(failure.cause, Cause::AfterCommit);
        assert!(failure.reason.contains("xbrecv on db7 has not said"), "{failure}");
        account.note(Said::Failed { failure: Failure::new(Cause::Sink, Party::Receiver, "disk full"), left: None });
        let expected = Failure::new(Cause::AfterCommit, Party::Receiver, "disk full");
        assert_eq!(account.after_commit(Some(&asked)), Err(expected));
        account.note(Said::Finished);
        assert_eq!(account.after_commit(Some(&asked)), Ok(()));
    }
}
