//! A session over several links: who carries what, and what is sent again.

use super::links::{LinkId, Load, Sign, Vitality};
use super::{Link, Sender};
use crate::lane::{Block, LaneId};
use crate::wire::{Hello, Purpose};

impl Sender {
    /// What a further link greets the receiver with.
    pub fn join(&self) -> Hello {
        self.hello(Purpose::Join)
    }

    /// The receiver takes blocks over a further link. It is a link of the session until it is lost, or the main one is.
    pub fn joined(&mut self, link: LinkId) {
        if self.link == Link::Up {
            self.links.comes(link);
        }
    }

    /// Whether a link is one of the session at the moment.
    pub fn has_link(&self, link: LinkId) -> bool {
        self.links.has(link)
    }

    /// A further link is lost. What only it carried is sent again over the others.
    pub fn link_lost(&mut self, link: LinkId) {
        if self.links.has(link) {
            self.links.goes(link);
            self.lanes.iter_mut().for_each(|lane| lane.carried.lost(link));
        }
    }

    /// The next block that is to be sent once more, if `link` is there to take it: another link has lost it, or has
    /// fallen silent with it.
    pub fn next_again(&mut self, link: LinkId) -> Option<Block> {
        if !self.is_ready(link) {
            return None;
        }
        let next = |lane: &super::Lane| lane.window.sent_block(lane.carried.next_again(link)?);
        let block = self.lanes.iter().find_map(next)?;
        self.carries(link, block.lane, block.offset);
        Some(block)
    }

    /// Whether `link` is there to take a block, and the session goes on.
    pub fn is_ready(&self, link: LinkId) -> bool {
        self.outcome.is_none() && self.links.is_ready(link)
    }

    /// The next new block, if `link` is there to take it.
    pub fn next_new(&mut self, link: LinkId) -> Option<Block> {
        if !self.is_ready(link) {
            return None;
        }
        let block = self.next_block()?;
        self.carries(link, block.lane, block.offset);
        Some(block)
    }

    /// A link has taken a block to send it. Whoever takes one from [`next_block`](Self::next_block) for a link says so,
    /// without waiting in between: else nobody would miss it if the link were lost.
    pub fn carries(&mut self, link: LinkId, lane: LaneId, offset: u64) {
        if let Some(lane) = self.lanes.get_mut(usize::from(lane.0)) {
            lane.carried.takes(link, offset);
        }
    }

    /// Takes note of what a look at a link has shown, and says how it does. The oldest block that it carries is sent
    /// again over another one when it has fallen silent, and so on as these are written.
    pub fn look_at(&mut self, link: LinkId, sign: Sign) -> Vitality {
        let load = if self.lanes.iter().any(|lane| lane.carried.has(link)) { Load::Some } else { Load::None };
        let vitality = self.links.look(link, sign, load);
        self.hedge();
        vitality
    }

    pub(super) fn hedge(&mut self) {
        let silent = self.links.silent();
        if !silent.is_empty() {
            self.lanes.iter_mut().for_each(|lane| lane.carried.hedge(silent));
        }
    }
}
