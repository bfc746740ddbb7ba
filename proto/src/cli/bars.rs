//! The face for a terminal: a bar at the bottom, everything else scrolling by above it.

use std::io::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::event::{Event, Face, Moment, Snapshot};
use super::words::{numbers, passing, signed, without_verdict};
use crate::failure::Party;

/// With a known total. The last line, which may be long, is cut to the terminal's width.
const BAR: &str = "{wide_bar}\n{prefix}\n{wide_msg}";

/// Without one.
const SPINNER: &str = "{spinner} {prefix}\n{wide_msg}";

/// Draws a bar, and suspends it for every line that is written.
#[derive(Debug)]
pub struct Bars<W> {
    out: W,
    own: Party,
    bar: Option<ProgressBar>,
    target: fn() -> ProgressDrawTarget,
}

impl<W: Write + Send> Bars<W> {
    /// Writes lines to `out`, which must be standard error, where the bar is drawn.
    pub fn new(out: W, own: Party) -> Bars<W> {
        Bars { out, own, bar: None, target: ProgressDrawTarget::stderr }
    }

    fn draw(&mut self, snapshot: &Snapshot) {
        let target = self.target;
        let bar =
            self.bar.get_or_insert_with(|| ProgressBar::with_draw_target(None, target()).with_style(style(SPINNER)));
        if let Some(total) = snapshot.total
            && bar.length() != Some(total)
        {
            bar.set_style(style(BAR));
            bar.set_length(total);
        }
        bar.set_prefix(numbers(snapshot));
        bar.set_message(without_verdict(&passing(snapshot)));
        bar.set_position(snapshot.bytes);
        bar.tick();
    }

    fn write(&mut self, lines: &[String]) {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let out = &mut self.out;
        let mut write = || {
            let _ = out.write_all(text.as_bytes());
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl<W: Write + Send> Face for Bars<W> {
    fn show(&mut self, _: Moment, event: &Event) {
        match event {
            Event::Session(_) | Event::NoSession => return,
            Event::Progress(snapshot) => return self.draw(snapshot),
            Event::Passed(_) | Event::Checksum { .. } | Event::Backup(_) | Event::Finished(_) | Event::Failed(_) => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        let lines = signed(self.own, event);
        self.write(&lines);
    }
}

/// The style of a template that is known to be well formed.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::event::Summary;
    use crate::key::Key;
    use std::time::Duration;

    fn bars() -> Bars<Vec<u8>> {
        Bars { out: Vec::new(), own: Party::Receiver, bar: None, target: ProgressDrawTarget::hidden }
    }

    fn text(bars: Bars<Vec<u8>>) -> String {
        String::from_utf8(bars.out).expect("UTF-8")
    }

    #[test]
    fn the_templates_are_well_formed() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn progress_moves_the_bar_and_writes_nothing() {
        let mut bars = bars();
        let mut snapshot = Snapshot { bytes: 5 << 20, file: Some("a\u{1b}.ibd".into()), ..Snapshot::default() };
        bars.show(Moment::now(), &Event::Progress(snapshot.clone()));
        snapshot.total = Some(10 << 20);
        bars.show(Moment::now(), &Event::Progress(snapshot));
        let bar = bars.bar.clone().expect("a bar");
        assert_eq!((bar.position(), bar.length()), (5 << 20, Some(10 << 20)));
        assert_eq!(bar.prefix(), "5.0 MiB of 10.0 MiB (50 %), 0 B/s now, 0 B/s average");
        assert_eq!(bar.message(), r"a\u{1b}.ibd");
        assert_eq!(text(bars), "");
    }

    #[test]
    fn lines_have_no_time_and_the_end_takes_the_bar_away() {
        let mut bars = bars();
        bars.show(Moment::now(), &Event::Progress(Snapshot::default()));
        bars.show(Moment::now(), &Event::Child { label: "consumer", line: "hello".into() });
        bars.show(Moment::now(), &Event::Notice("the window is 64 MiB".into()));
        let summary = Summary {
            bytes: 1024,
            elapsed: Duration::from_secs(1),
            average: 1024,
            reached: "consumed".into(),
            files: None,
            compressed: None,
            limited: None,
        };
        bars.show(Moment::now(), &Event::Finished(summary));
        assert!(bars.bar.is_none());
        assert_eq!(
            text(bars),
            "consumer: hello\n\
             xbrecv: the window is 64 MiB\n\
             xbrecv: 1.0 KiB in 1.0 s, 1.0 KiB/s, consumed\n\
             xbrecv: completed OK!\n"
        );
    }

    #[test]
    fn the_invitation_shows_command_and_key() {
        let (mut bars, key) = (bars(), Key::new([7; 16]));
        let expected = format!(
            "On the other host, run\n    xbsend desthost:9999\nand give it this key when it asks:\n    {}\n",
            key.reveal()
        );
        bars.show(Moment::now(), &Event::Invite { command: "xbsend desthost:9999".into(), key });
        assert_eq!(text(bars), expected);
    }
}
