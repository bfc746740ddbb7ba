//! A network between a sender and a receiver that does as it is told.
//!
//! It is what a NAT is: each client has a socket of its own towards the receiver, and gets what comes back on it.

mod port;

use std::collections::HashMap;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::log::patience;
use crate::sim::Rng;
use port::{BUFFER, Port, Train};

/// A relay on this host. It ends with the last use of it.
pub struct Relay {
    address: SocketAddr,
    network: Arc<Mutex<Network>>,
    /// Its other end wakes the thread; closing it ends the thread.
    bell: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

/// How many trains of datagrams pass in one direction before it is the other's turn.
const TURN: usize = 16;

/// How many datagrams are kept for [`Relay::tape`]: more than a handshake has.
const TAPE: usize = 64;

/// Whether anything passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Up,
    Down,
}

/// What the network is like at the moment.
struct Network {
    link: Link,
    receiver: SocketAddr,
    /// The address that it forwards from.
    from: IpAddr,
    /// The socket of each client towards the receiver.
    clients: HashMap<SocketAddr, Arc<Port>>,
    /// The client that came last, and the one whose datagrams are swallowed.
    last: Option<SocketAddr>,
    swallowed: Option<SocketAddr>,
    /// The probability of a datagram being lost.
    loss: f64,
    rng: Rng,
    /// Bytes that were forwarded to the receiver.
    carried: u64,
    /// The first datagrams that were.
    tape: Vec<Vec<u8>>,
}

impl Relay {
    /// A relay to a receiver of this host.
    pub fn to(receiver: SocketAddr) -> Relay {
        let from = IpAddr::from(Ipv4Addr::LOCALHOST);
        let network = Network {
            link: Link::Up,
            receiver,
            from,
            clients: HashMap::new(),
            last: None,
            swallowed: None,
            loss: 0.0,
            rng: Rng::new(1, 0),
            carried: 0,
            tape: Vec::new(),
        };
        let (front, network) = (Port::bind(from), Arc::new(Mutex::new(network)));
        let (waked, bell) = std::io::pipe().expect("a pipe");
        let address = front.address();
        let theirs = Arc::clone(&network);
        let thread = thread::spawn(move || forward(&front, &theirs, waked));
        Relay { address, network, bell: Some(bell), thread: Some(thread) }
    }

    /// Where a sender finds it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on nothing passes, either way, and nobody is told.
    pub fn down(&self) {
        self.network().link = Link::Down;
    }

    /// Datagrams pass again.
    pub fn up(&self) {
        self.network().link = Link::Up;
    }

    /// How many clients have sent something so far.
    pub fn clients(&self) -> usize {
        self.network().clients.len()
    }

    /// From now on nothing passes to or from one client, the last that came, and nobody is told.
    pub fn swallow_last(&self) {
        let mut network = self.network();
        network.swallowed = network.last;
    }

    /// Forwards from new ports from now on; what is sent to the old ones is lost.
    pub fn rebind(&self) {
        let from = self.network().from;
        self.rebind_to(from);
    }

    /// Forwards from new ports of another address of this host from now on.
    pub fn rebind_to(&self, from: IpAddr) {
        let mut network = self.network();
        network.from = from;
        network.clients.values_mut().for_each(|port| *port = Arc::new(Port::bind(from)));
        drop(network);
        self.wake();
    }

    /// Forwards to another receiver from now on.
    pub fn retarget(&self, receiver: SocketAddr) {
        self.network().receiver = receiver;
    }

    /// Loses that part of all datagrams from now on.
    pub fn lose(&self, share: f64) {
        self.network().loss = share;
    }

    /// The first datagrams that came for the receiver, as they came.
    pub fn tape(&self) -> Vec<Vec<u8>> {
        self.network().tape.clone()
    }

    /// Waits until so many more bytes have been forwarded to the receiver. The search for the longest datagram, which a
    /// link begins with, has a part of about 400 KB in them.
    pub fn wait_for_bytes(&self, count: u64) {
        let (wanted, deadline) = (self.network().carried + count, Instant::now() + patience());
        while self.network().carried < wanted {
            assert!(Instant::now() < deadline, "the relay has not carried {count} bytes to the receiver");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn network(&self) -> MutexGuard<'_, Network> {
        lock(&self.network)
    }

    fn wake(&self) {
        let _ = self.bell.as_ref().map(|mut bell| bell.write(&[0]));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.bell.take());
        // A relay that has panicked has failed its test already: nothing came through.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Network {
    /// The socket towards the receiver for a client, made when it first says something.
    fn port_of(&mut self, client: SocketAddr) -> Arc<Port> {
        let Network { clients, last, from, .. } = self;
        let port = clients.entry(client).or_insert_with(|| {
            *last = Some(client);
            Arc::new(Port::bind(*from))
        });
        Arc::clone(port)
    }

    /// Passes on what a client has sent, or is sent.
    fn pass(&mut self, train: &Train<'_>, client: SocketAddr, through: &Port, to: SocketAddr) {
        match self.link {
            Link::Down => {}
            _ if self.swallowed == Some(client) => {}
            Link::Up if self.loss == 0.0 => through.send(train, to),
            Link::Up => {
                for datagram in train.datagrams() {
                    if !self.rng.chance(self.loss) {
                        through.send(&datagram, to);
                    }
                }
            }
        }
    }
}

/// Forwards in both directions until the bell is gone.
fn forward(front: &Port, network: &Mutex<Network>, mut waked: PipeReader) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let clients: Vec<(SocketAddr, Arc<Port>)> =
            lock(network).clients.iter().map(|(client, port)| (*client, Arc::clone(port))).collect();
        if wait(front, &clients, &waked) && !matches!(waked.read(&mut [0; 64]), Ok(1..)) {
            return;
        }
        for _ in 0..TURN {
            let Some(train) = front.receive(&mut buffer) else { break };
            let mut network = lock(network);
            let (port, receiver) = (network.port_of(train.from), network.receiver);
            network.pass(&train, train.from, &port, receiver);
            network.carried += train.bytes.len() as u64;
            let room = TAPE - network.tape.len();
            network.tape.extend(train.datagrams().take(room).map(|datagram| datagram.bytes.to_vec()));
        }
        for (client, port) in &clients {
            for _ in 0..TURN {
                let Some(train) = port.receive(&mut buffer) else { break };
                lock(network).pass(&train, *client, front, *client);
            }
        }
    }
}

/// Waits until there is something to read. Whether the bell was rung.
fn wait(front: &Port, clients: &[(SocketAddr, Arc<Port>)], bell: &PipeReader) -> bool {
    let ports = std::iter::once(front).chain(clients.iter().map(|(_, port)| port.as_ref()));
    let files = std::iter::once(bell.as_fd()).chain(ports.map(AsFd::as_fd));
    let mut polled: Vec<PollFd<'_>> = files.map(|file| PollFd::from_borrowed_fd(file, PollFlags::IN)).collect();
    poll(&mut polled, None).expect("sockets that can be waited for");
    !polled[0].revents().is_empty()
}

fn lock(network: &Mutex<Network>) -> MutexGuard<'_, Network> {
    network.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
