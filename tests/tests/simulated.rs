//! Sessions over a simulated network: what loss, delay, silence and failures come to.

use xbproto::session::{Received, Sent};
use xbtests::sim::Scenario;

#[test]
fn a_perfect_network() {
    let story = Scenario::new(1, 10 << 20).play();
    assert!(matches!(story.sent, Sent::Confirmed(_)), "{:?}", story.sent);
    assert!(matches!(story.received, Received::Confirmed(_)), "{:?}", story.received);
    eprintln!("{} {:?}", story.log.len(), story.log.last());
}
