//! What this side makes connections with, and takes them: of QUIC, and of TCP if that is wished.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{EndpointConfig, Runtime, TokioRuntime};
use tokio::time::timeout;

use super::{Sockets, Transport};
use crate::liveness::Liveness;
use crate::quic::{self, Acceptor, Tuning, listener_config};
use crate::tcp;
use crate::tls::Credentials;

/// How long the packets that say goodbye may take.
const LAST_PACKETS: Duration = Duration::from_secs(1);

/// Endpoints of both forms. Clones are the same endpoints.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// For QUIC.
    pub quic: quinn::Endpoint,
    /// For TCP, where that is wished, and where there is a system to do it.
    pub tcp: Option<Arc<tcp::Endpoint>>,
    /// What is behind them.
    pub network: Network,
}

/// What is behind endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The system's, which can be asked.
    Real,
    /// Somebody's own.
    Simulated,
}

/// QUIC alone, over a network of one's own.
impl From<quinn::Endpoint> for Endpoints {
    fn from(quic: quinn::Endpoint) -> Endpoints {
        Endpoints { quic, tcp: None, network: Network::Simulated }
    }
}

impl Endpoints {
    /// Those of a dialer: on `socket`, and over TCP from the same address. Call it within the runtime that is to drive them.
    ///
    /// # Errors
    /// When the socket is not usable.
    pub fn dialer(socket: UdpSocket, transport: Transport, liveness: Liveness) -> io::Result<Endpoints> {
        let from = own_address(&socket)?;
        let quic = quic::dialer(TokioRuntime.wrap_udp_socket(socket)?, EndpointConfig::default())?;
        let tcp = (transport != Transport::Quic).then(|| Arc::new(tcp::Endpoint::dialer(from, liveness)));
        Ok(Endpoints { quic, tcp, network: Network::Real })
    }

    /// Those of a listener at the `sockets` of a port, known by `credentials` also after a restart, and how QUIC's
    /// connections are taken there. Call it within the runtime that is to drive them.
    ///
    /// # Errors
    /// When a socket is not usable, or TLS cannot be set up.
    pub fn listener(sockets: Sockets, credentials: Credentials, tuning: Tuning) -> io::Result<(Endpoints, Acceptor)> {
        let Sockets { udp, tcp, transport } = sockets;
        let config = listener_config(&credentials, &place(udp.local_addr()?));
        let credentials = credentials.for_listener().map_err(io::Error::other)?;
        let acceptor = Acceptor::new(credentials.clone(), tuning)?;
        let udp = TokioRuntime.wrap_udp_socket(udp)?;
        let quic = match transport {
            Transport::Auto | Transport::Quic => quic::listener(udp, config, &acceptor)?,
            // It hears nobody who has not been dialled.
            Transport::Tcp => quic::dialer(udp, config)?,
        };
        let tcp = tcp.map(|socket| tcp::Endpoint::listener(socket, credentials, tuning.liveness)).transpose()?;
        Ok((Endpoints { quic, tcp: tcp.map(Arc::new), network: Network::Real }, acceptor))
    }

    /// The address of this host that everything is sent from, if that is not any.
    pub(super) fn from(&self) -> Option<IpAddr> {
        self.quic.local_addr().ok().map(|address| address.ip()).filter(|address| !address.is_unspecified())
    }

    /// Waits until the peers of connections that have ended know, as far as they can be told.
    pub async fn say_goodbye(&self) {
        let tcp = async {
            if let Some(tcp) = &self.tcp {
                tcp.wait_idle().await;
            }
        };
        let _ = timeout(LAST_PACKETS, async { tokio::join!(self.quic.wait_idle(), tcp) }).await;
    }

    /// Takes no more connections, ends those that are left, and lets the last packets leave.
    pub async fn close(&self) {
        self.quic.close(0u32.into(), b"its session is over");
        self.say_goodbye().await;
    }
}

fn own_address(socket: &UdpSocket) -> io::Result<Option<IpAddr>> {
    Ok(Some(socket.local_addr()?.ip()).filter(|address| !address.is_unspecified()))
}

/// What tells this port of this host from any other, and stays the same when the program is started again.
fn place(address: SocketAddr) -> Vec<u8> {
    let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
    let host = rustix::system::uname().nodename().to_bytes().to_vec();
    [machine, host, address.port().to_be_bytes().to_vec()].concat()
}
