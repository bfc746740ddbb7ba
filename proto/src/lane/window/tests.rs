//! The window against cases; any course of events is in `lane::fuzz`.

use bytes::Bytes;

use super::*;

/// Blocks of multiples of this never run into the limit on their number.
const UNIT: usize = 4096;

fn filled(sizes: &[usize]) -> Window {
    let mut window = Window::new(LaneId(0), 1_000_000);
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
    let mut window = filled(&[400_000, 600_000]);
    while window.next_block().is_some() {}
    assert_eq!(window.room(), 0);
    window.acknowledge(1_000_000, 0).expect("written");
    assert_eq!(window.room(), 0);
    window.acknowledge(1_000_000, 400_000).expect("durable");
    assert_eq!((window.room(), window.durable(), window.written()), (400_000, 400_000, 1_000_000));
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
fn small_blocks_fill_the_window_by_their_number() {
    let mut window = Window::new(LaneId(0), 2 * UNIT);
    push(&mut window, 1);
    assert_eq!(window.room(), 2 * UNIT - 1);
    push(&mut window, 1);
    assert_eq!(window.room(), 0);
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
