//! The reporter against readers that are slow, gone, or asleep.

use std::io::{Read, pipe};
use std::sync::mpsc;

use super::*;
use crate::cli::event::Snapshot;
use crate::cli::lines::Lines;
use crate::cli::none::Quiet;
use crate::failure::{Cause, Failure};
use crate::key::Key;

fn notice(number: usize) -> Event {
    Event::Notice(format!("notice {number} {}", "x".repeat(1000)))
}

fn failed() -> Event {
    Event::Failed(Failure::new(Cause::Unforeseen, Party::Sender, "the reason").into())
}

/// Hands on what it is shown, and waits for a permit before each.
struct Gated {
    shown: mpsc::Sender<Event>,
    permits: mpsc::Receiver<()>,
}

impl Face for Gated {
    fn show(&mut self, _: Moment, event: &Event) {
        let _ = self.permits.recv();
        let _ = self.shown.send(event.clone());
    }
}

/// A reporter whose face waits, what it has shown, and the permits to go on (dropped: all of them).
fn gated(screen: Screen, verbosity: Verbosity) -> (Reporter, mpsc::Receiver<Event>, mpsc::Sender<()>) {
    let ((shown, seen), (permit, permits)) = (mpsc::channel(), mpsc::channel());
    (Reporter::with_face(Box::new(Gated { shown, permits }), screen, verbosity), seen, permit)
}

#[test]
fn everything_told_is_shown_in_order() {
    let (reader, writer) = pipe().expect("a pipe");
    let reporter =
        Reporter::with_face(Box::new(Lines::new(writer, Party::Sender)), Screen::Elsewhere, Verbosity::Normal);
    reporter.session(SessionTag(7));
    (0..20).for_each(|number| reporter.clone().tell(notice(number)));
    reporter.tell(failed());
    reporter.finish();
    let text = std::io::read_to_string(reader).expect("UTF-8");
    assert_eq!(text.lines().count(), 23);
    for (number, line) in text.lines().take(20).enumerate() {
        assert!(line.contains(&format!("xbsend[00000007] notice {number} ")), "{line}");
    }
    assert!(text.ends_with("failed (exit code 1: an unforeseen error)\n"), "{text}");
}

#[test]
fn a_closed_pipe_swallows_everything() {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let reporter =
        Reporter::with_face(Box::new(Quiet::new(writer, Party::Sender)), Screen::Elsewhere, Verbosity::Normal);
    (0..100).for_each(|number| reporter.tell(notice(number)));
    reporter.tell(failed());
    reporter.finish();
}

#[test]
fn a_pipe_nobody_reads_holds_up_nobody() {
    let (mut reader, writer) = pipe().expect("a pipe");
    let reporter =
        Reporter::with_face(Box::new(Lines::new(writer, Party::Sender)), Screen::Elsewhere, Verbosity::Normal);
    // Far more than pipe and queue hold.
    (0..10 * QUEUE).for_each(|number| reporter.tell(notice(number)));
    reporter.tell(failed());
    reporter.finish();
    // The writer is still stuck in its line; what the pipe holds is whole.
    let mut first = [0; 64];
    reader.read_exact(&mut first).expect("what was written before the pipe was full");
}

#[test]
fn dropped_lines_are_counted_before_the_last_words() {
    let (reporter, seen, permits) = gated(Screen::Elsewhere, Verbosity::Normal);
    (0..QUEUE + 10).for_each(|number| reporter.tell(notice(number)));
    reporter.tell(failed());
    drop(permits);
    reporter.finish();
    let seen: Vec<Event> = seen.iter().collect();
    // One may have left the queue for the face before it was full.
    let shown = seen.iter().filter(|event| matches!(event, Event::Notice(_))).count();
    assert!((QUEUE..=QUEUE + 1).contains(&shown), "{shown}");
    let [.., Event::Warning(warning), Event::Failed(_)] = &seen[..] else { panic!("{:?}", seen.last()) };
    assert_eq!(*warning, format!("{} lines were dropped because nobody read standard error", QUEUE + 10 - shown));
}

#[test]
fn only_the_latest_progress_waits() {
    let (reporter, seen, permits) = gated(Screen::Elsewhere, Verbosity::Normal);
    reporter.tell(notice(0));
    for bytes in 0..1000 {
        reporter.tell(Event::Progress(Snapshot { bytes, ..Snapshot::default() }));
    }
    drop(permits);
    reporter.finish();
    let progress: Vec<u64> = seen
        .iter()
        .filter_map(|event| if let Event::Progress(snapshot) = event { Some(snapshot.bytes) } else { None })
        .collect();
    assert!(progress.len() <= 2 && progress.last() == Some(&999), "{progress:?}");
}

#[test]
fn details_and_keys_are_told_only_where_they_may_be() {
    for (screen, verbosity, expected) in [
        (Screen::Elsewhere, Verbosity::Normal, 0),
        (Screen::Elsewhere, Verbosity::Verbose, 1),
        (Screen::Terminal, Verbosity::Normal, 1),
        (Screen::Terminal, Verbosity::Verbose, 2),
    ] {
        let (reporter, seen, permits) = gated(screen, verbosity);
        drop(permits);
        reporter.tell(Event::Detail("mtu 1452".into()));
        reporter.tell(Event::Invite { command: "xbsend desthost:9999".into(), key: Key::new([1; 16]) });
        reporter.finish();
        assert_eq!(seen.iter().count(), expected, "{screen:?} {verbosity:?}");
    }
}

#[test]
fn what_is_told_after_the_end_is_lost_without_harm() {
    let (reporter, seen, permits) = gated(Screen::Elsewhere, Verbosity::Normal);
    drop(permits);
    let late = reporter.clone();
    reporter.finish();
    late.tell(notice(1));
    late.finish();
    assert_eq!(seen.iter().count(), 0);
}
