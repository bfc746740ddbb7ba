//! Which links carry which blocks of a lane, and which blocks are to be sent again.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{LinkId, LinkSet};

/// The blocks of one lane that links have taken and the receiver has not written, by their offsets.
#[derive(Debug, Default)]
pub(super) struct Carried {
    by: BTreeMap<u64, LinkSet>,
    again: BTreeSet<u64>,
}

impl Carried {
    /// A link has taken the block at `offset`.
    pub(super) fn takes(&mut self, link: LinkId, offset: u64) {
        self.by.entry(offset).or_default().insert(link);
        self.again.remove(&offset);
    }

    /// The receiver has written everything before `offset`.
    pub(super) fn written(&mut self, offset: u64) {
        self.by = self.by.split_off(&offset);
        self.again = self.again.split_off(&offset);
    }

    /// A link is lost. What no other carries is to be sent again.
    pub(super) fn lost(&mut self, link: LinkId) {
        for (offset, links) in &mut self.by {
            if links.has(link) {
                links.remove(link);
                if links.is_empty() {
                    self.again.insert(*offset);
                }
            }
        }
    }

    /// The oldest block is to be sent again if only links carry it that are `silent`: everybody waits for it.
    pub(super) fn hedge(&mut self, silent: LinkSet) {
        if let Some((oldest, links)) = self.by.first_key_value()
            && !links.is_empty()
            && links.is_within(silent)
        {
            self.again.insert(*oldest);
        }
    }

    /// The oldest block that is to be sent again, over `link`.
    pub(super) fn next_again(&self, link: LinkId) -> Option<u64> {
        self.again.iter().copied().find(|offset| !self.by.get(offset).is_some_and(|links| links.has(link)))
    }

    /// Whether a link carries something.
    pub(super) fn has(&self, link: LinkId) -> bool {
        self.by.values().any(|links| links.has(link))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> [LinkId; 3] {
        let mut joining = LinkId::joining(3);
        [LinkId::MAIN, joining.next().expect("a second"), joining.next().expect("a third")]
    }

    fn set(links: &[LinkId]) -> LinkSet {
        let mut set = LinkSet::default();
        links.iter().for_each(|link| set.insert(*link));
        set
    }

    #[test]
    fn what_a_lost_link_carried_alone_is_sent_again() {
        let ([main, second, _], mut carried) = (links(), Carried::default());
        carried.takes(second, 0);
        carried.takes(second, 10);
        carried.takes(main, 10);
        carried.takes(second, 20);
        carried.lost(second);
        assert_eq!(carried.next_again(main), Some(0));
        carried.takes(main, 0);
        assert_eq!(carried.next_again(main), Some(20));
        assert!(!carried.has(second));
    }

    #[test]
    fn the_oldest_block_of_silent_links_is_sent_again_and_over_none_of_them() {
        let ([main, second, third], mut carried) = (links(), Carried::default());
        carried.takes(second, 0);
        carried.takes(second, 10);
        carried.hedge(set(&[second]));
        assert_eq!((carried.next_again(second), carried.next_again(main)), (None, Some(0)));
        carried.takes(main, 0);
        carried.hedge(set(&[second]));
        assert_eq!(carried.next_again(third), None, "the main link carries it now");
        carried.hedge(set(&[main, second]));
        assert_eq!(carried.next_again(third), Some(0));
    }

    #[test]
    fn what_is_written_is_not_sent_again() {
        let ([main, second, _], mut carried) = (links(), Carried::default());
        carried.takes(second, 0);
        carried.takes(second, 10);
        carried.lost(second);
        carried.written(10);
        assert_eq!(carried.next_again(main), Some(10));
        carried.written(20);
        assert_eq!(carried.next_again(main), None);
    }
}
