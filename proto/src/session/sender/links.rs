//! The links of a sending session: which there are, and which have fallen silent.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::wire::MAX_LINKS;

/// After how long without an acknowledgement a link that carries something has fallen silent; on a long path not before
/// three round trips.
pub const SILENCE: Duration = Duration::from_secs(1);

/// A link of a session, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(u8);

impl LinkId {
    /// The one on which messages are said.
    pub const MAIN: LinkId = LinkId(0);

    /// Those that carry blocks only, in a session of so many links, at most [`MAX_LINKS`].
    pub fn joining(links: u8) -> impl Iterator<Item = LinkId> {
        (1..links.min(MAX_LINKS)).map(LinkId)
    }

    /// Its number, from 0.
    pub fn number(self) -> u64 {
        self.0.into()
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.0 + 1)
    }
}

/// Some links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkSet(u16);

const _: () = assert!(MAX_LINKS as u32 <= u16::BITS);

impl LinkSet {
    pub(super) fn insert(&mut self, link: LinkId) {
        self.0 |= 1 << link.0;
    }

    pub(super) fn remove(&mut self, link: LinkId) {
        self.0 &= !(1 << link.0);
    }

    pub(super) fn has(self, link: LinkId) -> bool {
        self.0 & 1 << link.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn is_within(self, others: LinkSet) -> bool {
        self.0 & !others.0 == 0
    }
}

/// What a look at a link's QUIC shows.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// How many acknowledgements have come so far. A receiver repeats them beside what it says itself: a main link that
    /// has lost one direction only seems well, until it times out.
    pub acknowledgements: u64,
    /// When that was, on the link's own clock.
    pub at: Duration,
    /// The smoothed round-trip time.
    pub round_trip: Duration,
}

/// How a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vitality {
    /// It is acknowledged what is sent, or nothing needs to be.
    Well,
    /// Nothing has been acknowledged since the last look: something should be said, so that its life shows.
    Quiet,
    /// Nothing has been for so long that others take over.
    Silent,
}

/// Whether a link has something on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    Some,
    None,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    acknowledgements: u64,
    quiet_since: Duration,
    vitality: Vitality,
}

/// The links that are up.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeMap<LinkId, Life>);

impl Links {
    pub(super) fn comes(&mut self, link: LinkId) {
        let life = Life { acknowledgements: 0, quiet_since: Duration::ZERO, vitality: Vitality::Well };
        self.0.insert(link, life);
    }

    pub(super) fn goes(&mut self, link: LinkId) {
        self.0.remove(&link);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn has(&self, link: LinkId) -> bool {
        self.0.contains_key(&link)
    }

    /// Whether a link is there and takes blocks.
    pub(super) fn is_ready(&self, link: LinkId) -> bool {
        self.0.get(&link).is_some_and(|life| life.vitality != Vitality::Silent)
    }

    /// Takes note of what a look at a link has shown.
    pub(super) fn look(&mut self, link: LinkId, sign: Sign, load: Load) -> Vitality {
        let Some(life) = self.0.get_mut(&link) else { return Vitality::Well };
        if sign.acknowledgements != life.acknowledgements || load == Load::None {
            let acknowledgements = sign.acknowledgements;
            *life = Life { acknowledgements, quiet_since: sign.at, vitality: Vitality::Well };
            return Vitality::Well;
        }
        let patience = SILENCE.max(sign.round_trip * 3);
        let silent = sign.at.saturating_sub(life.quiet_since) >= patience;
        life.vitality = if silent { Vitality::Silent } else { Vitality::Quiet };
        life.vitality
    }

    /// Those that have fallen silent, unless all have: then there is none that could take over.
    pub(super) fn silent(&self) -> LinkSet {
        let mut silent = LinkSet::default();
        for (link, life) in &self.0 {
            if life.vitality == Vitality::Silent {
                silent.insert(*link);
            }
        }
        if self.0.keys().all(|link| silent.has(*link)) { LinkSet::default() } else { silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTRA: LinkId = LinkId(1);

    fn links() -> Links {
        let mut links = Links::default();
        links.comes(LinkId::MAIN);
        links.comes(EXTRA);
        links
    }

    fn sign(acknowledgements: u64, at: u64) -> Sign {
        Sign { acknowledgements, at: Duration::from_millis(at), round_trip: Duration::from_millis(20) }
    }

    fn set(links: &[LinkId]) -> LinkSet {
        let mut set = LinkSet::default();
        links.iter().for_each(|link| set.insert(*link));
        set
    }

    #[test]
    fn a_link_falls_silent_after_a_second_without_an_acknowledgement() {
        let mut links = links();
        assert_eq!(links.look(EXTRA, sign(5, 100), Load::Some), Vitality::Well);
        assert_eq!(links.look(EXTRA, sign(5, 1099), Load::Some), Vitality::Quiet);
        assert_eq!(links.silent(), LinkSet::default());
        assert_eq!(links.look(EXTRA, sign(5, 1100), Load::Some), Vitality::Silent);
        assert_eq!(links.silent(), set(&[EXTRA]));
        assert!(!links.is_ready(EXTRA));
        assert_eq!(links.look(EXTRA, sign(6, 1200), Load::Some), Vitality::Well);
        assert_eq!(links.silent(), LinkSet::default());
    }

    #[test]
    fn a_link_with_nothing_on_it_may_be_quiet_for_hours() {
        let mut links = links();
        assert_eq!(links.look(EXTRA, sign(5, 7_200_000), Load::None), Vitality::Well);
        assert_eq!(links.look(EXTRA, sign(5, 7_200_250), Load::Some), Vitality::Quiet);
    }

    #[test]
    fn a_long_path_is_given_three_round_trips() {
        let mut links = links();
        let sign = |at| Sign { round_trip: Duration::from_millis(600), ..sign(0, at) };
        assert_eq!(links.look(EXTRA, sign(1799), Load::Some), Vitality::Quiet);
        assert_eq!(links.look(EXTRA, sign(1800), Load::Some), Vitality::Silent);
    }

    #[test]
    fn when_all_are_silent_none_takes_over() {
        let mut links = links();
        for link in [LinkId::MAIN, EXTRA] {
            links.look(link, sign(0, 2000), Load::Some);
        }
        assert_eq!(links.silent(), LinkSet::default());
    }

    #[test]
    fn a_link_that_is_gone_is_not_looked_at() {
        let mut links = links();
        links.goes(EXTRA);
        assert_eq!(links.look(EXTRA, sign(0, 2000), Load::Some), Vitality::Well);
        assert!(!links.has(EXTRA) && !links.is_ready(EXTRA));
    }

    #[test]
    fn links_count_from_one_and_there_are_only_so_many() {
        let names: Vec<String> = LinkId::joining(3).map(|link| link.to_string()).collect();
        assert_eq!(names, ["link 2", "link 3"]);
        assert_eq!(LinkId::joining(200).count(), usize::from(MAX_LINKS) - 1);
    }
}
