//! Two UDP sockets with a network between them that exists only in memory.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
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

/// A socket that reaches exactly one other.
#[derive(Debug)]
pub struct Socket {
    owner: Party,
    address: SocketAddr,
    peer: SocketAddr,
    /// Takes what is sent from here.
    path: Mutex<Path>,
    inbox: Arc<Inbox>,
    peers_inbox: Arc<Inbox>,
    log: Log,
}

/// The sockets of the sender and of the receiver. `there` leads from the first to the second. To
/// be called within the runtime.
pub fn pair(there: Path, back: Path, log: &Log) -> (Arc<Socket>, Arc<Socket>) {
    let sender = SocketAddr::from(([10, 0, 0, 1], 40_000));
    let receiver = SocketAddr::from(([10, 0, 0, 2], 9_999));
    let inboxes = (Arc::new(Inbox::empty()), Arc::new(Inbox::empty()));
    let near = Socket {
        owner: Party::Sender,
        address: sender,
        peer: receiver,
        path: Mutex::new(there),
        inbox: inboxes.0.clone(),
        peers_inbox: inboxes.1.clone(),
        log: log.clone(),
    };
    let far = Socket {
        owner: Party::Receiver,
        address: receiver,
        peer: sender,
        path: Mutex::new(back),
        inbox: inboxes.1,
        peers_inbox: inboxes.0,
        log: log.clone(),
    };
    (Arc::new(near), Arc::new(far))
}

impl Socket {
    /// The address of the socket it reaches.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if transmit.destination != self.peer {
            return Err(io::ErrorKind::HostUnreachable.into());
        }
        let len = transmit.contents.len();
        let fate = self.path.lock().unwrap_or_else(PoisonError::into_inner).send(self.log.now(), len);
        self.log.note(Event::Datagram { from: self.owner, len, fate });
        let datagram = Bytes::copy_from_slice(transmit.contents);
        for time in fate.arrivals() {
            self.peers_inbox.put(self.log.moment(time), datagram.clone());
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
                let Some(datagram) = arrivals.take_due() else { break };
                // As on a real socket, what does not fit is cut off.
                let len = datagram.len().min(buffer.len());
                buffer[..len].copy_from_slice(&datagram[..len]);
                *meta = RecvMeta { addr: self.peer, len, stride: len, ecn: None, dst_ip: None };
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
    datagrams: BTreeMap<(Instant, u64), Bytes>,
    count: u64,
    timer: Pin<Box<Sleep>>,
    reader: Option<Waker>,
}

impl Inbox {
    fn empty() -> Inbox {
        let timer = Box::pin(sleep_until(Instant::now()));
        Inbox(Mutex::new(Arrivals { datagrams: BTreeMap::new(), count: 0, timer, reader: None }))
    }

    fn put(&self, at: Instant, datagram: Bytes) {
        let mut arrivals = self.lock();
        arrivals.count += 1;
        let order = arrivals.count;
        arrivals.datagrams.insert((at, order), datagram);
        if let Some(reader) = arrivals.reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrivals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrivals {
    fn take_due(&mut self) -> Option<Bytes> {
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
