//! How bytes are under way to the peer, from one look at the path to the next.

use std::time::Duration;

use crate::limit::Flow;
use crate::link::PathReport;

/// What a sender knows of its path at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// How the link does, while there is one.
    pub path: Option<PathReport>,
    /// What is held until the receiver has it for good, in bytes.
    pub held: u64,
    /// How much of that there may be: the session's window.
    pub window: u64,
    /// How many bytes of the stream one on the wire stands for: more than 1 if they are compressed.
    pub ratio: f64,
}

/// Remembers the last look.
#[derive(Debug, Default)]
pub(super) struct Course {
    last: Option<(Duration, PathReport)>,
    slowed: Option<Duration>,
}

impl Course {
    /// How bytes were under way between the last look and this one, at `now` since the start; nothing if that was another
    /// link, or none.
    pub(super) fn look(&mut self, outgoing: &Outgoing, now: Duration) -> Option<Flow> {
        let before = std::mem::replace(&mut self.last, outgoing.path.map(|path| (now, path)));
        let ((then, before), (_, path)) = (before?, self.last?);
        let sent = path.sent_bytes.checked_sub(before.sent_bytes)?;
        if path.congestion_events > before.congestion_events {
            self.slowed = Some(now);
        }
        Some(Flow {
            rate: (sent as f64 / (now - then).as_secs_f64()) as u64,
            round_trip: path.round_trip,
            congestion_window: path.congestion_window,
            slowed: self.slowed.map(|at| now - at),
            held: outgoing.held,
            window: outgoing.window,
            ratio: outgoing.ratio,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Form;

    fn at(sent_bytes: u64, congestion_events: u64) -> Outgoing {
        let path = PathReport {
            peer: ([192, 0, 2, 1], 9).into(),
            round_trip: Duration::from_millis(10),
            links: 1,
            form: Form::Quic,
            congestion_window: Some(5),
            sent_bytes,
            congestion_events,
            packets: None,
        };
        Outgoing { path: Some(path), held: 1, window: 2, ratio: 1.0 }
    }

    #[test]
    fn rate_and_congestion_are_those_between_two_looks() {
        let (mut course, second) = (Course::default(), Duration::from_secs(1));
        assert_eq!(course.look(&at(1000, 7), second), None);
        let flow = course.look(&at(4000, 7), second * 3).expect("a second look");
        assert_eq!((flow.rate, flow.slowed), (1500, None));
        assert_eq!(course.look(&at(4000, 8), second * 4).and_then(|flow| flow.slowed), Some(Duration::ZERO));
        assert_eq!(course.look(&at(4000, 8), second * 6).and_then(|flow| flow.slowed), Some(second * 2));
    }

    #[test]
    fn a_new_link_is_looked_at_anew() {
        let (mut course, second) = (Course::default(), Duration::from_secs(1));
        course.look(&at(1000, 7), second);
        assert_eq!(course.look(&at(10, 0), second * 2), None);
        assert_eq!(course.look(&Outgoing { path: None, ..at(0, 0) }, second * 3), None);
        assert_eq!(course.look(&at(500, 1), second * 4), None);
        assert_eq!(course.look(&at(600, 1), second * 5).map(|flow| (flow.rate, flow.slowed)), Some((100, None)));
    }
}
