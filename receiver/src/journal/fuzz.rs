//! Any bytes as a journal, and any bodies as its records.

use super::record::frame;
use super::replay::{MAGIC, replay};

/// Replays `bytes` as they are, and as the bodies of records that are whole. That never panics, and what is believed says
/// the same when it is written again.
pub fn journal(bytes: &[u8]) {
    replays_the_same(bytes);
    let mut journal = MAGIC.to_vec();
    let mut rest = bytes;
    while let Some(([kind, length], following)) = rest.split_first_chunk() {
        let (body, following) = following.split_at(usize::from(*length).min(following.len()));
        journal.extend(frame(kind % 6, body));
        rest = following;
    }
    replays_the_same(&journal);
}

fn replays_the_same(journal: &[u8]) {
    let (replayed, believed) = replay(journal);
    assert!(believed <= journal.len());
    let written = replayed.encode();
    let (again, all) = replay(&written);
    assert_eq!(all, written.len(), "what we write is believed");
    assert_eq!(again.encode(), written);
    assert_eq!(replay(&journal[..believed]).0.encode(), written, "what is not believed says nothing");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::Record;
    use crate::journal::sample::{digest, hello, presence, sum};
    use xbproto::lane::LaneId;

    proptest! {
        #[test]
        fn any_bytes_are_some_journal(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            journal(&bytes);
        }

        #[test]
        fn bodies_with_a_wrong_byte_are_some_journal(which in 0_usize..4, at: prop::sample::Index, byte: u8) {
            let lane = LaneId(0);
            let records = [
                Record::Presence(presence(9)),
                Record::Session(hello(1, 1)),
                Record::Progress(lane, digest(b"abc")),
                Record::Committing(vec![sum(lane, b"abc")]),
            ];
            let mut journal = MAGIC.to_vec();
            for (number, record) in records.iter().enumerate() {
                let whole = record.encode();
                let mut body = whole[5..whole.len() - 4].to_vec();
                if number == which {
                    let at = at.index(body.len());
                    body[at] = byte;
                }
                journal.extend(frame(whole[0], &body));
            }
            replays_the_same(&journal);
        }
    }
}
