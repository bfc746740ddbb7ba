//! Rows that are compared with each other.

use crate::need::Need;
use crate::peer::{Peer, To};
use crate::scenery::Place;
use crate::source::Source;
use crate::streams::Stream;
use crate::target::Target;

/// A table to be: transfers of the same stream, in the same place, to the same kind of destination.
pub(crate) struct Group {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) stream: Stream,
    pub(crate) to: To,
    /// In the order in which they are measured. The first one is what the others are compared with.
    pub(crate) rows: Vec<Row>,
    pub(crate) targets: Vec<Target>,
}

impl Group {
    /// Where, and what becomes of it.
    pub(crate) fn title(&self) -> String {
        let to = match self.to {
            To::Nowhere => "to /dev/null",
            To::File => "to a file",
            To::Folder => "unpacked",
        };
        format!("{}, {to}", self.place)
    }
}

/// A way to do it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) peer: Box<dyn Peer>,
    pub(crate) source: Source,
    /// The congestion control of TCP.
    pub(crate) congestion: &'static str,
    /// What has to share the link with it.
    pub(crate) beside: Option<Box<dyn Peer>>,
}

impl Row {
    /// A peer that sends a file, over TCP as it comes.
    pub(crate) fn new(name: &'static str, peer: impl Peer + 'static) -> Row {
        Row { name, peer: Box::new(peer), source: Source::File, congestion: "cubic", beside: None }
    }

    /// It with this source.
    pub(crate) fn from(self, source: Source) -> Row {
        Row { source, ..self }
    }

    /// It with this congestion control of TCP.
    pub(crate) fn over(self, congestion: &'static str) -> Row {
        Row { congestion, ..self }
    }

    /// It with another transfer at the same time.
    pub(crate) fn beside(self, peer: impl Peer + 'static) -> Row {
        Row { beside: Some(Box::new(peer)), ..self }
    }

    /// What it cannot be measured without, in a group with this destination.
    pub(crate) fn needs(&self, to: To) -> Vec<Need> {
        let peers = [Some(&self.peer), self.beside.as_ref()].into_iter().flatten();
        let needs = peers.flat_map(|peer| peer.needs());
        needs.chain(to.need()).chain([Need::Congestion(self.congestion)]).collect()
    }
}
