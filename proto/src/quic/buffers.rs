//! How much the kernel lets wait in a UDP socket, and what it dropped because that was not enough.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::fstat;
use rustix::net::sockopt;

use crate::quantity::ByteSize;

/// What may wait to be received, in bytes. A receiver that is late by a few milliseconds loses nothing then, not even on
/// the fastest path, that within a host. The default of 208 KiB loses an eighth of the datagrams there.
const RECEIVE: usize = 16 << 20;

/// What may wait to be sent, in bytes: enough for whatever is sent in one go.
const SEND: usize = 4 << 20;

/// Asks the kernel for room in `socket`. Whoever may go beyond the system's limits does.
///
/// What is granted decides about speed and not about success, so nothing fails here: see [`ReceiveBuffer`].
pub(super) fn enlarge(socket: &impl AsFd) {
    let _ = sockopt::set_socket_recv_buffer_size_force(socket, RECEIVE)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(socket, RECEIVE));
    let _ = sockopt::set_socket_send_buffer_size_force(socket, SEND)
        .or_else(|_| sockopt::set_socket_send_buffer_size(socket, SEND));
}

/// What may wait in a socket to be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveBuffer {
    /// In bytes, as they are asked for. The kernel doubles that, for what it needs beside the bytes of a packet.
    granted: usize,
    /// The socket's number in the tables of the kernel.
    inode: u64,
}

impl ReceiveBuffer {
    /// That of `socket`.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn of(socket: &impl AsFd) -> io::Result<ReceiveBuffer> {
        let granted = sockopt::socket_recv_buffer_size(socket)? / 2;
        Ok(ReceiveBuffer { granted, inode: fstat(socket)?.st_ino })
    }

    /// The kernel's limit, if it is what has kept the buffer small.
    pub fn limit(&self) -> Option<BufferLimit> {
        (self.granted < RECEIVE).then_some(BufferLimit { granted: self.granted })
    }

    /// How many datagrams were dropped because it was full; nothing once the socket is closed.
    pub fn dropped(&self) -> Option<u64> {
        let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
        tables.iter().find_map(|table| drops(&fs::read_to_string(table).ok()?, self.inode))
    }
}

/// A kernel that grants less than what never loses anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimit {
    granted: usize,
}

impl fmt::Display for BufferLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (granted, wanted) = (ByteSize(self.granted as u64), ByteSize(RECEIVE as u64));
        write!(
            f,
            "the kernel lets {granted} wait in the UDP socket and then drops, {wanted} would be better: \
             sysctl -w net.core.rmem_max={RECEIVE}"
        )
    }
}

/// The last column of the socket's line in one of the kernel's tables.
fn drops(table: &str, inode: u64) -> Option<u64> {
    let line = table
        .lines()
        .skip(1)
        .find(|line| line.split_whitespace().nth(INODE).is_some_and(|field| field.parse() == Ok(inode)));
    line?.split_whitespace().last()?.parse().ok()
}

/// The column of the socket's number, from 0: of what the heading calls `tx_queue rx_queue` and `tr tm->when`, each pair
/// is one column.
const INODE: usize = 9;

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        sockopt::set_socket_recv_buffer_size(&socket, 4096).expect("a small buffer");
        let buffer = ReceiveBuffer::of(&socket).expect("a buffer");
        assert_eq!(buffer.dropped(), Some(0));
        for _ in 0..100 {
            socket.send_to(&[0; 1000], socket.local_addr().expect("an address")).expect("sent");
        }
        assert!(buffer.dropped() > Some(50), "{:?}", buffer.dropped());
        drop(socket);
        assert_eq!(buffer.dropped(), None);
    }

    #[test]
    fn a_limit_is_named_with_what_lifts_it() {
        let buffer = |granted| ReceiveBuffer { granted, inode: 0 }.limit();
        assert_eq!(buffer(RECEIVE), None);
        let limit = buffer(212_992).expect("a limit").to_string();
        assert!(limit.contains("208.0 KiB") && limit.contains("net.core.rmem_max=16777216"), "{limit}");
    }

    #[test]
    fn whoever_may_gets_what_is_asked_for() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        enlarge(&socket);
        let buffer = ReceiveBuffer::of(&socket).expect("a buffer");
        let most: usize =
            fs::read_to_string("/proc/sys/net/core/rmem_max").expect("a limit").trim().parse().expect("a number");
        assert!(buffer.granted >= RECEIVE.min(most), "{buffer:?}");
    }
}
