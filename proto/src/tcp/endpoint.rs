//! Who dials and who listens over TCP.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::carrier::{Made, carry};
use super::drivers::Drivers;
use super::socket::{connect, tune};
use super::visitor::{Plain, TELLING, Visitor, judge};
use crate::link::{Connection, LinkError, canonical};
use crate::liveness::Liveness;
use crate::tls::{Alert, Credentials, Distrust, Refusal, client_config, server_config};
use crate::wire::ALPN;

/// How long whoever connects may take until its TLS is there.
const HANDSHAKE: Duration = Duration::from_secs(4);

/// What is asked of the kernel at a time, in bytes: a few TLS records.
const READ: usize = 64 << 10;

/// The pause after the kernel could not give a connection, for example because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a peer whose certificate was refused is given to hear it.
const LINGER: Duration = Duration::from_secs(1);

/// What every listener is called in the handshake, where nobody looks at it.
const LISTENER: &str = "xbstream-link";

/// Where connections over TCP are made, and taken if it listens. Dropping it ends them.
#[derive(Debug)]
pub struct Endpoint {
    /// The address of this host that it connects from, if that is not any.
    from: Option<IpAddr>,
    liveness: Liveness,
    listening: Option<Listening>,
    drivers: Arc<Drivers>,
}

struct Listening {
    socket: TcpListener,
    credentials: Credentials,
}

impl Endpoint {
    /// One that connects, `from` an address of this host if that is given.
    pub fn dialer(from: Option<IpAddr>, liveness: Liveness) -> Endpoint {
        Endpoint { from, liveness, listening: None, drivers: Arc::default() }
    }

    /// One that listens at a bound `socket`, under `credentials`, with a certificate for the occasion if they have none. Call
    /// it within the runtime that is to drive it.
    ///
    /// # Errors
    /// When no certificate can be made, or the socket is not usable.
    pub fn listener(
        socket: std::net::TcpListener,
        credentials: Credentials,
        liveness: Liveness,
    ) -> io::Result<Endpoint> {
        let credentials = credentials.for_listener().map_err(io::Error::other)?;
        let listening = Some(Listening { socket: TcpListener::from_std(socket)?, credentials });
        Ok(Endpoint { from: None, liveness, listening, drivers: Arc::default() })
    }

    /// Connects to a listener whose certificate satisfies `credentials`. The caller limits how long that may take.
    ///
    /// # Errors
    /// [`LinkError::Refused`], [`LinkError::NoRoute`] or [`LinkError::Lost`] when nobody is reached,
    /// [`LinkError::Stranger`] when it is somebody else, [`LinkError::Untrusted`] when its certificate is not the right one.
    pub async fn connect(&self, to: SocketAddr, credentials: &Credentials) -> Result<Connection, LinkError> {
        let (tls, judgement) = client_config(credentials).map_err(|error| LinkError::Lost(error.to_string()))?;
        let name = ServerName::try_from(LISTENER).map_err(|error| LinkError::Lost(error.to_string()))?;
        let asked = Instant::now();
        let stream = connect(canonical(to), self.from).await.map_err(unreached)?;
        let round_trip = asked.elapsed();
        tune(&stream).map_err(unreached)?;
        let connector = TlsConnector::from(Arc::new(tls));
        let stream = connector.connect(name, BufReader::with_capacity(READ, stream)).await;
        let stream = stream.map_err(|error| judgement.refusal().map_or_else(|| tls_failed(error), LinkError::from));
        let stream = speaks_the_protocol(stream?.into())?;
        carry(stream, Made { peer: to, liveness: self.liveness, round_trip }, &self.drivers)
    }

    /// Looks whether somebody listens, and leaves without a word.
    ///
    /// # Errors
    /// As those of [`Endpoint::connect`], for as far as it comes.
    pub async fn look_in(&self, at: SocketAddr) -> Result<(), LinkError> {
        connect(canonical(at), self.from).await.map(drop).map_err(unreached)
    }

