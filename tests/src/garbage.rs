//! Datagrams that mean nothing.

use std::net::{SocketAddr, UdpSocket};

/// Sends so many datagrams of all lengths: noise, zeros, and what looks like the beginning of a QUIC connection.
pub fn throw_garbage(to: SocketAddr, datagrams: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for n in 0..datagrams {
        let mut datagram: Vec<u8> = (0..n % 1400).map(|at| (at * 31 + n * 17) as u8).collect();
        if let (0, Some(head)) = (n % 3, datagram.get_mut(..5)) {
            head.copy_from_slice(&[0xc3, 0, 0, 0, 1]);
        }
        // A full buffer on the other side is not our business.
        let _ = socket.send_to(&datagram, to);
    }
}
