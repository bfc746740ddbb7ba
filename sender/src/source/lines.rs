//! What a child says on stderr: cut into lines, made safe to show, and remembered.

use std::collections::VecDeque;

use super::ChildLine;

/// How the last line of a good run of xtrabackup or mariabackup ends.
const MARKER: &str = "completed OK!";
/// Shown instead of that line: it is not for the tool to say that the backup is done.
const FINISHED: &str = "tool finished, waiting for the receiver";
/// Shown instead of the phrase where a line merely quotes it.
const QUOTED: &str = "[its success line]";

/// Longest line in bytes; the rest of a longer one is dropped.
const LONGEST: usize = 4096;
/// Lines remembered for the report of a failure.
const REMEMBERED: usize = 20;

/// Cuts bytes into lines at `\n`, and at `\r` where a tool repaints its progress.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    line: Vec<u8>,
}

impl Cutter {
    /// Takes the next bytes, and calls `each` with every line they end. Empty lines are left out.
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, ended) = match piece {
                [text @ .., b'\n' | b'\r'] => (text, true),
                text => (text, false),
            };
            // One byte more than is shown tells a cut line from one that just fits.
            let room = (LONGEST + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                self.end(&mut each);
            }
        }
    }

    /// Ends the line that has begun, if any.
    pub(super) fn end(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.line.is_empty() {
            each(&self.line);
            self.line.clear();
        }
    }
}

/// The end of what a child said.
#[derive(Debug, Default)]
pub(super) struct Memory {
    last: VecDeque<String>,
    success: bool,
}

impl Memory {
    /// Takes note of a line, and gives it back as it may be shown.
    pub(super) fn note(&mut self, line: &[u8]) -> ChildLine {
        let text = legible(line);
        self.success = text.trim_end().ends_with(MARKER);
        let shown = if self.success { FINISHED.to_owned() } else { text.replace(MARKER, QUOTED) };
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(shown.clone());
        ChildLine(shown)
    }

    /// Whether the last line was the one that ends a good run.
    pub(super) fn reports_success(&self) -> bool {
        self.success
    }

    /// The last lines, oldest first, as they were shown.
    pub(super) fn last_lines(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

/// A line as text that cannot steer a terminal, cut to its longest.
fn legible(line: &[u8]) -> String {
    let (kept, more) = if line.len() > LONGEST { (&line[..LONGEST], "…") } else { (line, "") };
    let mut text = String::with_capacity(kept.len() + more.len());
    for c in String::from_utf8_lossy(kept).chars() {
        match c {
            '\t' => text.push(' '),
            c if c.is_control() => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text + more
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let mut cutter = Cutter::default();
        let mut lines = Vec::new();
        let mut each = |line: &[u8]| lines.push(legible(line));
        for piece in pieces {
            cutter.feed(piece, &mut each);
        }
        cutter.end(&mut each);
        lines
    }

    #[test]
    fn lines_end_at_every_kind_of_line_end() {
        assert_eq!(cut(&[b"a\nb", b"c\r\n\n10%\r20", b"%\rlast"]), ["a", "bc", "10%", "20%", "last"]);
    }

    #[test]
    fn long_lines_are_cut() {
        let fits = [b'x'; LONGEST];
        assert_eq!(cut(&[&fits, b"\n", &fits, b"y\n"]), ["x".repeat(LONGEST), "x".repeat(LONGEST) + "…"]);
    }

    #[test]
    fn control_characters_and_broken_utf8_are_made_legible() {
        assert_eq!(legible(b"a\tb\x1b[2Jc\x00\xff\xc3\xa9"), "a b\\u{1b}[2Jc\\u{0}\u{fffd}é");
    }

    #[test]
    fn the_success_line_is_known_and_not_shown() {
        let mut memory = Memory::default();
        let shown = memory.note(b"[00] 2026-11-22 09:53:45 completed OK!");
        assert_eq!(shown.0, FINISHED);
        assert!(memory.reports_success());
        memory.note(b"but then");
        assert!(!memory.reports_success());
    }

    #[test]
    fn a_line_that_quotes_the_success_line_is_not_it() {
        let mut memory = Memory::default();
        let shown = memory.note(br#"           prints "completed OK!"."#);
        assert_eq!(shown.0, r#"           prints "[its success line]"."#);
        assert!(!memory.reports_success());
        assert_eq!(memory.last_lines(), [shown.0]);
    }

    #[test]
    fn only_the_last_lines_are_remembered() {
        let mut memory = Memory::default();
        (0..50).for_each(|i| drop(memory.note(format!("line {i}").as_bytes())));
        let expected: Vec<_> = (30..50).map(|i| format!("line {i}")).collect();
        assert_eq!(memory.last_lines(), expected);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_bytes_arrive(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200), at in 0..200_usize) {
            let (left, right) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(cut(&[left, right]), cut(&[&bytes]));
        }

        #[test]
        fn the_phrase_never_comes_through(text in "(completed| |OK!|\\PC|completed OK!){0,20}") {
            let mut memory = Memory::default();
            prop_assert!(!memory.note(text.as_bytes()).0.contains(MARKER));
        }
    }
}
