//! Endpoints from a configuration and any socket.

use std::io;
use std::sync::Arc;

use aws_lc_rs::hmac;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AsyncUdpSocket, ClientConfig, Endpoint, EndpointConfig, ServerConfig, TokioRuntime};
use quinn_proto::HashedConnectionIdGenerator;

use super::Tuning;
use crate::key::Key;
use crate::tls::{Identity, client_config, server_config};

/// What a listener at `place` (this host and its port) with `key` is known by. One that was restarted
/// answers packets of its old connections with a stateless reset that their dialer believes, so that a
/// restart is noticed at once and not by silence. Dialers have no such past, and use quinn's random
/// keys: no two endpoints share a reset key (RFC 9000, section 21.11).
pub fn listener_config(key: &Key, place: &[u8]) -> EndpointConfig {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let derived = |what: &[u8]| hmac::sign(&secret, &[what, place].concat());
    let reset_key = hmac::Key::new(hmac::HMAC_SHA256, derived(b"xb stateless reset").as_ref());
    let mut seed = [0; 8];
    seed.copy_from_slice(&derived(b"xb connection ids").as_ref()[..8]);
    let mut config = EndpointConfig::new(Arc::new(reset_key));
    // The default generator does not know ids of an earlier process for its own, and drops them.
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(u64::from_be_bytes(seed))));
    config
}

/// An endpoint that connects to listeners. Call it within the runtime that is to drive it.
///
/// # Errors
/// When TLS cannot be set up or the socket is not usable.
pub fn dialer(socket: Arc<dyn AsyncUdpSocket>, config: EndpointConfig, tuning: Tuning) -> io::Result<Endpoint> {
    let tls = client_config().map_err(io::Error::other)?;
    let crypto = QuicClientConfig::try_from(tls).map_err(io::Error::other)?;
    let mut client = ClientConfig::new(Arc::new(crypto));
    client.transport_config(tuning.transport());
    let mut endpoint = Endpoint::new_with_abstract_socket(config, None, socket, Arc::new(TokioRuntime))?;
    endpoint.set_default_client_config(client);
    Ok(endpoint)
}

/// An endpoint that is connected to, under `identity`. Call it within the runtime that is to
/// drive it.
///
/// # Errors
/// When TLS cannot be set up or the socket is not usable.
pub fn listener(
    socket: Arc<dyn AsyncUdpSocket>,
    config: EndpointConfig,
    identity: &Identity,
    tuning: Tuning,
) -> io::Result<Endpoint> {
    let tls = server_config(identity).map_err(io::Error::other)?;
    let crypto = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
    let mut server = ServerConfig::with_crypto(Arc::new(crypto));
    server.transport_config(tuning.transport()).max_incoming(MAX_INCOMING);
    Endpoint::new_with_abstract_socket(config, Some(server), socket, Arc::new(TokioRuntime))
}

/// Connections that may wait to be looked at; what comes beyond is refused by the endpoint.
const MAX_INCOMING: usize = 256;
