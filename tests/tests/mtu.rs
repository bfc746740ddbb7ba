//! How long datagrams become: as long as the whole path carries them, whatever its first hop does.

use xbtests::{Backup, FAR, NarrowPath, Scene};

/// The longest datagrams of a finished transfer, in bytes of UDP payload, as the sender reports it.
fn longest(said: &str) -> u32 {
    let mtu = said.rsplit_once(", MTU ").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    mtu.unwrap_or_else(|| panic!("no report on the path in {said}"))
}

/// Over hops of these MTUs, a transfer that is limited to five seconds begins at once, and finds what the path carries.
fn expect_found(test: &str, first: u16, second: u16) {
    let Some(path) = NarrowPath::make(test, first, second) else { return };
    let (scene, backup) = (Scene::new(), Backup::new(5, 1 << 20));
    let receiver = path.far(scene.receiver_at(&format!("{FAR}:0")).args(["-o", "out.xb"])).start();
    let sender = scene.sender(&receiver.listening().to_string(), ["-v", "--rate-limit", "1m"]).feed(&backup);
    let sent = path.near(sender).start().wait();
    sent.expect_success();
    receiver.wait().expect_success();
    let (found, carried) = (longest(&sent.log), u32::from(second) - 28);
    assert!(found <= carried && found * 100 >= carried * 95, "{found} of {carried}");
}

#[test]
fn jumbo_frames_that_end_at_the_first_hop_are_no_trap() {
    expect_found("jumbo_frames_that_end_at_the_first_hop_are_no_trap", 9000, 1500);
}

#[test]
fn a_path_narrower_than_ethernet_is_found_behind_jumbo_frames() {
    expect_found("a_path_narrower_than_ethernet_is_found_behind_jumbo_frames", 9000, 1300);
}

#[test]
fn a_tunnel_behind_ethernet_is_found() {
    expect_found("a_tunnel_behind_ethernet_is_found", 1500, 1400);
}

#[test]
fn within_a_host_datagrams_are_as_long_as_can_be() {
    let (scene, backup) = (Scene::new(), Backup::new(4, 1 << 20));
    let (sent, received) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["-v"]).feed(&backup));
    received.expect_success();
    sent.expect_success();
    assert_eq!(longest(&sent.log), 65_507);
}
