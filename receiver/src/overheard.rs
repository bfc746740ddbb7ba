//! What a child process says: its lines are passed on as they come, and the last of them are kept.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::lock::lock;

/// Takes one line that a child wrote.
pub type OnLine = Arc<dyn Fn(String) + Send + Sync>;

/// How many of its last lines are repeated when it fails.
const LAST_LINES: usize = 10;
/// Longest line passed on in one piece, in bytes.
const MAX_LINE: u64 = 4096;
/// How long it is listened to after it ended: a daemon it left behind may hold the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A child that is listened to.
pub(crate) struct Overheard {
    said: Arc<Mutex<VecDeque<String>>>,
    silent: Mutex<Receiver<()>>,
}

impl Overheard {
    /// Listens to `pipe`, if there is one, on a thread of its own, which ends with it. `name` is the thread's.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(
        name: &str,
        pipe: Option<impl Read + Send + 'static>,
        on_line: OnLine,
    ) -> io::Result<Overheard> {
        let (ended, silent) = channel();
        let said: Arc<Mutex<VecDeque<String>>> = Arc::default();
        let overheard = Overheard { said: Arc::clone(&said), silent: Mutex::new(silent) };
        let Some(pipe) = pipe else { return Ok(overheard) };
        thread::Builder::new().name(name.into()).spawn(move || {
            let mut lines = BufReader::new(pipe);
            while let Some(line) = next_line(&mut lines) {
                keep(&mut lock(&said), line.clone());
                on_line(line);
            }
            drop(ended);
        })?;
        Ok(overheard)
    }

    /// To be called once it has ended: its last lines.
    pub(crate) fn last_words(&self) -> Vec<String> {
        let _ = lock(&self.silent).recv_timeout(LAST_WORDS);
        lock(&self.said).iter().cloned().collect()
    }
}

fn keep(said: &mut VecDeque<String>, line: String) {
    if said.len() == LAST_LINES {
        said.pop_front();
    }
    said.push_back(line);
}

/// The last words of a child as the end of a sentence.
pub(crate) fn quoted(said: &[String]) -> String {
    if said.is_empty() { String::new() } else { format!("; it said: {}", said.join(" | ")) }
}

/// The next line, or [`MAX_LINE`] bytes of it, without its end.
fn next_line(from: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    let read = from.take(MAX_LINE).read_until(b'\n', &mut line).unwrap_or(0);
    (read > 0).then(|| String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
}
