//! The quiet face of `--progress none`: warnings, the checksum, what backup it is, the last lines, and what nobody
//! could go on without (where it listens, the invitation).

use std::io::Write;

use super::event::{Event, Face, Moment};
use super::words::signed;
use crate::failure::Party;

/// Shows only what must be read.
#[derive(Debug)]
pub struct Quiet<W> {
    out: W,
    own: Party,
}

impl<W: Write + Send> Quiet<W> {
    /// Writes to `out` as the program of `own` party.
    pub fn new(out: W, own: Party) -> Quiet<W> {
        Quiet { out, own }
    }
}

impl<W: Write + Send> Face for Quiet<W> {
    fn show(&mut self, _: Moment, event: &Event) {
        let must_be_read = match event {
            Event::Listening { .. } | Event::Invite { .. } | Event::Warning(_) | Event::Status(_) => true,
            Event::Interrupted { .. } | Event::Resumed { .. } => true,
            Event::Checksum { .. } | Event::Backup(_) | Event::Finished(_) | Event::Failed(_) => true,
            Event::Reachable { .. }
            | Event::Session(_)
            | Event::NoSession
            | Event::Connecting { .. }
            | Event::Connected { .. }
            | Event::Stranger { .. } => false,
            Event::Notice(_) | Event::Detail(_) | Event::Child { .. } | Event::Far { .. } => false,
            Event::Progress(_) | Event::Passed(_) => false,
        };
        if must_be_read {
            for line in signed(self.own, event) {
                let _ = self.out.write_all(format!("{line}\n").as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::event::Snapshot;
    use crate::failure::{Cause, Failure};

    #[test]
    fn only_what_must_be_read_is_shown() {
        let mut quiet = Quiet::new(Vec::new(), Party::Receiver);
        for event in [
            Event::Listening { address: "[::]:9999".parse().expect("an address") },
            Event::Notice("the window is 64 MiB".into()),
            Event::Progress(Snapshot::default()),
            Event::Child { label: "consumer", line: "chatter".into() },
            Event::Warning("key.txt can be read by others".into()),
            Event::Failed(Failure::new(Cause::Source, Party::Sender, "xtrabackup exited with 1").into()),
        ] {
            quiet.show(Moment::now(), &event);
        }
        assert_eq!(
            String::from_utf8(quiet.out).expect("UTF-8"),
            "listening on [::]:9999\n\
             xbrecv: warning: key.txt can be read by others\n\
             xbrecv: sender: xtrabackup exited with 1\n\
             xbrecv: next: mend what the tool's last lines say, then run both again\n\
             xbrecv: failed (exit code 6: the source of the backup failed)\n"
        );
    }
}
