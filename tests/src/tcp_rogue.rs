//! A peer over TCP that writes what it likes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use xbproto::failure::Party;
use xbproto::key::Key;
use xbproto::tls::proof::{ChannelBinding, LinkEnd, prove};
use xbproto::tls::{Credentials, client_config};
use xbproto::wire::{EXPORTER_LABEL, Frame, Hello, Knock, Message, Purpose, SessionId, VERSIONS};

/// How long the other side may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A dialer whose TLS is right, and nothing beyond that but what it is told.
pub struct TcpRogue {
    runtime: Runtime,
    stream: TlsStream<TcpStream>,
    arrived: BytesMut,
}

impl TcpRogue {
    /// One that has connected and has not said anything.
    pub fn connect(to: SocketAddr) -> TcpRogue {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let stream = runtime.block_on(async {
            // It takes any certificate; the key is proved by hand, or not.
            let credentials = Credentials::shared_key(Key::new([0; 16]));
            let (config, _) = client_config(&credentials).expect("TLS can be set up");
            let connector = TlsConnector::from(Arc::new(config));
            let name = ServerName::try_from("rogue").expect("a name");
            let stream = TcpStream::connect(to).await.expect("a listener");
            connector.connect(name, stream).await.expect("a listener of TLS")
        });
        TcpRogue { runtime, stream, arrived: BytesMut::new() }
    }

    /// One that has proved this key to a receiver as a sender, and is welcomed.
    pub fn intrude(to: SocketAddr, key: &Key) -> TcpRogue {
        let mut rogue = TcpRogue::connect(to);
        rogue.say(&rogue.proof_of(key));
        rogue.say(&Message::Hello(HELLO));
        // Admitted, and then welcomed.
        let mut heard = 0;
        while heard < 2 {
            heard += usize::from(matches!(rogue.hear(), Some(Frame::Control(_))));
        }
        rogue
    }

    /// Writes bytes that need not be a frame; whether the other side still takes some.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let TcpRogue { runtime, stream, .. } = self;
        let written = runtime.block_on(async {
            timeout(PATIENCE, async {
                stream.write_all(bytes).await?;
                stream.flush().await
            })
            .await
        });
        written.expect("the other side does not hold up a rogue").is_ok()
    }

    /// Writes a frame, in its place or not; whether the other side still takes some.
    pub fn frame(&mut self, frame: &Frame) -> bool {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        self.write(&bytes)
    }

    /// Reads until the other side closes; the number and the sentence of its close, if it says one.
    pub fn closed(&mut self) -> Option<(u32, String)> {
        loop {
            match self.hear() {
                Some(Frame::Close { code, sentence }) => return Some((code, sentence)),
                Some(_) => {}
                None => return None,
            }
        }
    }

    fn say(&mut self, message: &Message) {
        self.frame(&Frame::Control(Bytes::from(message.encode())));
    }

    fn hear(&mut self) -> Option<Frame> {
        let TcpRogue { runtime, stream, arrived } = self;
        runtime.block_on(async {
            loop {
                if let Some(frame) = Frame::take(arrived).expect("a listener that keeps to the protocol") {
                    return Some(frame);
                }
                let read = timeout(PATIENCE, stream.read_buf(arrived)).await;
                if read.expect("the other side does not hold up a rogue").unwrap_or(0) == 0 {
                    return None;
                }
            }
        })
    }

    fn proof_of(&self, key: &Key) -> Message {
        let channel = self.stream.get_ref().1.export_keying_material([0; 32], EXPORTER_LABEL, Some(b""));
        let channel = ChannelBinding(channel.expect("TLS exports a secret"));
        let proof = prove(Some(key), LinkEnd::Dialer, &channel);
        Message::Knock(Knock { versions: VERSIONS.to_vec(), features: 0, role: Party::Sender, proof })
    }
}

const HELLO: Hello = Hello {
    session: SessionId([9; 16]),
    purpose: Purpose::Transfer,
    lanes: 1,
    window: 1 << 40,
    retry_for: Duration::ZERO,
    size: None,
};
