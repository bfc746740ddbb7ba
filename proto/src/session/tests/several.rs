//! One session over several links.

use super::*;

const SECOND: u64 = 1000;

/// The two links of the pair.
fn links() -> [LinkId; 2] {
    [LinkId::MAIN, LinkId::joining(2).next().expect("a second link")]
}

/// A pair with a second link.
fn joined() -> Pair {
    let mut pair = Pair::linked();
    pair.sender.joined(links()[1]);
    pair
}

fn sign(acknowledgements: u64, at: u64) -> Sign {
    Sign { acknowledgements, at: Duration::from_millis(at), round_trip: Duration::from_millis(20) }
}

fn offset(block: Option<Block>) -> Option<u64> {
    block.map(|block| block.offset)
}

#[test]
fn each_block_goes_to_the_link_that_takes_it() {
    let (mut pair, [main, extra]) = (joined(), links());
    (0..3).for_each(|_| pair.push(0, &[7; 10]));
    assert_eq!(offset(pair.sender.next_new(extra)), Some(0));
    assert_eq!(offset(pair.sender.next_new(main)), Some(10));
    assert_eq!(offset(pair.sender.next_new(extra)), Some(20));
    assert_eq!(pair.sender.next_again(main), None);
}

#[test]
fn what_a_link_has_lost_goes_over_the_others() {
    let (mut pair, [main, extra]) = (joined(), links());
    (0..2).for_each(|_| pair.push(0, &[7; 10]));
    pair.sender.next_new(extra).expect("a block");
    pair.sender.link_lost(extra);
    assert!(!pair.sender.has_link(extra));
    assert_eq!(pair.sender.next_new(extra), None);
    assert_eq!(offset(pair.sender.next_again(main)), Some(0));
    assert_eq!(pair.sender.next_again(main), None);
    assert_eq!(offset(pair.sender.next_new(main)), Some(10));
}

#[test]
fn the_oldest_block_of_a_silent_link_goes_over_another_after_a_second() {
    let (mut pair, [main, extra]) = (joined(), links());
    (0..2).for_each(|_| pair.push(0, &[7; 10]));
    (0..2).for_each(|_| drop(pair.sender.next_new(extra)));
    pair.sender.look_at(extra, sign(3, 0));
    assert_eq!(pair.sender.look_at(extra, sign(3, SECOND - 1)), Vitality::Quiet);
    assert_eq!(pair.sender.next_again(main), None);
    assert_eq!(pair.sender.look_at(extra, sign(3, SECOND)), Vitality::Silent);
    pair.push(0, &[7; 10]);
    assert_eq!(pair.sender.next_new(extra), None, "a silent link takes nothing");
    let again = pair.sender.next_again(main).expect("the oldest");
    assert_eq!(again.offset, 0);
    pair.sender.look_at(extra, sign(3, SECOND * 2));
    assert_eq!(pair.sender.next_again(main), None, "once");
    pair.sender.handle(Message::Ack(crate::wire::Ack { lane: LaneId(0), written: 10, durable: 0 })).expect("a block");
    assert_eq!(offset(pair.sender.next_again(main)), Some(10), "and then the next");
}

#[test]
fn a_link_that_moves_again_takes_blocks_again() {
    let (mut pair, [_, extra]) = (joined(), links());
    (0..2).for_each(|_| pair.push(0, &[7; 10]));
    pair.sender.next_new(extra).expect("a block");
    pair.sender.look_at(extra, sign(3, 0));
    pair.sender.look_at(extra, sign(3, SECOND));
    assert_eq!(pair.sender.look_at(extra, sign(4, SECOND + 250)), Vitality::Well);
    assert_eq!(pair.sender.next_again(extra), None, "it carries that already");
    assert_eq!(offset(pair.sender.next_new(extra)), Some(10));
}

#[test]
fn a_block_that_came_twice_is_there_once() {
    let (mut pair, [main, extra]) = (joined(), links());
    pair.push(0, b"hello");
    pair.send_over(extra);
    pair.sender.link_lost(extra);
    pair.send_over(main);
    assert_eq!(pair.blocks.len(), 2);
    pair.arrive(1);
    pair.drain(0, Durable::All);
    pair.arrive(0);
    pair.end_source();
    pair.settle();
    assert!(matches!(pair.sender.outcome(), Some(Sent::Confirmed(_))));
    assert_eq!(pair.sink[0], b"hello");
}

#[test]
fn the_loss_of_the_main_link_is_the_end_of_the_others() {
    let (mut pair, [main, extra]) = (joined(), links());
    pair.push(0, b"hello");
    pair.send_over(extra);
    pair.cut();
    assert!(!pair.sender.has_link(extra));
    pair.sender.joined(extra);
    assert!(!pair.sender.has_link(extra), "there is nothing to join");
    pair.link();
    assert_eq!(offset(pair.sender.next_new(main)), Some(0), "the rewind hands out everything again");
}
