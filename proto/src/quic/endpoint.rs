//! Endpoints from a configuration and any socket, and connections that suit the route to their peer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AsyncUdpSocket, ClientConfig, Endpoint, EndpointConfig, Incoming, ServerConfig, TokioRuntime};
use quinn_proto::HashedConnectionIdGenerator;

use super::{Opening, Route, Tuning};
use crate::link::LinkError;
use crate::tls::{Credentials, Judgement, client_config, server_config};

/// What a listener at `place` (this host and its port) with these `credentials` is known by. One that was restarted
/// answers packets of its old connections with a stateless reset that their dialer believes, so that a
/// restart is noticed at once and not by silence. Dialers have no such past, and use quinn's random
/// keys: no two endpoints share a reset key (RFC 9000, section 21.11).
pub fn listener_config(credentials: &Credentials, place: &[u8]) -> EndpointConfig {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &credentials.secret());
    let derived = |what: &[u8]| hmac::sign(&secret, &[what, place].concat());
    let reset_key = hmac::Key::new(hmac::HMAC_SHA256, derived(b"xb stateless reset").as_ref());
    let mut seed = [0; 8];
    seed.copy_from_slice(&derived(b"xb connection ids").as_ref()[..8]);
    let mut config = EndpointConfig::new(Arc::new(reset_key));
    // The default generator does not know ids of an earlier process for its own, and drops them.
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(u64::from_be_bytes(seed))));
    config
}

/// The longest datagram that this side takes, in bytes of UDP payload: whatever IP can carry.
const LONGEST_TAKEN: u16 = u16::MAX - 8;

/// An endpoint that connects to listeners. Call it within the runtime that is to drive it.
///
/// # Errors
/// When the socket is not usable.
pub fn dialer(socket: Arc<dyn AsyncUdpSocket>, config: EndpointConfig) -> io::Result<Endpoint> {
    endpoint(socket, config, None)
}

/// Connects to a listener whose certificate satisfies `credentials`.
///
/// # Errors
/// When TLS cannot be set up, or the endpoint cannot reach addresses of this kind.
pub fn connect(endpoint: &Endpoint, to: SocketAddr, credentials: &Credentials, tuning: &Tuning) -> io::Result<Opening> {
    let (tls, judgement) = client_config(credentials).map_err(io::Error::other)?;
    let crypto = QuicClientConfig::try_from(tls).map_err(io::Error::other)?;
    let from = Some(endpoint.local_addr()?.ip()).filter(|from| !from.is_unspecified());
    let mut client = ClientConfig::new(Arc::new(crypto));
    client.transport_config(tuning.transport((tuning.find_route)(to, from)));
    let connecting = endpoint.connect_with(client, to, LISTENER).map_err(io::Error::other)?;
    Ok(Opening::new(connecting, credentials, judgement))
}

/// What every listener is called in the handshake, where nobody looks at it.
const LISTENER: &str = "xbstream-link";

/// How a listener takes connections.
#[derive(Clone, Debug)]
pub struct Acceptor {
    credentials: Credentials,
    tuning: Tuning,
}

impl Acceptor {
    /// Under `credentials`, with a certificate for the occasion if they have none.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new(credentials: Credentials, tuning: Tuning) -> io::Result<Acceptor> {
        Ok(Acceptor { credentials: credentials.for_listener().map_err(io::Error::other)?, tuning })
    }

    /// Takes one.
    ///
    /// # Errors
    /// When its first packet is not one of a connection, or TLS cannot be set up.
    pub fn accept(&self, incoming: Incoming) -> Result<Opening, LinkError> {
        let route = (self.tuning.find_route)(incoming.remote_address(), incoming.local_ip());
        let (config, judgement) = self.config(route).map_err(|error| LinkError::Lost(error.to_string()))?;
        Ok(Opening::new(incoming.accept_with(Arc::new(config))?, &self.credentials, judgement))
    }

    /// For one connection: the judgement is of nobody else.
    fn config(&self, route: Route) -> io::Result<(ServerConfig, Judgement)> {
        let (tls, judgement) = server_config(&self.credentials).map_err(io::Error::other)?;
        let crypto = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
        let mut config = ServerConfig::with_crypto(Arc::new(crypto));
        config.transport_config(self.tuning.transport(route)).max_incoming(MAX_INCOMING);
        Ok((config, judgement))
    }
}

/// An endpoint that is connected to. Call it within the runtime that is to drive it.
///
/// # Errors
/// When the socket is not usable.
pub fn listener(socket: Arc<dyn AsyncUdpSocket>, config: EndpointConfig, acceptor: &Acceptor) -> io::Result<Endpoint> {
    endpoint(socket, config, Some(acceptor.config(Route::UNKNOWN)?.0))
}

fn endpoint(
    socket: Arc<dyn AsyncUdpSocket>,
    mut config: EndpointConfig,
    server: Option<ServerConfig>,
) -> io::Result<Endpoint> {
    config.max_udp_payload_size(LONGEST_TAKEN).map_err(io::Error::other)?;
    Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(TokioRuntime))
}

/// Connections that may wait to be looked at; what comes beyond is refused by the endpoint.
const MAX_INCOMING: usize = 256;
