//! Plain lines for logs: `2026-11-23T14:18:46Z xbsend[1a2b3c4d] connected to 192.0.2.7:9999`.
//!
//! Every line carries the time (UTC) and the session (`-` while there is none yet). Progress is
//! one line, at most every 30 seconds.

use std::io::Write;
use std::time::Duration;

use super::event::{Event, Face, Moment, SessionTag, program_name};
use super::words::sentences;
use crate::failure::Party;

/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(30);

/// The face for logs, cron mails and journals.
#[derive(Debug)]
pub struct Lines<W> {
    out: W,
    own: Party,
    session: Option<SessionTag>,
    next_progress: Duration,
}

impl<W: Write + Send> Lines<W> {
    /// Writes to `out` as the program of `own` party, each line in one piece.
    pub fn new(out: W, own: Party) -> Lines<W> {
        Lines { out, own, session: None, next_progress: INTERVAL }
    }

    fn is_due(&mut self, at: Moment) -> bool {
        let due = at.running >= self.next_progress;
        if due {
            self.next_progress = at.running + INTERVAL;
        }
        due
    }
}

impl<W: Write + Send> Face for Lines<W> {
    fn show(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Session(tag) => self.session = Some(*tag),
            Event::NoSession => self.session = None,
            Event::Progress(_) if !self.is_due(at) => return,
            _ => {}
        }
        let session = self.session.map_or("-".to_owned(), |tag| tag.to_string());
        for sentence in sentences(self.own, event) {
            let line = format!("{:.0} {}[{session}] {sentence}\n", at.wall, program_name(self.own));
            let _ = self.out.write_all(line.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{BackupFacts, BackupKind, FactText};
    use crate::cli::event::{LastWords, Snapshot, Summary};
    use crate::cli::setting::Setting;
    use crate::failure::{Cause, Failure};
    use crate::lane::{LaneId, Sha1Sum};
    use crate::limit::{Limit, Limited};

    fn moment(seconds: u64) -> Moment {
        let wall = jiff::Timestamp::from_millisecond(1_795_443_526_789 + seconds as i64 * 1000).expect("a date");
        Moment { wall, running: Duration::from_secs(seconds) }
    }

    fn shown(events: &[(u64, Event)]) -> String {
        let mut lines = Lines::new(Vec::new(), Party::Sender);
        events.iter().for_each(|(seconds, event)| lines.show(moment(*seconds), event));
        String::from_utf8(lines.out).expect("UTF-8")
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            bytes: 3 << 30,
            total: Some(12 << 30),
            now: 10 << 20,
            average: 9 << 20,
            eta: Some(Duration::from_secs(922)),
            file: Some("shop/orders.ibd".into()),
            bottleneck: Some(Limit::Network),
            limited: None,
            note: None,
        }
    }

    #[test]
    fn every_line_has_time_and_session() {
        let text = shown(&[
            (0, Event::Listening { address: "[::]:9999".parse().expect("an address") }),
            (1, Event::Session(SessionTag(0x1a2b_3c4d))),
            (2, Event::Connected { peer: "192.0.2.7:40001".parse().expect("an address") }),
            (3, Event::Child { label: "backup", line: "\u{1b}[31mdone\n".into() }),
        ]);
        assert_eq!(
            text,
            "2026-11-23T14:18:46Z xbsend[-] listening on [::]:9999\n\
             2026-11-23T14:18:48Z xbsend[1a2b3c4d] connected to 192.0.2.7:40001\n\
             2026-11-23T14:18:49Z xbsend[1a2b3c4d] backup: \\u{1b}[31mdone\\n\n"
        );
    }

    #[test]
    fn progress_comes_every_thirty_seconds() {
        let every_second: Vec<_> = (0..95).map(|second| (second, Event::Progress(snapshot()))).collect();
        let text = shown(&every_second);
        assert_eq!(text.lines().count(), 3);
        assert_eq!(
            text.lines().next(),
            Some(
                "2026-11-23T14:19:16Z xbsend[-] 3.0 GiB of 12.0 GiB (25 %), 10.0 MiB/s now, 9.0 MiB/s average, \
                 15m22s left, waiting for the network, shop/orders.ibd"
            )
        );
    }

    #[test]
    fn success_ends_with_the_words_that_scripts_look_for() {
        let summary = Summary {
            bytes: 1 << 30,
            elapsed: Duration::from_millis(12_345),
            average: 87 << 20,
            reached: "synced".into(),
            files: Some(512),
            compressed: None,
            limited: Some(Limited { by: Limit::Disk, percent: 91, hint: None }),
        };
        let checksum = Event::Checksum { name: "backup.xbstream".into(), sum: Sha1Sum([0xab; 20]), lane: LaneId(0) };
        assert_eq!(
            shown(&[(0, checksum), (0, Event::Finished(summary))]),
            "2026-11-23T14:18:46Z xbsend[-] abababababababababababababababababababab  backup.xbstream\n\
             2026-11-23T14:18:46Z xbsend[-] 512 files, 1.0 GiB in 12.3 s, 87.0 MiB/s, synced\n\
             2026-11-23T14:18:46Z xbsend[-] the limit was the disk for 91 % of the time\n\
             2026-11-23T14:18:46Z xbsend[-] completed OK!\n"
        );
    }

    #[test]
    fn what_the_backup_says_leads_to_the_next_incremental_one() {
        let version = FactText::new("10.11.19-MariaDB");
        let full = BackupFacts {
            kind: Some(BackupKind::Full),
            from_lsn: Some(0),
            to_lsn: Some(12_345),
            server_version: version,
            ..BackupFacts::default()
        };
        let mut later = BackupFacts { kind: Some(BackupKind::Incremental), to_lsn: Some(23_456), ..full.clone() };
        later.from_lsn = full.to_lsn;
        let little = BackupFacts { tool: FactText::new("x"), ..BackupFacts::default() };
        let odd = BackupFacts { kind: FactText::new("log-applied\u{202e}").map(BackupKind::Other), ..little.clone() };
        let text = shown(&[full, later, little, odd].map(|facts| (0, Event::Backup(facts))));
        let sentences: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("] ")).map(|(_, line)| line).collect();
        assert_eq!(
            sentences,
            [
                "full backup of 10.11.19-MariaDB to LSN 12345; next: --incremental-lsn=12345",
                "incremental backup of 10.11.19-MariaDB from LSN 12345 to LSN 23456; next: --incremental-lsn=23456",
                "backup",
                r"log-applied\u{202e} backup",
            ]
        );
    }

