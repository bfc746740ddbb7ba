//! What is written is read, and what is damaged is not believed.

use proptest::prelude::*;
use xbproto::backup::{BackupFacts, FactText};

use super::*;

/// Kinds and contents of records that follow one another.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let lane = || (0_u16..3).prop_map(LaneId);
    let record = prop_oneof![
        (1_u16..).prop_map(|port| Record::Presence(presence(port))),
        (0_u8..4).prop_map(|id| Record::Session(hello(id, 3))),
        (lane(), 1_usize..300).prop_map(|(lane, len)| Record::Progress(lane, digest(&vec![7; len]))),
        Just(()).prop_map(|()| Record::Committing(sums())),
        Just(()).prop_map(|()| Record::Committed(receipt())),
    ];
    prop::collection::vec(record, 0..12)
}

fn sums() -> Vec<LaneSum> {
    (0..3).map(|lane| sum(LaneId(lane), b"abc")).collect()
}

fn receipt() -> Receipt {
    let facts = BackupFacts { to_lsn: Some(42), tool: FactText::new("mariadb-backup"), ..BackupFacts::default() };
    Receipt { files: Some(3), facts, ..Receipt::of(Reached::Synced, sums()) }
}

/// Those of `records` that do not contradict the ones before them, and what they come to.
fn consistent(records: &[Record]) -> (Vec<Record>, Replayed) {
    let mut says = Replayed::default();
    let fitting = records.iter().filter(|record| says.take_in((*record).clone()).is_ok()).cloned().collect();
    (fitting, says)
}

proptest! {
    #[test]
    fn what_is_written_is_read(records in records()) {
        let (records, says) = consistent(&records);
        let journal = written(&records);
        let (replayed, believed) = replay(&journal);
        prop_assert_eq!(believed, journal.len());
        prop_assert_eq!(replayed.encode(), says.encode());
    }

    #[test]
    fn a_contradiction_ends_it(records in records()) {
        let (replayed, believed) = replay(&written(&records));
        let upto = records.iter().scan(Replayed::default(), |says, record| says.take_in(record.clone()).ok()).count();
        prop_assert_eq!(believed, written(&records[..upto]).len());
        prop_assert_eq!(replayed.encode(), consistent(&records[..upto]).1.encode());
    }
}

/// One record of each kind.
fn one_of_each() -> Vec<Record> {
    let progress = |bytes| Record::Progress(LaneId(0), digest(bytes));
    let (committing, committed) = (Record::Committing(sums()), Record::Committed(receipt()));
    let (presence, session) = (Record::Presence(presence(9)), Record::Session(hello(1, 3)));
    vec![presence, session, progress(b"a"), progress(b"ab"), progress(b"abc"), committing, committed]
}

/// How many of `records` are whole in the first `len` bytes of their journal.
fn whole(records: &[Record], len: usize) -> usize {
    (0..=records.len()).rev().find(|count| written(&records[..*count]).len() <= len).unwrap_or(0)
}

#[test]
fn a_cut_anywhere_leaves_the_records_before_it() {
    let records = one_of_each();
    let journal = written(&records);
    for cut in 0..=journal.len() {
        let (replayed, believed) = replay(&journal[..cut]);
        let expected = &records[..whole(&records, cut)];
        assert_eq!(replayed.encode(), consistent(expected).1.encode(), "cut at {cut}");
        assert_eq!(believed, if cut < MAGIC.len() { 0 } else { written(expected).len() }, "cut at {cut}");
    }
}

#[test]
fn a_wrong_byte_anywhere_leaves_the_records_before_it() {
    let records = one_of_each();
    let journal = written(&records);
    for at in 0..journal.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = journal.clone();
            damaged[at] ^= flip;
            let (replayed, _) = replay(&damaged);
            let expected = &records[..whole(&records, at)];
            assert_eq!(replayed.encode(), consistent(expected).1.encode(), "byte {at} ^ {flip:#x}");
        }
    }
}

#[test]
fn zeros_at_the_end_are_no_record() {
    let mut journal = written(&one_of_each());
    let len = journal.len();
    journal.extend([0; 4096]);
    assert_eq!(replay(&journal).1, len);
}

#[test]
fn a_length_past_the_limit_is_refused() {
    let mut journal = written(&[]);
    journal.extend(frame(1, &vec![0; MAX_BODY + 1]));
    assert_eq!(replay(&journal).1, MAGIC.len());
}

/// The last two points of every lane.
fn lens(session: &Session) -> Vec<(u64, u64)> {
    session.lanes.iter().map(|marks| (marks.earlier.len(), marks.last.len())).collect()
}

#[test]
fn the_last_two_points_of_a_lane_are_kept() {
    let (replayed, _) = replay(&written(&one_of_each()[..5]));
    let session = replayed.session.unwrap();
    assert_eq!(lens(&session), [(2, 3), (0, 0), (0, 0)]);
}

#[test]
fn a_new_session_ends_the_old_one() {
    let mut records = one_of_each();
    records.push(Record::Session(hello(2, 1)));
    let session = replay(&written(&records)).0.session.unwrap();
    assert_eq!((lens(&session), &session.hello), (vec![(0, 0)], &hello(2, 1)));
    assert!(session.committing.is_none() && session.committed.is_none());
}

#[test]
fn contradictions_are_told() {
    let with = |record| replay(&written(&one_of_each())).0.take_in(record);
    assert_eq!(with(Record::Progress(LaneId(3), digest(b"a"))), Err(Contradiction), "no such lane");
    assert_eq!(with(Record::Progress(LaneId(0), digest(b"abc"))), Err(Contradiction), "no progress");
    assert_eq!(with(Record::Committing(vec![sums()[0]])), Err(Contradiction), "too few lanes");
    let mut nobody = Replayed::default();
    assert_eq!(nobody.take_in(Record::Progress(LaneId(0), digest(b"a"))), Err(Contradiction), "no session");
}

fn key(presence: &Presence) -> Option<[u8; 16]> {
    presence.key.as_ref().map(|key| *key.as_bytes())
}

fn identity(presence: &Presence) -> Option<Vec<u8>> {
    presence.identity.as_ref().map(|identity| identity.keep().as_bytes().to_vec())
}

#[test]
fn what_was_given_with_options_is_not_kept() {
    let presence = Presence { key: None, identity: None, ..presence(1) };
    let kept = replay(&written(&[Record::Presence(presence)])).0.presence.unwrap();
    assert_eq!((key(&kept), identity(&kept)), (None, None));
}

#[test]
fn an_address_of_any_kind_is_kept() {
    for address in ["1.2.3.4:5", "[::1]:65535", "[fe80::1%4294967295]:9999"] {
        let presence = Presence { address: address.parse().unwrap(), ..presence(1) };
        let kept = replay(&written(&[Record::Presence(presence.clone())])).0.presence.unwrap();
        assert_eq!(kept.address, presence.address);
        assert_eq!(key(&kept), key(&presence));
        assert_eq!(identity(&kept), identity(&presence));
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", one_of_each()[0]);
    assert!(shown.contains("Key(xb1-****)") && shown.contains("elided"), "{shown}");
}
