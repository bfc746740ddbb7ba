//! UDP sockets with a network between them that exists only in memory: those of a sender, and the one of its receiver.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::time::{Instant, Sleep, sleep_until};
use xbproto::failure::Party;

use super::path::Path;
use super::{Event, Log};

/// A socket that reaches the other side's.
#[derive(Debug)]
pub struct Socket {
    owner: Party,
    address: SocketAddr,
    peers: BTreeMap<SocketAddr, Peer>,
    inbox: Arc<Inbox>,
    log: Log,
}

/// A socket of the other side.
#[derive(Debug)]
struct Peer {
    /// Takes what is sent there.
    path: Mutex<Path>,
    inbox: Arc<Inbox>,
}

/// Both directions between a socket of the sender and the one of the receiver.
#[derive(Debug)]
pub struct Route {
    /// To the receiver.
    pub there: Path,
    /// To the sender.
    pub back: Path,
}

/// The address of the sender's first socket.
pub const SENDER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 40_000);

/// The address of the receiver.
pub const RECEIVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 9_999);

/// A socket of the sender for each route, and the one of the receiver. To be called within the runtime.
pub fn network(routes: Vec<Route>, log: &Log) -> (Vec<Arc<Socket>>, Arc<Socket>) {
    let receivers = Arc::new(Inbox::empty());
    let mut far = BTreeMap::new();
    let mut near = Vec::new();
    for (port, Route { there, back }) in (SENDER.port()..).zip(routes) {
        let (address, inbox) = (SocketAddr::new(SENDER.ip(), port), Arc::new(Inbox::empty()));
        far.insert(address, Peer { path: Mutex::new(back), inbox: inbox.clone() });
        let receiver = Peer { path: Mutex::new(there), inbox: receivers.clone() };
        let (owner, peers, log) = (Party::Sender, BTreeMap::from([(RECEIVER, receiver)]), log.clone());
        near.push(Arc::new(Socket { owner, address, peers, inbox, log }));
    }
    let (owner, address, log) = (Party::Receiver, RECEIVER, log.clone());
    (near, Arc::new(Socket { owner, address, peers: far, inbox: receivers, log }))
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let peer = self.peers.get(&transmit.destination).ok_or(io::ErrorKind::HostUnreachable)?;
        let len = transmit.contents.len();
        let fate = peer.path.lock().unwrap_or_else(PoisonError::into_inner).send(self.log.now(), len);
        self.log.note(Event::Datagram { from: self.owner, len, fate });
        let datagram = Bytes::copy_from_slice(transmit.contents);
        for time in fate.arrivals() {
            peer.inbox.put(self.log.moment(time), self.address, datagram.clone());
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut arrivals = self.inbox.lock();
        loop {
            let mut received = 0;
            for (buffer, meta) in buffers.iter_mut().zip(metas.iter_mut()) {
                let Some((addr, datagram)) = arrivals.take_due() else { break };
                // As on a real socket, what does not fit is cut off.
                let len = datagram.len().min(buffer.len());
                buffer[..len].copy_from_slice(&datagram[..len]);
                *meta = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
                received += 1;
            }
            if received > 0 {
                return Poll::Ready(Ok(received));
            }
            if arrivals.poll_next(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    /// Without this, quinn would not look for a larger MTU.
    fn may_fragment(&self) -> bool {
        false
    }
}

/// A network that drops what it cannot carry never makes a sender wait.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What is on its way to a socket.
#[derive(Debug)]
struct Inbox(Mutex<Arrivals>);

#[derive(Debug)]
struct Arrivals {
    /// By the time of arrival; what arrives at the same time, in the order it was sent.
    datagrams: BTreeMap<(Instant, u64), (SocketAddr, Bytes)>,
    count: u64,
    timer: Pin<Box<Sleep>>,
    reader: Option<Waker>,
}

impl Inbox {
    fn empty() -> Inbox {
        let timer = Box::pin(sleep_until(Instant::now()));
        Inbox(Mutex::new(Arrivals { datagrams: BTreeMap::new(), count: 0, timer, reader: None }))
    }

    fn put(&self, at: Instant, from: SocketAddr, datagram: Bytes) {
        let mut arrivals = self.lock();
        arrivals.count += 1;
        let order = arrivals.count;
        arrivals.datagrams.insert((at, order), (from, datagram));
        if let Some(reader) = arrivals.reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrivals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrivals {
    fn take_due(&mut self) -> Option<(SocketAddr, Bytes)> {
        let first = self.datagrams.first_entry()?;
        (first.key().0 <= Instant::now()).then(|| first.remove())
    }

    /// Ready when a datagram may be due.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.reader = Some(cx.waker().clone());
        match self.datagrams.first_key_value() {
            Some(((at, _), _)) => {
                self.timer.as_mut().reset(*at);
                self.timer.as_mut().poll(cx)
            }
            None => Poll::Pending,
        }
    }
}
