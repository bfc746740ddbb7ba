//! What must hold for all streams.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{chunk, path};
use crate::xbstream::fuzz::{self, decode_in_pieces, stream_from};
use crate::xbstream::{DecodeError, Item, Ledger, Opening, SparseRun, encode};

proptest! {
    #[test]
    fn any_cut_gives_the_same_items(script: Vec<u8>, lengths in vec(1_usize..50, 1..20)) {
        let (stream, items) = stream_from(&script);
        prop_assert_eq!(decode_in_pieces(&stream, &lengths), (items, Ok(())));
    }

    #[test]
    fn what_is_encoded_is_decoded(script: Vec<u8>) {
        fuzz::roundtrip(&script);
    }

    #[test]
    fn arbitrary_bytes_are_survived(stream: Vec<u8>) {
        fuzz::decode(&stream);
    }

    #[test]
    fn damaged_streams_are_survived(script: Vec<u8>, damage in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let (mut stream, _) = stream_from(&script);
        for (place, byte) in damage {
            *place.get_mut(&mut stream[..]) = byte;
        }
        fuzz::decode(&stream);
    }

    /// A flipped bit of a payload or a sparse map cannot pass.
    #[test]
    fn one_flipped_bit_is_caught(data in vec(any::<u8>(), 1..200), place: Index, bit in 0..8_u8, skip: u32) {
        let runs = [SparseRun { skip, write: data.len() as u32 }];
        for (mut stream, covered) in [
            (chunk(encode::payload(b"f", Opening::New, 0, &data)), data.len()),
            (chunk(encode::ignorable(b"f", b'X', &data)), data.len()),
            (chunk(encode::sparse(b"f", 0, &runs, &data)), data.len() + 8),
        ] {
            let first = stream.len() - covered;
            stream[first + place.index(covered)] ^= 1_u8 << bit;
            let (_, end) = decode_in_pieces(&stream, &[stream.len()]);
            let caught = matches!(end, Err(DecodeError::Checksum { .. } | DecodeError::SparseSum { .. }));
            prop_assert!(caught, "{end:?}");
        }
    }

    /// A cut stream is either cut between two chunks, or refused where it ends.
    #[test]
    fn every_truncation_is_noticed(script: Vec<u8>, place: Index) {
        let (stream, items) = stream_from(&script);
        let cut = place.index(stream.len());
        let (seen, end) = decode_in_pieces(&stream[..cut], &[cut]);
        match end {
            Ok(()) => prop_assert_eq!(&seen[..], &items[..seen.len()]),
            Err(DecodeError::Truncated { offset, missing, .. }) => {
                prop_assert_eq!(offset, cut as u64);
                prop_assert!(missing > 0);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn the_ledger_does_as_a_list_of_names_would(steps in vec(step(), 1..40)) {
        let (mut ledger, mut model) = (Ledger::default(), Model::default());
        for item in steps {
            let before = (ledger.clone(), model.clone());
            let allowed = model.apply(&item);
            prop_assert_eq!(ledger.apply(&item).is_ok(), allowed, "{:?}", item);
            if !allowed {
                (ledger, model) = before;
            }
            ledger.check_invariants();
            prop_assert_eq!(ledger.open_files(), model.names(State::is_open));
            prop_assert_eq!(ledger.closed_files(), model.names(|state| !state.is_open()).len() as u64);
        }
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "ab", "a.b", "a0", "d", "d/a", "d/ab", "d/e", "d/e/a", "d.b", "a*", "d/*", "*"])
}

fn step() -> impl Strategy<Value = Item> {
    let opening = select(vec![Opening::New, Opening::Rewrite]);
    let payload = (name(), opening, 0_u64..3, 0_u64..3).prop_map(|(name, opening, offset, len)| Item::Payload {
        path: path(name),
        opening,
        offset,
        len,
    });
    prop_oneof![
        2 => payload,
        4 => name().prop_map(|name| Item::End { path: path(name) }),
        1 => (name(), 0_u64..3).prop_map(|(name, offset)| Item::Seek { path: path(name), offset }),
        2 => (name(), name()).prop_map(|(from, to)| Item::Rename { from: path(from), to: path(to) }),
        2 => name().prop_map(|name| Item::Remove { path: path(name) }),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open(u64),
    Closed,
}

impl State {
    fn is_open(&self) -> bool {
        matches!(self, State::Open(_))
    }
}

/// The rules once more, by looking at every name every time.
#[derive(Clone, Default)]
struct Model(BTreeMap<String, State>);

impl Model {
    fn names(&self, which: impl Fn(&State) -> bool) -> Vec<super::StreamPath> {
        self.0.iter().filter(|(_, state)| which(state)).map(|(name, _)| path(name)).collect()
    }

    fn apply(&mut self, item: &Item) -> bool {
        match item {
            Item::Payload { path, opening, offset, len } => {
                let expected = match self.0.get(&path.to_string()) {
                    Some(State::Closed) if *opening == Opening::New => return false,
                    Some(State::Closed) | None => 0,
                    Some(State::Open(expected)) => *expected,
                };
                self.0.insert(path.to_string(), State::Open(offset + len));
                *offset == expected
            }
            Item::Seek { path, offset } => {
                self.0.insert(path.to_string(), State::Open(*offset)).is_none_or(|before| before.is_open())
            }
            Item::End { path } => {
                self.0.insert(path.to_string(), State::Closed);
                true
            }
            Item::Rename { from, to } => self.rename(&from.to_string(), &to.to_string()),
            Item::Remove { path } => self.remove(&path.to_string()),
            _ => true,
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> bool {
        let (moved, kept): (BTreeMap<_, _>, _) = self.0.clone().into_iter().partition(|(name, _)| within(name, from));
        if self.0.iter().any(|(name, state)| state.is_open() && (within(name, from) || within(name, to))) {
            return false;
        }
        self.0 = kept;
        self.0.extend(moved.into_keys().map(|name| (name.replacen(from, to, 1), State::Closed)));
        true
    }

    fn remove(&mut self, path: &str) -> bool {
        let goes = |name: &str| match path.strip_suffix('*') {
            Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/')),
            None => within(name, path),
        };
        let open = self.0.iter().any(|(name, state)| state.is_open() && goes(name));
        self.0.retain(|name, _| !goes(name));
        !open
    }
}

/// Whether a name is that of the file or directory, or below it.
fn within(name: &str, tree: &str) -> bool {
    name.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
