//! From the workers to standard error, without ever waiting for it.
//!
//! A thread of its own owns the face and writes. Between it and the workers is a bounded queue:
//! where nobody reads standard error, lines are dropped, and their number is told
//! when somebody reads again. A closed standard error swallows everything.

use std::collections::VecDeque;
use std::fmt;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::event::{Event, Face, LastWords, Moment, SessionTag};
use super::exit::exit_code;
use super::setting::Setting;
use super::style::{ProgressStyle, Screen};
use crate::failure::{Failure, Party};

/// Events that may wait to be shown.
const QUEUE: usize = 1024;

/// How long [`Reporter::finish`] waits for standard error to take what is left.
const FLUSH: Duration = Duration::from_secs(2);

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// All but details.
    #[default]
    Normal,
    /// Details too.
    Verbose,
}

/// Takes events from anywhere in the program. Clones tell the same face.
#[derive(Clone)]
pub struct Reporter {
    shared: Arc<Shared>,
    screen: Screen,
    verbosity: Verbosity,
}

struct Shared {
    queue: Mutex<Queue>,
    /// What is left on this host if the session fails.
    left: Mutex<Option<String>>,
    setting: OnceLock<Setting>,
    changed: Condvar,
}

struct Queue {
    events: VecDeque<(Moment, Event)>,
    dropped: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Events come in.
    Open,
    /// The last have come in.
    Closing,
    /// All were shown, and no thread is left to show more.
    Done,
}

impl Reporter {
    /// Starts telling on standard error, as the program of `own` party.
    pub fn start(own: Party, style: ProgressStyle, verbosity: Verbosity) -> Reporter {
        let screen = match style {
            // Programs read it, whatever it is; the invitation is for a person.
            ProgressStyle::Json => Screen::Elsewhere,
            _ => Screen::of_stderr(),
        };
        Reporter::with_face(style.face(screen, own), screen, verbosity)
    }

    /// Starts telling to a face. On a screen that is not a terminal, invitations are not shown.
    pub fn with_face(face: Box<dyn Face>, screen: Screen, verbosity: Verbosity) -> Reporter {
        let queue = Queue { events: VecDeque::new(), dropped: 0, state: State::Open };
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            left: Mutex::new(None),
            setting: OnceLock::new(),
            changed: Condvar::new(),
        });
        let shown_by = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("reporter".to_owned()).spawn(move || shown_by.show_all(face));
        if thread.is_err() {
            // Without a thread there is no telling; the transfer matters more.
            shared.lock().state = State::Done;
        }
        Reporter { shared, screen, verbosity }
    }

    /// Whether a person would see an invitation. Where not, a missing key is a usage error.
    pub fn can_invite(&self) -> bool {
        self.screen == Screen::Terminal
    }

    /// Has an event shown, soon, or dropped. Never waits for standard error.
    pub fn tell(&self, event: Event) {
        let wanted = match event {
            Event::Detail(_) => self.verbosity == Verbosity::Verbose,
            // Elsewhere it would be kept, and the key with it.
            Event::Invite { .. } => self.can_invite(),
            _ => true,
        };
        if wanted {
            self.shared.push(Moment::now(), event);
        }
    }

    /// Marks what follows as belonging to a session.
    pub fn session(&self, tag: SessionTag) {
        self.tell(Event::Session(tag));
    }

    /// Ends what was shown of progress, and waits until that is gone, but at most two seconds: standard output may be the
    /// same terminal.
    pub fn clear(&self) {
        let (gone, wait) = channel();
        self.tell(Event::Passed(gone));
        let _ = wait.recv_timeout(FLUSH);
    }

    /// What was said of a session is not said of the next.
    pub fn begins_anew(&self) {
        *self.shared.left.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.tell(Event::NoSession);
    }

    /// No other host takes part: nothing is said of one.
    pub fn on_one_host(&self) {
        let _ = self.shared.setting.set(Setting::OneHost);
    }

    /// Whether another host takes part.
    pub(super) fn setting(&self) -> Setting {
        self.shared.setting.get().copied().unwrap_or_default()
    }

    /// Takes note of what is left on this host should the session fail, for its last words.
    pub fn leaves(&self, words: impl Into<String>) {
        *self.shared.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.into());
    }

    /// Tells how a session failed.
    pub fn failed(&self, failure: Failure) {
        let left = self.shared.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.tell(Event::Failed(LastWords { failure, left, setting: self.setting() }));
    }

    /// Tells how the program ended, waits for that to be shown, and gives what to exit with.
    pub fn conclude(self, result: Result<(), Failure>) -> ExitCode {
        let code = match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                let code = exit_code(failure.cause);
                self.failed(failure);
                code
            }
        };
        self.finish();
        code
    }

    /// Waits until everything told so far is shown, but at most two seconds, and ends the telling.
    /// What is told after it, by any clone, is lost.
    pub fn finish(self) {
        let mut queue = self.shared.lock();
        if queue.state == State::Open {
            queue.state = State::Closing;
        }
        self.shared.changed.notify_all();
        let _ = self.shared.changed.wait_timeout_while(queue, FLUSH, |queue| queue.state != State::Done);
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("screen", &self.screen).field("verbosity", &self.verbosity).finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, at: Moment, event: Event) {
        let mut queue = self.lock();
        if queue.state != State::Open {
            return;
        }
        queue.push(at, event);
        self.changed.notify_all();
    }

    /// The thread: shows what comes until the telling ends.
    fn show_all(&self, mut face: Box<dyn Face>) {
        while let Some((at, event)) = self.next() {
            face.show(at, &event);
        }
        self.lock().state = State::Done;
        self.changed.notify_all();
    }

    /// Waits for the next event; `None` when the last was given out.
    fn next(&self) -> Option<(Moment, Event)> {
        let mut queue = self.lock();
        loop {
            if let Some(next) = queue.pop() {
                return Some(next);
            }
            if queue.state != State::Open {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Queue {
    fn push(&mut self, at: Moment, event: Event) {
        if let (Event::Progress(_), Some(last @ (_, Event::Progress(_)))) = (&event, self.events.back_mut()) {
            *last = (at, event);
            return;
        }
        // The few without which the rest cannot be understood always find room.
        let indispensable = matches!(
            event,
            Event::Session(_)
                | Event::NoSession
                | Event::Listening { .. }
                | Event::Reachable { .. }
                | Event::Checksum { .. }
                | Event::Backup(_)
                | Event::Finished(_)
                | Event::Failed(_)
        );
        match self.events.len() < QUEUE || indispensable {
            true => self.events.push_back((at, event)),
            false => self.dropped += 1,
        }
    }

    /// The next event; how many were dropped is told after those that found room before them.
    fn pop(&mut self) -> Option<(Moment, Event)> {
        // Told early enough that the last line stays the last.
        let last_words = matches!(
            self.events.front(),
            None | Some((_, Event::Checksum { .. } | Event::Backup(_) | Event::Finished(_) | Event::Failed(_)))
        );
        if last_words && self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            let text = format!("{dropped} lines were dropped because nobody read standard error");
            return Some((Moment::now(), Event::Warning(text)));
        }
        self.events.pop_front()
    }
}

#[cfg(test)]
mod tests;