    /// The next who has connected; waits for ever if it does not listen. Cancel-safe.
    pub async fn accept(&self) -> Incoming {
        let Some(Listening { socket, credentials }) = &self.listening else { return std::future::pending().await };
        loop {
            match socket.accept().await {
                Ok((stream, peer)) => {
                    let (credentials, drivers) = (credentials.clone(), self.drivers.clone());
                    return Incoming { stream, peer, credentials, liveness: self.liveness, drivers };
                }
                // Either that one has left already, or there is no room: then the others wait in the kernel meanwhile.
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Waits until every connection has ended, and the peers know as far as they can be told.
    pub async fn wait_idle(&self) {
        self.drivers.wait_idle().await;
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// Somebody who has connected, and has not said anything yet.
pub struct Incoming {
    stream: TcpStream,
    peer: SocketAddr,
    credentials: Credentials,
    liveness: Liveness,
    drivers: Arc<Drivers>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Incoming {
    /// Who it is.
    pub fn remote_address(&self) -> SocketAddr {
        canonical(self.peer)
    }

    /// Makes a connection of it, with a peer that has proved nothing yet.
    ///
    /// # Errors
    /// [`Visitor`] if it is no peer, or takes longer than a peer would.
    pub async fn establish(self) -> Result<Connection, Visitor> {
        let Incoming { mut stream, peer, credentials, liveness, drivers } = self;
        let deadline = Instant::now() + HANDSHAKE;
        let first = timeout_at(deadline, first_bytes(&mut stream)).await;
        if let Some(plain) = first.unwrap_or(Err(Visitor::Silent))? {
            dismiss(stream).await;
            return Err(Visitor::Plain(plain));
        }
        let broken = |error: io::Error| Visitor::Tls(error.to_string());
        tune(&stream).map_err(broken)?;
        let shaken = timeout_at(deadline, shake_hands(stream, &credentials)).await;
        let mut stream = shaken.unwrap_or_else(|_| Err(broken(io::Error::other("it took too long"))))?;
        if !has_alpn(&stream) {
            let _ = timeout_at(deadline, stream.shutdown()).await;
            return Err(Visitor::OtherProtocol);
        }
        let made = Made { peer, liveness, round_trip: Duration::ZERO };
        carry(stream, made, &drivers).map_err(|error| Visitor::Tls(error.to_string()))
    }
}

/// The listener's side of TLS.
async fn shake_hands(stream: TcpStream, credentials: &Credentials) -> Result<TlsStream<BufReader<TcpStream>>, Visitor> {
    let (tls, judgement) = server_config(credentials).map_err(|error| Visitor::Tls(error.to_string()))?;
    let accepting = TlsAcceptor::from(Arc::new(tls)).accept(BufReader::with_capacity(READ, stream));
    match accepting.into_fallible().await {
        Ok(stream) => Ok(stream.into()),
        Err((error, stream)) => {
            let visitor = untrusted(&error, judgement.refusal(), credentials);
            // It has been sent an alert, and would not hear it if this side forgot what the other one is still saying.
            dismiss_slowly(stream).await;
            Err(visitor.unwrap_or_else(|| Visitor::Tls(error.to_string())))
        }
    }
}

/// What a failed handshake says of certificates, if it does: this side's `refusal`, or the peer's.
fn untrusted(error: &io::Error, refusal: Option<Refusal>, credentials: &Credentials) -> Option<Visitor> {
    let error = match (refusal, rustls_error(error)) {
        (Some(refusal), _) => refusal.into(),
        (None, Some(rustls::Error::NoCertificatesPresented)) => Refusal::NoCertificate.into(),
        (None, _) => distrusted(error)?.with(credentials),
    };
    Some(Visitor::Untrusted(error))
}

/// That the peer has refused this side's certificate, if that is why a connection ended.
pub(super) fn distrusted(error: &io::Error) -> Option<LinkError> {
    match rustls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) => {
            let alert = Alert(u8::from(*alert));
            alert.is_about_a_certificate().then(|| LinkError::Distrusted(Distrust::new(alert)))
        }
        _ => None,
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
}

/// What somebody without TLS is, by what it says first.
async fn first_bytes(stream: &mut TcpStream) -> Result<Option<Plain>, Visitor> {
    let mut first = [0; TELLING];
    match stream.peek(&mut first).await {
        Ok(0) | Err(_) => Err(Visitor::Left),
        Ok(len) => Ok(judge(&first[..len])),
    }
}

/// Ends a connection for which there is nothing to say. What it has sent is taken first, as far as that is not more than
/// any request: else it would be reset, and its user would look for the reason in the network.
async fn dismiss(mut stream: TcpStream) {
    let _ = stream.try_read(&mut vec![0; READ]);
    let _ = stream.shutdown().await;
}

/// Ends a connection after this side's last words, and takes what comes until the peer has heard them. The caller limits
/// how long that may take.
async fn dismiss_slowly(mut stream: BufReader<TcpStream>) {
    let _ = stream.shutdown().await;
    let mut rest = [0; 4096];
    let heard = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    let _ = timeout(LINGER, heard).await;
}

/// Nobody was reached.
fn unreached(error: io::Error) -> LinkError {
    LinkError::unreached("TCP", &error).unwrap_or_else(|| LinkError::Lost(format!("TCP: {error}")))
}

fn speaks_the_protocol<S>(stream: TlsStream<S>) -> Result<TlsStream<S>, LinkError> {
    match has_alpn(&stream) {
        true => Ok(stream),
        false => Err(LinkError::Stranger("it speaks TLS over TCP, and not the protocol of xbrecv".into())),
    }
}

fn has_alpn<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(ALPN)
}

/// What a dialer's TLS did not like, or that there was none.
fn tls_failed(error: io::Error) -> LinkError {
    match rustls_error(&error) {
        Some(rustls::Error::InvalidMessage(_)) => {
            LinkError::Stranger("it answers over TCP, and does not speak TLS".into())
        }
        Some(tls) => LinkError::Stranger(tls.to_string()),
        None => LinkError::Lost(format!("TCP: it ended the connection before it was made: {error}")),
    }
}
