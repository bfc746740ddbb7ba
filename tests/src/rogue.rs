//! Peers that do not behave, made of the protocol's own parts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, Endpoint, EndpointConfig, Runtime as _, SendStream, TokioRuntime};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use xbproto::failure::Party;
use xbproto::key::Key;
use xbproto::lane::LaneId;
use xbproto::link::{Admission, ControlReader, Link, LinkError, TurnedAway, admit, knock};
use xbproto::liveness::Liveness;
use xbproto::quic::{Acceptor, Congestion, Family, Route, Tuning, bind, connect, dialer, listener};
use xbproto::tls::Credentials;
use xbproto::tls::proof::{ChannelBinding, LinkEnd, prove};
use xbproto::wire::{BlockHeader, EXPORTER_LABEL, Encoding, Hello, Knock, Message, Purpose, SessionId, VERSIONS};

/// A peer with a socket of its own. It is alive only while one of its functions runs.
pub struct Rogue {
    runtime: Runtime,
    endpoint: Endpoint,
}

const TUNING: Tuning =
    Tuning { window: 16 << 20, liveness: Liveness::DEFAULT, congestion: Congestion::Model, find_route: Route::find };

/// The window a sender that has the key asks for, in bytes: as much as it can get.
const WINDOW: u64 = 1 << 40;

/// How long a rogue waits for the other side to answer, to close, or to let go of what it sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a stranger waits who only looks in.
const GLANCE: Duration = Duration::from_millis(100);

impl Rogue {
    /// One that dials.
    pub fn dialer() -> Rogue {
        Rogue::dialer_from(Ipv4Addr::LOCALHOST.into())
    }

    /// One that dials from an address of this host.
    pub fn dialer_from(address: IpAddr) -> Rogue {
        Rogue::new(address, dialer)
    }

    /// One that listens on a free port of this host.
    pub fn listener() -> Rogue {
        Rogue::listener_with(any_certificate())
    }

    /// One that listens on a free port of this host, and shows and demands what these `credentials` say.
    pub fn listener_with(credentials: Credentials) -> Rogue {
        let acceptor = Acceptor::new(credentials, TUNING).expect("a certificate can be made");
        Rogue::new(Ipv4Addr::LOCALHOST.into(), |socket, config| listener(socket, config, &acceptor))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().expect("a local address")
    }

    /// Lives through `story`, which the other side must not hold up for long.
    pub fn run<T>(&self, story: impl Future<Output = T>) -> T {
        let bounded = self.runtime.block_on(async { timeout(PATIENCE, story).await });
        bounded.unwrap_or_else(|_| panic!("the other side has held up a rogue for {PATIENCE:?}"))
    }

    /// Dials a receiver and knocks as a sender that has this key and speaks these versions.
    pub fn knock(&self, to: SocketAddr, key: &Key, versions: &[u16]) -> Result<Link, LinkError> {
        self.knock_with(to, &Credentials::shared_key(key.clone()), versions)
    }

    /// The same with these credentials, whatever is wrong with them.
    pub fn knock_with(&self, to: SocketAddr, credentials: &Credentials, versions: &[u16]) -> Result<Link, LinkError> {
        self.run(async {
            let connecting = connect(&self.endpoint, to, credentials, &TUNING).expect("a valid address");
            knock(connecting.await?.into(), admission(credentials, Party::Sender, versions)).await
        })
    }

    /// Connects and says nothing. The connection lasts as long as what is returned.
    pub fn connect_in_silence(&self, to: SocketAddr) -> Connection {
        self.run(self.connect(to))
    }

    /// Connects so many times, one after the other, each time only as far as a stranger gets before anything is said.
    pub fn connect_and_leave(&self, to: SocketAddr, times: usize) {
        for _ in 0..times {
            self.run(async {
                let connecting = connect(&self.endpoint, to, &any_certificate(), &TUNING).expect("a valid address");
                // Not every stranger is answered.
                let _ = timeout(GLANCE, connecting).await;
            });
        }
    }

    /// Connects and stops within its first message, which would have proved this key.
    pub fn stop_within_a_knock(&self, to: SocketAddr, key: &Key) -> (Connection, SendStream) {
        self.run(async {
            let connection = self.connect(to).await;
            let knock = proof_of(key, &connection).encode();
            let (mut control, _) = connection.open_bi().await.expect("a listener that listens");
            let _ = control.write_all(&knock[..knock.len() / 2]).await;
            (connection, control)
        })
    }

    /// Connects and closes with a code and a sentence; returns when the other side must have heard it.
    pub fn close_at_once(&self, to: SocketAddr, code: u32, sentence: &str) {
        self.run(async {
            self.connect(to).await.close(code.into(), sentence.as_bytes());
            self.wait_until_left_alone().await;
        });
    }

    /// Comes to a receiver as a sender with the key that would try to come back for so long, and is welcomed.
    pub fn intrude(&self, to: SocketAddr, key: &Key, retry_for: Duration) -> Intruder {
        self.run(async {
            let mut intruder = self.greet(to, key, Hello { retry_for, ..HELLO }).await;
            let heard = intruder.hear().await;
            assert!(matches!(heard, Some(Message::Welcome(_))), "not welcomed, but told {heard:?}");
            intruder
        })
    }

    /// Comes to a receiver with the key to join this session; what it is answered. Nothing when it is turned away without.
    pub fn join(&self, to: SocketAddr, key: &Key, session: SessionId) -> (Intruder, Option<Message>) {
        self.run(async {
            let mut intruder = self.greet(to, key, Hello { session, purpose: Purpose::Join, ..HELLO }).await;
            let answer = intruder.hear().await;
            (intruder, answer)
        })
    }

