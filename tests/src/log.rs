//! What a process has said, while it runs.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::skip::is_full_run;

/// How long a test waits for anything that should come at once, or soon after a link is given up. Generous: machines are
/// slow at times, and a full run has links that are given up late.
pub(crate) fn patience() -> Duration {
    if is_full_run() { Duration::from_secs(900) } else { Duration::from_secs(90) }
}

/// The text that comes out of one stream. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    name: String,
    shared: Arc<(Mutex<Said>, Condvar)>,
}

#[derive(Debug, Default)]
struct Said {
    bytes: Vec<u8>,
    ended: bool,
}

impl Log {
    /// Collects what comes from `stream` on a thread of its own, until its end.
    pub(crate) fn collect(name: String, mut stream: impl Read + Send + 'static) -> Log {
        let log = Log { name, shared: Arc::default() };
        let writer = log.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last user has gone ends with an error (EIO).
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                writer.said().bytes.extend_from_slice(&buffer[..read]);
                writer.shared.1.notify_all();
            }
            writer.said().ended = true;
            writer.shared.1.notify_all();
        });
        log
    }

    /// The first whole line with `part` in it, as soon as it is there. Panics when none comes.
    pub fn wait_for_line(&self, part: &str) -> String {
        self.wait_until(part, |text| {
            let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            lines.find(|line| line.contains(part)).map(|line| line.trim_end().to_owned())
        })
    }

    /// Waits for `part`, which may be a prompt that no line end follows. Panics when it does not come.
    pub fn wait_for(&self, part: &str) {
        self.wait_until(part, |text| text.contains(part).then_some(()));
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.said().bytes).into_owned()
    }

    /// Everything, once the stream has ended. One that is held open by a process left over is not waited for long: the
    /// test is about to fail.
    pub(crate) fn whole_text(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut said = self.said();
        while !said.ended && Instant::now() < deadline {
            said = self.wait(said, Duration::from_secs(1));
        }
        drop(said);
        self.text()
    }

    /// Prints it under its name.
    pub(crate) fn print(&self) {
        eprintln!("---- {} said ----\n{}", self.name, self.text());
    }

    fn wait_until<T>(&self, part: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + patience();
        let mut said = self.said();
        loop {
            if let Some(found) = find(&String::from_utf8_lossy(&said.bytes)) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let hope = !said.ended && !left.is_zero();
            assert!(hope, "{} never said {part:?} (its output has ended: {})", self.name, said.ended);
            said = self.wait(said, left);
        }
    }

    fn wait<'a>(&self, said: MutexGuard<'a, Said>, at_most: Duration) -> MutexGuard<'a, Said> {
        self.shared.1.wait_timeout(said, at_most).unwrap_or_else(PoisonError::into_inner).0
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