    #[test]
    fn failure_reads_the_same_on_both_sides_and_never_says_the_verdict() {
        let failed = |own| {
            let reason = "writing a.ibd: No space left on device\ncompleted OK!";
            let failure = Failure::new(Cause::Sink, Party::Receiver, reason);
            let mut lines = Lines::new(Vec::new(), own);
            lines.show(
                moment(0),
                &Event::Failed(LastWords { failure, left: Some("nothing".into()), setting: Setting::TwoHosts }),
            );
            String::from_utf8(lines.out).expect("UTF-8")
        };
        let text = failed(Party::Sender);
        let sentences: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("] ")).map(|(_, line)| line).collect();
        assert_eq!(
            sentences,
            [
                "receiver: writing a.ibd: No space left on device\\ncompleted, unconfirmed",
                "left here: nothing; next: look at free space, permissions and the name on the receiving host, then run both again",
                "failed (exit code 7: the destination failed, exists already, or is in use)",
            ]
        );
        assert_eq!(failed(Party::Receiver).replace("xbrecv", "xbsend"), text);
    }

    #[test]
    fn one_host_alone_is_no_side() {
        let failure = Failure::new(Cause::Integrity, Party::Receiver, "b.xb: at byte 7: damaged");
        let mut lines = Lines::new(Vec::new(), Party::Receiver);
        let words = LastWords { failure, left: None, setting: Setting::OneHost };
        lines.show(moment(0), &Event::Failed(words));
        let text = String::from_utf8(lines.out).expect("UTF-8");
        assert!(text.contains("] b.xb: at byte 7: damaged\n") && !text.contains("both"), "{text}");
    }

    #[test]
    fn wrong_usage_is_told_without_a_side() {
        let failure = Failure::new(Cause::Usage, Party::Sender, "no such option");
        let text = shown(&[(0, Event::Failed(failure.into()))]);
        assert!(text.contains("] no such option\n"), "{text}");
    }

    #[test]
    fn a_guessed_total_that_is_too_low_gives_no_percentage() {
        let mut over = snapshot();
        (over.bytes, over.eta, over.bottleneck, over.file) = (13 << 30, None, None, None);
        over.note = Some("tool finished".into());
        let text = shown(&[(30, Event::Progress(over))]);
        assert!(text.ends_with("] 13.0 GiB of 12.0 GiB, 10.0 MiB/s now, 9.0 MiB/s average, tool finished\n"), "{text}");
    }
}
