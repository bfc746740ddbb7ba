//! The window against cases and a model that keeps the whole lane.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn filled(sizes: &[usize]) -> Window {
    let mut window = Window::new(LaneId(0), 1000);
    for size in sizes {
        push(&mut window, *size);
    }
    window
}

fn push(window: &mut Window, size: usize) {
    let bytes = Bytes::from(vec![window.end().len() as u8; size]);
    let mut digest = window.end().clone();
    digest.update(&bytes);
    window.push(bytes, digest);
}

#[test]
fn only_durable_frees_room() {
    let mut window = filled(&[400, 600]);
    while window.next_block().is_some() {}
    assert_eq!(window.room(), 0);
    window.acknowledge(1000, 0).expect("written");
    assert_eq!(window.room(), 0);
    window.acknowledge(1000, 400).expect("durable");
    assert_eq!((window.room(), window.durable(), window.written()), (400, 400, 1000));
}

#[test]
fn what_was_not_sent_cannot_be_acknowledged() {
    let mut window = filled(&[10, 10]);
    window.next_block().expect("a block");
    assert_eq!(window.acknowledge(20, 0), Err(AckError::Beyond { offset: 20, limit: 10 }));
    assert_eq!(window.acknowledge(5, 0), Err(AckError::NotABoundary { offset: 5 }));
    assert_eq!(window.acknowledge(0, 10), Err(AckError::Beyond { offset: 10, limit: 0 }));
}

#[test]
fn a_rewind_goes_on_where_the_receiver_is() {
    let mut window = filled(&[10, 20, 30]);
    while window.next_block().is_some() {}
    window.acknowledge(30, 10).expect("acknowledged");
    let mut digest = LaneDigest::default();
    digest.update(&[0; 10]);
    digest.update(&[10; 20]);
    window.rewind(30, digest.sum()).expect("same bytes");
    assert_eq!(window.next_block().expect("again").offset, 30);
    assert!(matches!(window.rewind(30, Sha1Sum([0; 20])), Err(RewindError::Digest { .. })));
    assert!(matches!(window.rewind(0, digest.sum()), Err(RewindError::OutOfWindow { .. })));
    assert!(matches!(window.rewind(35, digest.sum()), Err(RewindError::OutOfWindow { .. })));
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Send,
    Acknowledge(usize, usize),
    Rewind(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1usize..120).prop_map(Step::Push),
        Just(Step::Send),
        (0usize..8, 0usize..8).prop_map(|(w, d)| Step::Acknowledge(w, d)),
        (0usize..8).prop_map(Step::Rewind),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    /// Against a model that keeps the whole lane: the window never holds more than its share,
    /// and what it hands out is always the lane, from the last rewind on and in order.
    #[test]
    fn agrees_with_a_whole_lane(steps in steps()) {
        let mut window = Window::new(LaneId(0), 300);
        let mut ends = vec![LaneDigest::default()];
        let (mut sent, mut ever_sent, mut written, mut durable) = (0, 0, 0, 0);
        for step in steps {
            match step {
                Step::Push(size) if size <= window.room() => {
                    push(&mut window, size);
                    ends.push(window.end().clone());
                }
                Step::Send => {
                    let block = window.next_block();
                    prop_assert_eq!(block.is_some(), sent + 1 < ends.len());
                    if let Some(block) = block {
                        prop_assert_eq!(block.offset, ends[sent].len());
                        sent += 1;
                        ever_sent = ever_sent.max(sent);
                        prop_assert_eq!(block.end(), ends[sent].len());
                    }
                }
                Step::Acknowledge(w, d) => {
                    let w = (written + w).min(ever_sent);
                    let d = (durable + d).min(w);
                    prop_assert_eq!(window.acknowledge(ends[w].len(), ends[d].len()), Ok(()));
                    (sent, written, durable) = (sent.max(w), w, d);
                }
                Step::Rewind(to) => {
                    let to = (durable + to).min(ever_sent);
                    prop_assert_eq!(window.rewind(ends[to].len(), ends[to].sum()), Ok(()));
                    (sent, written) = (to, to);
                }
                Step::Push(_) => {}
            }
            prop_assert!(window.unacknowledged() <= 300);
            prop_assert_eq!(window.durable(), ends[durable].len());
            prop_assert_eq!(window.written(), ends[written].len());
        }
    }
}
