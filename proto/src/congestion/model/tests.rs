use super::*;

const MTU: u64 = 1200;

/// A path of 50 ms that delivers 1000 bytes in a millisecond, each of them acknowledged by itself.
struct Path {
    model: Model,
    now: u64,
}

impl Path {
    const RTT: u64 = 50;
    const PRODUCT: u64 = 50_000;

    fn new() -> Path {
        Path { model: Model::new(MTU as u16), now: Path::RTT }
    }

    /// For `time` milliseconds, `bytes` are acknowledged in every one.
    fn acked(&mut self, time: u64, bytes: u64, supply: Supply) {
        for _ in 0..time {
            let (now, sent) = (Duration::from_millis(self.now), Duration::from_millis(self.now - Path::RTT));
            let in_flight = if supply == Supply::Short { 0 } else { (bytes * Path::RTT).min(self.model.window()) };
            self.model.acked(&Ack { now, sent, bytes, in_flight, supply });
            self.now += 1;
        }
    }

    /// Until startup is over and a cycle has passed.
    fn known() -> Path {
        let mut path = Path::new();
        path.acked(1000, 1000, Supply::Ample);
        path
    }
}

#[test]
fn startup_goes_no_further_than_what_is_sent() {
    let mut path = Path::new();
    // The source is late once in every round, which says nothing of the path.
    for _ in 0..1000 {
        path.acked(Path::RTT - 1, 1000, Supply::Ample);
        path.acked(1, 1000, Supply::Short);
    }
    assert!(matches!(path.model.phase, Phase::Startup { .. }), "{:?}", path.model.phase);
    assert!(path.model.window() < 5 * Path::PRODUCT, "{}", path.model.window());
}

#[test]
fn a_busy_host_does_not_end_startup() {
    let mut path = Path::new();
    path.acked(60, 1000, Supply::Ample);
    // Of what came back in 30 ms the host hears at their end; the third time is a round of its own.
    for _ in 0..3 {
        path.now += 30;
        let now = Duration::from_millis(path.now);
        for late in (0..30).rev() {
            let sent = now - Duration::from_millis(Path::RTT + 20 + late);
            path.model.acked(&Ack { now, sent, bytes: 1000, in_flight: 30_000, supply: Supply::Ample });
        }
    }
    assert!(matches!(path.model.phase, Phase::Startup { .. }), "{:?}", path.model.phase);
}

#[test]
fn a_probe_that_gains_is_followed_by_another_startup() {
    let mut path = Path::known();
    while path.model.phase != (Phase::Probe { rounds: 0 }) {
        path.acked(1, 1000, Supply::Ample);
    }
    path.acked(Path::RTT + 1, 1200, Supply::Ample);
    assert!(matches!(path.model.phase, Phase::Startup { .. }), "{:?}", path.model.phase);
}

#[test]
fn a_probe_of_a_short_path_that_gains_goes_on() {
    let mut path = Path::known();
    path.model.rtt.replace(Duration::from_millis(path.now), Duration::from_millis(1));
    path.model.phase = Phase::Probe { rounds: 1 };
    assert_eq!(path.model.gained(), Phase::Probe { rounds: 0 });
}

#[test]
fn a_tiny_path_that_becomes_long_is_learnt() {
    let mut model = Model::new(MTU as u16);
    let mut now = Duration::from_secs(1);
    // Every second packet is acknowledged, and so two stay under way, of which the shorter path holds none.
    let mut acked_for = |time: Duration, rtt: Duration| {
        let until = now + time;
        let mut largest = 0;
        while now < until {
            now += rtt.max(Duration::from_millis(1)) / 2;
            let sent = now - rtt;
            model.acked(&Ack { now, sent, bytes: 2 * MTU, in_flight: 2 * MTU, supply: Supply::Ample });
            largest = largest.max(model.window());
        }
        largest
    };
    acked_for(Duration::from_secs(3), Duration::from_micros(100));
    assert!(acked_for(Duration::from_secs(10), Duration::from_millis(20)) > 4 * MTU);
    assert_eq!(model.rtt.get(), Duration::from_millis(20));
}

#[test]
fn it_begins_with_a_window_that_any_path_takes() {
    assert_eq!(Model::new(1200).window(), 32 * 1200);
}

#[test]
fn the_window_is_the_product_and_some_headroom() {
    let mut path = Path::known();
    assert_eq!(path.model.bandwidth().over(Duration::from_millis(50)), Path::PRODUCT);
    let mut windows: Vec<_> = (0..500)
        .map(|_| {
            path.acked(1, 1000, Supply::Ample);
            path.model.window()
        })
        .collect();
    windows.sort();
    let usual = windows[windows.len() / 2];
    assert!((Path::PRODUCT * 11 / 10..Path::PRODUCT * 13 / 10).contains(&usual), "{usual}");
    assert!(windows[windows.len() - 1] < Path::PRODUCT * 3 / 2, "{windows:?}");
}

#[test]
fn a_slow_source_lowers_nothing() {
    let mut path = Path::known();
    path.acked(60_000, 10, Supply::Short);
    assert_eq!(path.model.bandwidth().over(Duration::from_millis(50)), Path::PRODUCT);
}

#[test]
fn a_slower_path_is_believed_in_ten_rounds() {
    let mut path = Path::known();
    path.acked(12 * Path::RTT, 100, Supply::Ample);
    assert_eq!(path.model.bandwidth().over(Duration::from_millis(50)), Path::PRODUCT / 10);
}

#[test]
fn after_a_long_silence_less_is_sent_at_first() {
    let mut path = Path::known();
    path.acked(1, 100, Supply::Short);
    let soon = path.model.window();
    path.now += 60_000;
    path.acked(1, 100, Supply::Short);
    let late = path.model.window();
    assert!(soon <= Path::PRODUCT * 11 / 10 && late < soon, "{soon}, {late}");
}

#[test]
fn heavy_loss_lowers_the_window() {
    let mut path = Path::known();
    path.model.lost(60_000);
    path.acked(6 * Path::RTT, 1000, Supply::Ample);
    assert!(path.model.window() <= Path::PRODUCT, "{}", path.model.window());
}

#[test]
fn a_path_that_has_collapsed_is_another_one() {
    let mut path = Path::known();
    path.model.set_mtu(1400);
    path.model.collapsed();
    assert_eq!(path.model.window(), 32 * 1400);
}

#[test]
fn a_few_packets_always_fit() {
    let mut path = Path::known();
    path.acked(5000, 1, Supply::Ample);
    assert!(path.model.window() >= 4 * MTU, "{}", path.model.window());
}
