//! Networks that UDP does not get through, or that nobody is in: over what a transfer goes then, and what is said if it
//! does not go at all.

use xbtests::{Backup, Ended, FAR, NarrowPath, Pace, Program, Running, Scene, THERE, Trickle, TwoHosts};

/// A firewall as most of them are, and one that says so.
const DROPPED: &str = "meta l4proto udp drop";
const REJECTED: &str = "meta l4proto udp reject";

/// A receiver on the far host, and the address it has there.
fn receiver(hosts: &TwoHosts, scene: &Scene) -> (Running, String) {
    let receiver = hosts.far(scene.receiver_at(&format!("{THERE}:0")).args(["-v", "-o", "out.xb"])).start();
    let address = receiver.listening().to_string();
    (receiver, address)
}

/// A transfer between two hosts whose far one filters by these rules; how the sender has ended, which went well.
fn expect_to_arrive(test: &str, rules: &str, mtu: u16, args: [&str; 2]) -> Option<Ended> {
    let hosts = TwoHosts::make(test, mtu)?;
    let (scene, backup) = (Scene::new(), Backup::new(3, 1 << 20));
    hosts.filter(rules);
    let (receiver, address) = receiver(&hosts, &scene);
    let sent = hosts.near(scene.sender(&address, args).arg("-v").feed(&backup)).start().wait();
    sent.expect_success();
    receiver.wait().expect_success();
    assert_eq!(std::fs::read(scene.path("out.xb")).expect("a backup"), backup.stream());
    Some(sent)
}

/// What the sender says when the transfer cannot begin, as the last words of a program that ends with `code`.
fn expect_refusal(ended: &Ended, code: i32, words: &str) {
    assert_eq!(ended.code, code, "{}", ended.log);
    assert!(ended.log.contains(words), "no {words:?} in {}", ended.log);
}

fn sender_to_nobody(scene: &Scene, address: &str, args: [&str; 2]) -> Program {
    scene.sender(address, args).feed(&Backup::new(1, 1 << 16))
}

#[test]
fn where_udp_is_dropped_it_goes_over_tcp_and_that_is_told() {
    let test = "where_udp_is_dropped_it_goes_over_tcp_and_that_is_told";
    let Some(sent) = expect_to_arrive(test, DROPPED, 1500, ["--transport", "auto"]) else { return };
    assert!(sent.log.contains("nothing answers over UDP port"), "{}", sent.log);
    assert!(sent.log.contains("does: going on over TCP; to have QUIC, let UDP pass: `nft add rule"), "{}", sent.log);
    assert!(sent.log.contains("path: over TCP"), "{}", sent.log);
}

#[test]
fn where_udp_is_rejected_it_goes_over_tcp_and_that_is_told() {
    let test = "where_udp_is_rejected_it_goes_over_tcp_and_that_is_told";
    let Some(sent) = expect_to_arrive(test, REJECTED, 1500, ["--transport", "auto"]) else { return };
    assert!(sent.log.contains("is refused, but TCP port"), "{}", sent.log);
    assert!(sent.log.contains("path: over TCP"), "{}", sent.log);
}

#[test]
fn tcp_alone_needs_no_udp_and_says_nothing_of_it() {
    let test = "tcp_alone_needs_no_udp_and_says_nothing_of_it";
    let Some(sent) = expect_to_arrive(test, DROPPED, 1500, ["--transport", "tcp"]) else { return };
    assert!(!sent.log.contains("UDP"), "{}", sent.log);
}

#[test]
fn a_narrow_link_is_no_reason_for_tcp() {
    let test = "a_narrow_link_is_no_reason_for_tcp";
    let Some(sent) = expect_to_arrive(test, "accept", 1300, ["--transport", "auto"]) else { return };
    assert!(!sent.log.contains("TCP"), "{}", sent.log);
    assert!(sent.log.contains(", MTU "), "{}", sent.log);
}

/// Behind Ethernet, and with nobody who says that packets are too long.
#[test]
fn a_narrow_path_that_keeps_silent_about_it_is_no_reason_for_tcp() {
    let test = "a_narrow_path_that_keeps_silent_about_it_is_no_reason_for_tcp";
    let Some(path) = NarrowPath::make(test, 1500, 1300) else { return };
    let (scene, backup) = (Scene::new(), Backup::new(3, 1 << 20));
    let receiver = path.far(scene.receiver_at(&format!("{FAR}:0")).args(["-o", "out.xb"])).start();
    let sender = scene.sender(&receiver.listening().to_string(), ["-v"]).feed(&backup);
    let sent = path.near(sender).start().wait();
    sent.expect_success();
    receiver.wait().expect_success();
    assert!(!sent.log.contains("TCP"), "{}", sent.log);
}

