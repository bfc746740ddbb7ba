//! Peers that do not behave, made of the protocol's own parts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use quinn::{Endpoint, EndpointConfig, Runtime as _, TokioRuntime};
use tokio::runtime::{Builder, Runtime};
use xbproto::failure::Party;
use xbproto::key::Key;
use xbproto::quic::{Admission, Family, Link, LinkError, Tuning, TurnedAway, admit, bind, dialer, knock, listener};
use xbproto::tls::Identity;

/// A peer with a socket of its own. It is alive only while one of its functions runs.
pub struct Rogue {
    runtime: Runtime,
    endpoint: Endpoint,
}

const TUNING: Tuning = Tuning { window: 16 << 20, rate: None };

impl Rogue {
    /// One that dials.
    pub fn dialer() -> Rogue {
        Rogue::new(|socket, config| dialer(socket, config, TUNING))
    }

    /// One that listens on a free port of this host.
    pub fn listener() -> Rogue {
        let identity = Identity::one_time().expect("an identity");
        Rogue::new(|socket, config| listener(socket, config, &identity, TUNING))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().expect("a local address")
    }

    /// Dials a receiver and knocks as a sender that has this key and speaks these versions.
    pub fn knock(&self, to: SocketAddr, key: &Key, versions: &[u16]) -> Result<Link, LinkError> {
        self.runtime.block_on(async {
            let connecting = self.endpoint.connect(to, "xbstream-link").expect("a valid address");
            knock(connecting.await?, admission(key, Party::Sender, versions)).await
        })
    }

    /// Connects and says nothing. The connection lasts as long as what is returned.
    pub fn connect_in_silence(&self, to: SocketAddr) -> quinn::Connection {
        self.runtime.block_on(async {
            let connecting = self.endpoint.connect(to, "xbstream-link").expect("a valid address");
            connecting.await.expect("a listener that answers")
        })
    }

    /// Waits for one dialer and answers it as a receiver that has this key and speaks these versions.
    pub fn admit(&self, key: &Key, versions: &[u16]) -> Result<Link, TurnedAway> {
        self.runtime.block_on(async {
            let incoming = self.endpoint.accept().await.expect("an open endpoint");
            let connection = incoming.await.map_err(LinkError::from)?;
            let link = admit(connection, admission(key, Party::Receiver, versions)).await;
            if link.is_err() {
                // The refusal has to reach the dialer.
                self.endpoint.wait_idle().await;
            }
            link
        })
    }

    fn new(make: impl FnOnce(Arc<dyn quinn::AsyncUdpSocket>, EndpointConfig) -> std::io::Result<Endpoint>) -> Rogue {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let endpoint = {
            let _entered = runtime.enter();
            let socket = bind((Ipv4Addr::LOCALHOST, 0).into(), Family::Any).expect("a free port");
            let socket = TokioRuntime.wrap_udp_socket(socket).expect("a socket");
            make(socket, EndpointConfig::default()).expect("an endpoint")
        };
        Rogue { runtime, endpoint }
    }
}

fn admission<'a>(key: &'a Key, role: Party, versions: &'a [u16]) -> Admission<'a> {
    Admission { key, role, versions, tuning: TUNING }
}
