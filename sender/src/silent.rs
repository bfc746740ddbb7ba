//! A reporter for tests, which tells nobody.

use xbproto::cli::{Event, Face, Moment, Reporter, Screen, Verbosity};

struct Silent;

impl Face for Silent {
    fn show(&mut self, _: Moment, _: &Event) {}
}

pub(crate) fn reporter() -> Reporter {
    Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal)
}
