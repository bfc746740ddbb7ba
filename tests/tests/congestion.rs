use std::time::Duration;
use xbproto::lane::LaneId;
use xbproto::quic::Congestion;
use xbtests::sim::{Bottleneck, Conditions, Delay, Fate, Scenario, Story};
const MIB: u64 = 1 << 20;
fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
fn run(cc: Congestion, rtt: u64, rate: u64, queue_ms: u64, loss: f64, secs: u64) -> Scenario {
    let delay = Delay::steady(ms(rtt / 2));
    let there = Conditions {
        delay,
        loss,
        bottleneck: Some(Bottleneck { rate, queue: rate * queue_ms / 1000 }),
        ..Conditions::default()
    };
    let back = Conditions { delay, loss, ..Conditions::default() };
    Scenario { there, back, congestion: cc, window: 64 * MIB, ..Scenario::new(1, rate * secs) }
}
fn show(name: &str, story: &Story, rate: u64, way: Duration, from: u64, to: u64) {
    let at = |s| story.written_at(LaneId(0), Duration::from_secs(s));
    let bytes = at(to) - at(from);
    let all: Vec<_> = story
        .sent_datagrams()
        .filter(|(t, _, _)| *t >= Duration::from_secs(from) && *t < Duration::from_secs(to))
        .collect();
    let dropped = all.iter().filter(|(_, _, f)| *f == Fate::Dropped).count();
    let mut q: Vec<_> = all
        .iter()
        .filter_map(|(t, _, f)| match f {
            Fate::Arrives(a) => Some((*a - *t).saturating_sub(way)),
            _ => None,
        })
        .collect();
    q.sort();
    println!(
        "{name} {from}..{to}: {:.1}% of rate, dropped {:.2}%, queue p50 {:?} p95 {:?} max {:?}",
        100.0 * bytes as f64 / (to - from) as f64 / rate as f64,
        100.0 * dropped as f64 / all.len() as f64,
        q[q.len() / 2],
        q[q.len() * 95 / 100],
        q[q.len() - 1]
    );
}
#[test]
fn alone() {
    for (rtt, rate, loss) in [
        (50, 4 * MIB, 0.0),
        (50, 4 * MIB, 0.001),
        (100, 3 * MIB, 0.01),
        (20, 8 * MIB, 0.0),
        (100, 3 * MIB, 0.04),
        (100, 3 * MIB, 0.08),
    ] {
        let story = run(Congestion::Model, rtt, rate, 50, loss, 30).play();
        let name = format!("rtt {rtt} rate {rate} loss {loss}");
        for (a, b) in [(0, 3), (3, 12), (12, 30)] {
            show(&name, &story, rate, ms(rtt / 2), a, b);
        }
    }
}
#[test]
fn beside() {
    for (rtt, q) in [(20, 50), (50, 50), (50, 25), (50, 100), (40, 20)] {
        for other in [Congestion::Cubic, Congestion::Model] {
            let rate = 8 * MIB;
            let a = Scenario { seed: 3, ..run(Congestion::Model, rtt, rate, q, 0.0, 30) };
            let b = run(other, rtt, rate, q, 0.0, 30);
            let (a, b) = a.play_beside(&b);
            for (f, t) in [(0, 5), (5, 15), (15, 25), (25, 35)] {
                show(&format!("rtt {rtt} q {q} ours"), &a, rate, ms(rtt / 2), f, t);
                show(&format!("rtt {rtt} q {q} {other:?}"), &b, rate, ms(rtt / 2), f, t);
            }
        }
    }
}
