//! The threads of a session's links: one for each, with a socket of its own, on which nothing else is done.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use tokio::task::JoinSet;
use xbproto::cli::{Event, Reporter};
use xbproto::contact::{Dialer, Endpoints, Port, Transport, Worked};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::place::Place;
use xbproto::session::{LinkId, Sender, Sent};
use xbproto::shared::Shared;
use xbproto::tls::Credentials;
use xbproto::{link, quic};

use crate::contact::{Dials, Listens};
use crate::joined::keep_joined;
use crate::resume::keep_linked;
use crate::uplink::Uplink;
use crate::way::{Dial, Listen, Way};

/// What links are made with.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) credentials: Credentials,
    pub(crate) uplink: Uplink,
    pub(crate) reporter: Reporter,
}

impl Links {
    /// Starts a thread for each link. That of the main one comes by links to the receiver and serves the session; the others
    /// join it. The session fails if one ends early.
    ///
    /// # Errors
    /// When a socket or a thread cannot be made.
    pub(crate) fn start(self, way: Way) -> Result<JoinSet<()>, Failure> {
        let started = match way {
            Way::Dial(dial) => {
                let sockets = dial.sockets()?;
                self.tell_limit(&sockets[0]);
                self.start_dialing(dial, sockets)
            }
            Way::Listen(listen) => {
                self.tell_limit(&listen.sockets.udp);
                let mut threads = JoinSet::new();
                self.start_one(&mut threads, LinkId::MAIN, |links| links.listen(listen)).map(|()| threads)
            }
        };
        started.map_err(unforeseen)
    }

    fn start_dialing(self, dial: Dial, sockets: Vec<UdpSocket>) -> io::Result<JoinSet<()>> {
        let mut threads = JoinSet::new();
        let mut sockets = sockets.into_iter();
        if let Some(socket) = sockets.next() {
            self.start_one(&mut threads, LinkId::MAIN, |links| links.dial(dial, socket))?;
        }
        for (link, socket) in LinkId::joining(self.uplink.links).zip(sockets) {
            self.start_one(&mut threads, link, move |links| links.join(link, socket))?;
        }
        Ok(threads)
    }

    fn start_one<F>(
        &self,
        threads: &mut JoinSet<()>,
        link: LinkId,
        work: impl FnOnce(Links) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + 'static,
    {
        let links = self.clone();
        let work = Place::Threads.start(&link.to_string(), move || work(links))?;
        threads.spawn(link::watch(work, self.uplink.session.clone()));
        Ok(())
    }

    fn tell_limit(&self, socket: &UdpSocket) {
        if let Some(limit) = quic::ReceiveBuffer::of(socket).ok().and_then(|buffer| buffer.limit()) {
            self.reporter.tell(Event::Detail(limit.to_string()));
        }
    }

    /// Keeps the main link by dialling, until the session is over.
    async fn dial(self, Dial { route, .. }: Dial, socket: UdpSocket) {
        let Some(dialer) = self.dialer(socket, route.transport) else { return };
        let (session, endpoints) = (self.uplink.session.look(Sender::session), dialer.endpoints.clone());
        self.reporter.tell(Event::Connecting { to: route.name.clone() });
        let mut contact = Dials { dialer, route, session, reporter: self.reporter.clone() };
        keep_linked(&mut contact, &self.uplink, &self.reporter).await;
        say_goodbye(&endpoints, &self.uplink.session).await;
    }

    /// Keeps one more link until the session is over.
    async fn join(self, link: LinkId, socket: UdpSocket) {
        let Some(dialer) = self.dialer(socket, Transport::Quic) else { return };
        keep_joined(link, &dialer, &self.uplink, &self.reporter).await;
        say_goodbye(&dialer.endpoints, &self.uplink.session).await;
    }

    /// Keeps the main link by listening, until the session is over.
    async fn listen(self, Listen { sockets, wait, next }: Listen) {
        let opened = Endpoints::listener(sockets, self.credentials.clone(), self.uplink.tuning);
        let Some((endpoints, acceptor)) = self.usable(opened) else { return };
        let port = Port::new(endpoints.clone(), acceptor, Listens::greeting(self.credentials.clone()));
        let mut contact = Listens::new(port, self.uplink.session.clone(), wait, next, self.reporter.clone());
        keep_linked(&mut contact, &self.uplink, &self.reporter).await;
        contact.close().await;
        endpoints.close().await;
    }

    /// What makes links over this `socket`; nothing if it is not usable, and the session has failed.
    fn dialer(&self, socket: UdpSocket, transport: Transport) -> Option<Dialer> {
        let tuning = self.uplink.tuning;
        let endpoints = self.usable(Endpoints::dialer(socket, transport, tuning.liveness))?;
        let (credentials, reporter, worked) = (self.credentials.clone(), self.reporter.clone(), Worked::default());
        Some(Dialer { endpoints, transport, credentials, role: Party::Sender, tuning, reporter, worked })
    }

    /// What there is to work with; without, the session fails.
    fn usable<T>(&self, made: io::Result<T>) -> Option<T> {
        made.map_err(|error| self.uplink.session.change(|s| s.fail(unforeseen(error)))).ok()
    }
}

async fn say_goodbye(endpoints: &Endpoints, session: &Arc<Shared<Sender>>) {
    // A peer that is lost would not hear it.
    if !session.look(|s| matches!(s.outcome(), Some(Sent::Failed(f)) if f.cause == Cause::PeerLost)) {
        endpoints.say_goodbye().await;
    }
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Sender, error)
}
