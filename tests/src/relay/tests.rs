//! What a network does to datagrams, one by one.

use std::net::UdpSocket;

use super::*;

/// A client and a receiver with a relay between them.
struct Ends {
    client: UdpSocket,
    relay: Relay,
    receiver: UdpSocket,
}

impl Ends {
    fn new() -> Ends {
        let [client, receiver] = [(); 2].map(|()| socket());
        let relay = Relay::to(receiver.local_addr().unwrap());
        client.connect(relay.address).unwrap();
        Ends { client, relay, receiver }
    }

    /// Sends a word to the receiver, which must get it, and returns where from.
    fn say(&self, word: &str) -> SocketAddr {
        self.client.send(word.as_bytes()).unwrap();
        let (heard, from) = hear(&self.receiver).expect("a datagram");
        assert_eq!(heard, word);
        from
    }

    /// Sends a word to this address of the relay; what the client hears.
    fn answer(&self, to: SocketAddr) -> Option<String> {
        self.receiver.send_to(b"answer", to).unwrap();
        hear(&self.client).map(|(word, _)| word)
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    socket
}

fn hear(socket: &UdpSocket) -> Option<(String, SocketAddr)> {
    let mut buffer = [0; 100];
    let (len, from) = socket.recv_from(&mut buffer).ok()?;
    Some((String::from_utf8_lossy(&buffer[..len]).into_owned(), from))
}

#[test]
fn datagrams_pass_both_ways_and_each_client_has_a_port() {
    let ends = Ends::new();
    let port = ends.say("one");
    assert_eq!(ends.answer(port).as_deref(), Some("answer"));
    assert_eq!(ends.say("two"), port);
    let other = socket();
    other.send_to(b"three", ends.relay.address).unwrap();
    assert_ne!(hear(&ends.receiver).unwrap().1, port);
    assert_eq!(ends.answer(port).as_deref(), Some("answer"), "not to the other client");
}

#[test]
fn nothing_passes_a_link_that_is_down() {
    let ends = Ends::new();
    let port = ends.say("one");
    ends.relay.down();
    ends.client.send(b"lost").unwrap();
    assert_eq!(hear(&ends.receiver), None);
    assert_eq!(ends.answer(port), None);
    ends.relay.up();
    assert_eq!(ends.say("two"), port);
}

#[test]
fn a_rebound_client_comes_from_elsewhere_and_hears_nothing_at_the_old_place() {
    let ends = Ends::new();
    let old = ends.say("one");
    ends.relay.rebind();
    let new = ends.say("two");
    assert_eq!((old.ip(), new.ip()), (new.ip(), old.ip()));
    assert_ne!(old, new);
    assert_eq!(ends.answer(new).as_deref(), Some("answer"));
    ends.relay.rebind_to([127, 0, 0, 2].into());
    let elsewhere = ends.say("three");
    assert_eq!(elsewhere.ip(), IpAddr::from([127, 0, 0, 2]));
    assert_eq!(ends.answer(elsewhere).as_deref(), Some("answer"));
    assert_eq!(ends.answer(new), None);
}

#[test]
fn another_receiver_gets_what_is_sent_from_then_on() {
    let (ends, other) = (Ends::new(), socket());
    ends.say("one");
    ends.relay.retarget(other.local_addr().unwrap());
    ends.client.send(b"two").unwrap();
    assert_eq!(hear(&other).unwrap().0, "two");
}

#[test]
fn a_share_is_lost() {
    let ends = Ends::new();
    ends.relay.lose(0.5);
    for _ in 0..100 {
        ends.client.send(b"x").unwrap();
    }
    let heard = std::iter::from_fn(|| hear(&ends.receiver)).count();
    assert!((20..80).contains(&heard), "{heard}");
}

#[test]
fn its_port_is_free_when_it_is_gone() {
    let ends = Ends::new();
    ends.say("one");
    let address = ends.relay.address;
    drop(ends.relay);
    UdpSocket::bind(address).unwrap();
}