    /// Waits for one dialer and answers it as a receiver that has this key and speaks these versions.
    pub fn admit(&self, key: &Key, versions: &[u16]) -> Result<Link, TurnedAway> {
        self.admit_with(&Credentials::shared_key(key.clone()), versions)
    }

    /// The same with these credentials.
    pub fn admit_with(&self, credentials: &Credentials, versions: &[u16]) -> Result<Link, TurnedAway> {
        self.run(async {
            let incoming = self.endpoint.accept().await.expect("an open endpoint");
            let connection = incoming.await.map_err(LinkError::from)?;
            let link = admit(connection.into(), admission(credentials, Party::Receiver, versions)).await;
            match &link {
                Ok(link) => TUNING.trust(&link.connection, Party::Receiver),
                // The refusal has to reach the dialer.
                Err(_) => self.wait_until_left_alone().await,
            }
            link
        })
    }

    /// Closes its connections with any code, known or not, and a sentence.
    pub fn close(&self, code: u32, sentence: &str) {
        self.endpoint.close(code.into(), sentence.as_bytes());
    }

    /// Waits until none of its connections is left, and the other sides know.
    pub async fn wait_until_left_alone(&self) {
        self.endpoint.wait_idle().await;
    }

    /// Connects, proves the key, and says what for.
    async fn greet(&self, to: SocketAddr, key: &Key, hello: Hello) -> Intruder {
        let connection = self.connect(to).await;
        let (control, heard) = connection.open_bi().await.expect("a receiver that listens");
        let mut intruder = Intruder { connection, control, heard: ControlReader::new(heard) };
        intruder.say(&proof_of(key, &intruder.connection)).await;
        assert!(matches!(intruder.hear().await, Some(Message::Admit(_))), "the key was not taken");
        intruder.say(&Message::Hello(hello)).await;
        intruder
    }

    async fn connect(&self, to: SocketAddr) -> Connection {
        let connecting = connect(&self.endpoint, to, &any_certificate(), &TUNING).expect("a valid address");
        connecting.await.expect("a listener that answers")
    }

    fn new(
        address: IpAddr,
        make: impl FnOnce(Arc<dyn quinn::AsyncUdpSocket>, EndpointConfig) -> std::io::Result<Endpoint>,
    ) -> Rogue {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let endpoint = {
            let _entered = runtime.enter();
            let socket = bind((address, 0).into(), Family::Any).expect("a free port");
            let socket = TokioRuntime.wrap_udp_socket(socket).expect("a socket");
            make(socket, EndpointConfig::default()).expect("an endpoint")
        };
        Rogue { runtime, endpoint }
    }
}

const HELLO: Hello = Hello {
    session: SessionId([7; 16]),
    purpose: Purpose::Transfer,
    lanes: 1,
    window: WINDOW,
    retry_for: Duration::ZERO,
    size: None,
};

/// What takes any certificate, and shows none that anybody has seen before. The key is proved by hand.
fn any_certificate() -> Credentials {
    Credentials::shared_key(Key::new([0; 16]))
}

/// The first message of a sender that has this key.
fn proof_of(key: &Key, connection: &Connection) -> Message {
    let mut channel = [0; 32];
    connection.export_keying_material(&mut channel, EXPORTER_LABEL, b"").expect("TLS exports a secret");
    Message::Knock(Knock {
        versions: VERSIONS.to_vec(),
        features: 0,
        role: Party::Sender,
        proof: prove(Some(key), LinkEnd::Dialer, &ChannelBinding(channel)),
    })
}

/// A sender of one lane that has the key, was welcomed, and says and sends what it likes from there. What the receiver
/// does not want to hear any more is lost.
pub struct Intruder {
    connection: Connection,
    control: SendStream,
    heard: ControlReader,
}

impl Intruder {
    /// The session that it has begun.
    pub const SESSION: SessionId = HELLO.session;

    /// Says something, in its turn or not.
    pub async fn say(&mut self, message: &Message) {
        self.say_bytes(&message.encode()).await;
    }

    /// Says what need not be a message.
    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.control.write_all(bytes).await;
    }

    /// What the receiver says next, but for the rate that it allows; nothing when it is done.
    pub async fn hear(&mut self) -> Option<Message> {
        loop {
            match self.heard.next().await.ok().flatten() {
                Some(Message::RateLimit(_)) => {}
                other => return other,
            }
        }
    }

    /// Begins a block that says to have `len` bytes at `offset` of `lane`, and sends some. It goes on as long as what
    /// is returned; nothing is when the receiver has had enough.
    pub async fn begin_block(&self, lane: u16, offset: u64, len: usize, bytes: &[u8]) -> Option<SendStream> {
        let header = BlockHeader { encoding: Encoding::Plain, lane: LaneId(lane), len: len as u32, offset };
        let mut stream = self.connection.open_uni().await.ok()?;
        stream.write_all(&header.encode()).await.ok()?;
        stream.write_all(bytes).await.ok()?;
        Some(stream)
    }

    /// Sends a block as it should be.
    pub async fn send_block(&self, offset: u64, bytes: &[u8]) {
        // Dropping a stream finishes it.
        drop(self.begin_block(0, offset, bytes.len(), bytes).await);
    }

    /// Does nothing until the receiver closes; how it did.
    pub async fn wait_for_the_end(&self) -> LinkError {
        self.connection.closed().await.into()
    }
}

fn admission<'a>(credentials: &'a Credentials, role: Party, versions: &'a [u16]) -> Admission<'a> {
    Admission { credentials, role, versions }
}