/// UDP is dropped all along; for a while in the middle everything is.
#[test]
fn a_link_over_tcp_that_is_lost_is_made_again_over_tcp() {
    let test = "a_link_over_tcp_that_is_lost_is_made_again_over_tcp";
    let Some(hosts) = TwoHosts::make(test, 1500) else { return };
    let scene = Scene::at(Pace::of_this_run());
    hosts.filter(DROPPED);
    let (receiver, address) = receiver(&hosts, &scene);
    let backup = Backup::new(20, 1 << 20);
    let trickle = Trickle::of(&backup);
    let sender = hosts.near(scene.sender(&address, ["-v"]).input(trickle.input())).start();
    scene.wait_for_size("out.xb.partial", 1 << 20);
    hosts.filter("drop");
    sender.log().wait_for_line("interrupted: ");
    hosts.filter(DROPPED);
    sender.log().wait_for_line("resumed at byte ");
    trickle.release();
    let sent = sender.wait();
    sent.expect_success();
    receiver.wait().expect_success();
    assert_eq!(sent.log.matches("going on over TCP").count(), 1, "{}", sent.log);
}

#[test]
fn quic_alone_says_that_udp_is_not_answered() {
    let Some(hosts) = TwoHosts::make("quic_alone_says_that_udp_is_not_answered", 1500) else { return };
    let scene = Scene::new();
    hosts.filter(DROPPED);
    let (_receiver, address) = receiver(&hosts, &scene);
    let ended = hosts.near(sender_to_nobody(&scene, &address, ["--transport", "quic"])).start().wait();
    expect_refusal(&ended, 3, "was not reached within 15.0 s (--wait): nothing answers over UDP port ");
    assert!(ended.log.contains("--transport auto would try TCP"), "{}", ended.log);
}

#[test]
fn quic_alone_says_that_udp_is_refused() {
    let Some(hosts) = TwoHosts::make("quic_alone_says_that_udp_is_refused", 1500) else { return };
    let scene = Scene::new();
    hosts.filter(REJECTED);
    let (_receiver, address) = receiver(&hosts, &scene);
    let sender = sender_to_nobody(&scene, &address, ["--transport", "quic"]).args(["--wait", "2s"]);
    expect_refusal(&hosts.near(sender).start().wait(), 3, "(--wait): UDP port ");
}

#[test]
fn a_host_that_answers_nothing_is_told_from_one_that_refuses() {
    let test = "a_host_that_answers_nothing_is_told_from_one_that_refuses";
    let Some(hosts) = TwoHosts::make(test, 1500) else { return };
    let (scene, address) = (Scene::new(), format!("{THERE}:9999"));
    let sender = || sender_to_nobody(&scene, &address, ["--wait", "9s"]);
    let refused = hosts.near(sender()).start().wait();
    expect_refusal(&refused, 3, "nothing listens at port 9999 of 10.30.0.2: it refuses UDP and TCP; is xbrecv started");
    hosts.filter("drop");
    let silent = hosts.near(sender()).start().wait();
    expect_refusal(&silent, 3, "nothing answers over UDP or TCP port 9999 of 10.30.0.2; is the host up");
}

#[test]
fn where_no_route_leads_that_is_said() {
    let Some(hosts) = TwoHosts::make("where_no_route_leads_that_is_said", 1500) else { return };
    let scene = Scene::new();
    // Nothing leads to the first, and nobody has the second.
    for address in ["192.0.2.1:9999", "10.30.0.9:9999"] {
        let sender = sender_to_nobody(&scene, address, ["--wait", "9s"]);
        let ended = hosts.near(sender).start().wait();
        expect_refusal(&ended, 3, "no route leads from here to ");
    }
}

#[test]
fn somebody_else_at_the_tcp_port_is_named() {
    let Some(hosts) = TwoHosts::make("somebody_else_at_the_tcp_port_is_named", 1500) else { return };
    let scene = Scene::new();
    hosts.filter(DROPPED);
    let banner = "while :; do echo SSH-2.0-OpenSSH | nc -N -l 9999; done";
    let _other = hosts.far(scene.program("sh", "sh").args(["-c", banner])).start();
    let sender = sender_to_nobody(&scene, &format!("{THERE}:9999"), ["--wait", "9s"]);
    let ended = hosts.near(sender).start().wait();
    expect_refusal(&ended, 4, "what answers over TCP port 9999 of 10.30.0.2 is not xbrecv");
}
