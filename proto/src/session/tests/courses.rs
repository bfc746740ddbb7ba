//! Any course of events, against what was pushed.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Push(u16, usize),
    Send,
    /// Over the second link, which joins if it is not there.
    SendOverSecond,
    LoseSecond,
    /// The second link falls silent.
    Silence,
    Arrive(usize),
    Drain(u16, Durable),
    Talk,
    Cut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let durable = prop_oneof![Just(Durable::All), Just(Durable::Before)];
    let step = prop_oneof![
        4 => (0..LANES, 1usize..900_000).prop_map(|(lane, len)| Step::Push(lane, len)),
        4 => Just(Step::Send),
        3 => Just(Step::SendOverSecond),
        1 => Just(Step::LoseSecond),
        1 => Just(Step::Silence),
        4 => any::<usize>().prop_map(Step::Arrive),
        4 => (0..LANES, durable).prop_map(|(lane, durable)| Step::Drain(lane, durable)),
        4 => Just(Step::Talk),
        1 => Just(Step::Cut),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is lost, reordered or cut: the sink gets exactly what was pushed, nobody sees the
    /// other break a rule, and both end confirmed.
    #[test]
    fn any_course_of_events_ends_in_the_same_bytes(steps in steps()) {
        let mut pair = Pair::linked();
        let second = LinkId::joining(2).next().expect("a second link");
        for step in steps {
            match step {
                Step::Push(lane, len) => pair.push(lane, &vec![len as u8; len]),
                Step::Send => pair.send(),
                Step::SendOverSecond => {
                    if !pair.sender.has_link(second) {
                        pair.sender.joined(second);
                    }
                    pair.send_over(second);
                }
                Step::LoseSecond => pair.sender.link_lost(second),
                Step::Silence => {
                    let sign = |at| Sign { acknowledgements: 1, at, round_trip: Duration::ZERO };
                    pair.sender.look_at(second, sign(Duration::ZERO));
                    pair.sender.look_at(second, sign(SILENCE));
                }
                Step::Arrive(pick) => pair.arrive(pick),
                Step::Drain(lane, durable) => pair.drain(lane, durable),
                Step::Talk => pair.talk(),
                Step::Cut => {
                    pair.cut();
                    pair.link();
                }
            }
        }
        pair.end_source();
        pair.settle();
        prop_assert!(matches!(pair.sender.outcome(), Some(Sent::Confirmed(_))));
        prop_assert!(matches!(pair.receiver.outcome(), Some(Received::Confirmed(_))));
        prop_assert!(pair.sink == pair.pushed);
    }
}
