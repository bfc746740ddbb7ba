//! A socket of the relay. Datagrams pass in the trains they came in (GRO, GSO), so that the relay is no bottleneck.

use std::io::IoSliceMut;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use quinn::udp::{EcnCodepoint, RecvMeta, Transmit, UdpSocketState};
use xbproto::quic::{Family, bind};

/// The longest train, in bytes.
pub(super) const BUFFER: usize = 1 << 16;

/// A UDP socket of this host.
pub(super) struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
}

/// Datagrams that came together from one address, all of one length but the last, which may be shorter.
pub(super) struct Train<'a> {
    pub(super) from: SocketAddr,
    pub(super) bytes: &'a [u8],
    length: usize,
    ecn: Option<EcnCodepoint>,
}

impl Port {
    /// One on a free port.
    pub(super) fn bind(address: IpAddr) -> Port {
        let socket = bind((address, 0).into(), Family::Any).expect("a free port");
        let state = UdpSocketState::new((&socket).into()).expect("a socket");
        Port { socket, state }
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a local address")
    }

    /// The next train, if one is there.
    pub(super) fn receive<'a>(&self, buffer: &'a mut [u8]) -> Option<Train<'a>> {
        let mut meta = [RecvMeta::default()];
        // A port that nobody listens on any more is an error here, and nothing to somebody who only passes things on.
        self.state.recv((&self.socket).into(), &mut [IoSliceMut::new(buffer)], &mut meta).ok()?;
        let [RecvMeta { addr, len, stride, ecn, .. }] = meta;
        Some(Train { from: addr, bytes: &buffer[..len], length: stride, ecn })
    }

    /// Sends it on. What does not fit into the kernel's buffer is lost, as on any network.
    pub(super) fn send(&self, train: &Train<'_>, destination: SocketAddr) {
        let most = train.length.max(1) * self.state.max_gso_segments();
        for contents in train.bytes.chunks(most) {
            let segment_size = (contents.len() > train.length).then_some(train.length);
            let transmit = Transmit { destination, ecn: train.ecn, contents, segment_size, src_ip: None };
            let _ = self.state.try_send((&self.socket).into(), &transmit);
        }
    }
}

impl Train<'_> {
    /// Its datagrams one by one.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = Train<'_>> {
        self.bytes.chunks(self.length.max(1)).map(|bytes| Train { bytes, ..*self })
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
