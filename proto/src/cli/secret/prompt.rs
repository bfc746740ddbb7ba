//! The question for the key, on the terminal, without echo.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::SecretError;
use crate::key::Key;

/// How often a mistyped key may be typed again.
const TRIES: usize = 3;

/// The most that is kept of what is typed, in bytes; a key has 38.
const MAX_LINE: usize = 256;

/// Asks for the key on `/dev/tty`, three times at most. Without a terminal to ask on there is
/// [`SecretError::Missing`], which names the other ways.
pub fn ask_for_key() -> Result<Key, SecretError> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| SecretError::Missing)?;
    ask_on(&tty)
}

fn ask_on(mut tty: &File) -> Result<Key, SecretError> {
    let _silent = Silent::new(tty).map_err(SecretError::Terminal)?;
    for left in (0..TRIES).rev() {
        let line = ask_once(tty).map_err(SecretError::Terminal)?.ok_or(SecretError::NotEntered)?;
        match line.parse() {
            Ok(key) => return Ok(key),
            Err(error) if left == 0 => return Err(SecretError::Malformed { origin: "the terminal".into(), error }),
            Err(error) => writeln!(tty, "{error}").map_err(SecretError::Terminal)?,
        }
    }
    Err(SecretError::NotEntered)
}

/// One line; `None` if the person gave up.
fn ask_once(mut tty: &File) -> io::Result<Option<Zeroizing<String>>> {
    tty.write_all(b"Key (as the other side shows it, nothing appears while you type): ")?;
    let (mut line, mut byte) = (Zeroizing::new(Vec::with_capacity(MAX_LINE)), [0]);
    let step = loop {
        let typed = tty.read(&mut byte)?;
        match edit(&mut line, if typed == 0 { CTRL_D } else { byte[0] }) {
            Step::More => {}
            last => break last,
        }
    };
    tty.write_all(b"\n")?;
    Ok((step == Step::Entered).then(|| Zeroizing::new(String::from_utf8_lossy(&line).into_owned())))
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

#[derive(Debug, PartialEq, Eq)]
enum Step {
    More,
    Entered,
    GivenUp,
}

/// What a typed byte does to the line. The terminal's own editing is off, because with it Ctrl-C
/// would end the program before it could turn the echo on again.
fn edit(line: &mut Vec<u8>, byte: u8) -> Step {
    match byte {
        b'\n' | b'\r' => return Step::Entered,
        CTRL_C | CTRL_D => return Step::GivenUp,
        CTRL_U => line.clear(),
        BACKSPACE | DELETE => drop(line.pop()),
        // What is too long for a key stays too long.
        _ if line.len() < MAX_LINE => line.push(byte),
        _ => {}
    }
    Step::More
}

/// A terminal without echo, until dropped.
struct Silent<'a> {
    tty: &'a File,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn new(tty: &'a File) -> io::Result<Silent<'a>> {
        let before = tcgetattr(tty)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Flushing also forgets what was typed, and shown, before the question.
        tcsetattr(tty, OptionalActions::Flush, &silent)?;
        Ok(Silent { tty, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    fn typed(bytes: &[u8]) -> (Step, Vec<u8>) {
        let mut line = Vec::new();
        let last = bytes.iter().map(|byte| edit(&mut line, *byte)).find(|step| *step != Step::More);
        (last.unwrap_or(Step::More), line)
    }

    #[test]
    fn editing_is_what_a_terminal_would_do() {
        assert_eq!(typed(b"xb1\n"), (Step::Entered, b"xb1".to_vec()));
        assert_eq!(typed(b"no\x15xc\x7f\x7f\x7f\x7fxb\x08b1\r"), (Step::Entered, b"xb1".to_vec()));
        assert_eq!(typed(b"xb1\x03").0, Step::GivenUp);
        assert_eq!(typed(b"\x04").0, Step::GivenUp);
        assert_eq!(typed(&[b'x'; 1000]), (Step::More, vec![b'x'; MAX_LINE]));
    }

    /// The two ends of a new terminal: the person's, the program's.
    fn terminal() -> (File, File) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&person).expect("granted");
        unlockpt(&person).expect("unlocked");
        let name = ptsname(&person, Vec::new()).expect("a name").into_string().expect("UTF-8");
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let program = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).expect("opened");
        (person.into(), program.into())
    }

    /// Answers each question with the next line, and returns all that was seen on the terminal.
    fn person(mut terminal: File, answers: Vec<String>) -> String {
        let (mut seen, mut buffer) = (String::new(), [0; 512]);
        for (question, answer) in answers.iter().enumerate() {
            while seen.matches("Key (").count() <= question || !seen.ends_with(": ") {
                let count = terminal.read(&mut buffer).expect("read");
                seen += &String::from_utf8_lossy(&buffer[..count]);
            }
            terminal.write_all(answer.as_bytes()).expect("typed");
        }
        // Until the program closes its end, which reads as an error.
        while let Ok(count @ 1..) = terminal.read(&mut buffer) {
            seen += &String::from_utf8_lossy(&buffer[..count]);
        }
        seen
    }

    fn asked(answers: &[&str]) -> (Result<Key, SecretError>, String) {
        let (theirs, ours) = terminal();
        let before = tcgetattr(&ours).expect("modes").local_modes;
        let answers = answers.iter().map(|answer| answer.to_string()).collect();
        let person = std::thread::spawn(move || person(theirs, answers));
        let result = ask_on(&ours);
        assert_eq!(tcgetattr(&ours).expect("modes").local_modes, before, "the terminal is left as it was");
        drop(ours);
        (result, person.join().expect("the person"))
    }

    #[test]
    fn the_key_is_read_and_not_shown() {
        let text = Key::new([3; 16]).reveal();
        let (key, seen) = asked(&[&format!("{text}\n")]);
        assert_eq!(key.expect("read").as_bytes(), &[3; 16]);
        assert_eq!(seen, "Key (as the other side shows it, nothing appears while you type): \r\n");
    }

    #[test]
    fn a_mistyped_key_is_asked_for_again() {
        let text = Key::new([3; 16]).reveal();
        let (key, seen) = asked(&["nonsense\n", &format!("{text}\n")]);
        assert_eq!(key.expect("read").as_bytes(), &[3; 16]);
        assert!(seen.contains("it does not begin with xb1-"), "{seen}");
    }

    #[test]
    fn giving_up_and_three_mistakes_end_the_asking() {
        assert!(matches!(asked(&["xb1-\x03"]).0, Err(SecretError::NotEntered)));
        assert!(matches!(asked(&["a\n", "b\n", "c\n"]).0, Err(SecretError::Malformed { .. })));
    }
}
