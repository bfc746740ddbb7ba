//! Both ends in one process: over memory, where time stands still, and over loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::carrier::{Made, carry};
use super::drivers::Drivers;
use super::*;
use crate::failure::Party;
use crate::key::Key;
use crate::lane::LaneId;
use crate::link::{Admission, Connection, Link, LinkError, Room, TurnedAway, admit, begin_block, knock, write_block};
use crate::liveness::Liveness;
use crate::meter::Gauge;
use crate::pool::Pool;
use crate::quic::Family;
use crate::throttle::Throttle;
use crate::tls::{Credentials, client_config, server_config};
use crate::wire::{BlockHeader, CloseCode, EncodedBlock, Encoding, Frame, Message, Pulse, VERSIONS, Waiting};

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
const ROOM: Room = Room { blocks: 16, bytes: 1 << 20 };

/// Those of a key that nobody proves here.
fn credentials() -> Credentials {
    Credentials::shared_key(Key::new([7; 16])).for_listener().unwrap()
}

/// The two ends of a TLS stream over so many bytes of memory.
async fn tls(memory: usize) -> (TlsStream<DuplexStream>, TlsStream<DuplexStream>) {
    let (near, far) = duplex(memory);
    let connector = TlsConnector::from(Arc::new(client_config(&credentials()).unwrap().0));
    let acceptor = TlsAcceptor::from(Arc::new(server_config(&credentials()).unwrap().0));
    let name = ServerName::try_from("xbstream-link").unwrap();
    let (dialer, listener) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    (dialer.unwrap().into(), listener.unwrap().into())
}

fn made() -> Made {
    Made { peer: PEER, liveness: Liveness::DEFAULT, round_trip: Duration::ZERO }
}

/// A dialer and a listener that takes blocks.
struct Pair {
    dialer: Connection,
    listener: Connection,
    drivers: Drivers,
}

impl Pair {
    async fn new(memory: usize) -> Pair {
        let ((dialer, listener), drivers) = (tls(memory).await, Drivers::default());
        let (dialer, listener) = (carry(dialer, made(), &drivers).unwrap(), carry(listener, made(), &drivers).unwrap());
        listener.let_send(ROOM);
        Pair { dialer, listener, drivers }
    }

    async fn linked(&self) -> (Link, Link) {
        let key = Credentials::shared_key(Key::new([7; 16]));
        let (sender, receiver) = tokio::join!(
            knock(self.dialer.clone(), admission(&key, Party::Sender)),
            admit(self.listener.clone(), admission(&key, Party::Receiver)),
        );
        (sender.unwrap(), receiver.unwrap())
    }
}

/// A listener, and a peer of it that writes whatever frames it likes.
struct Rogue {
    listener: Connection,
    stream: TlsStream<DuplexStream>,
    _drivers: Drivers,
}

impl Rogue {
    async fn new() -> Rogue {
        let ((stream, listener), drivers) = (tls(1 << 16).await, Drivers::default());
        let listener = carry(listener, made(), &drivers).unwrap();
        Rogue { listener, stream, _drivers: drivers }
    }

    async fn write(&mut self, frame: &Frame) {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Writes for as long as the listener reads; how many bytes that were.
    async fn write_on(&mut self, frame: &Frame) -> usize {
        let (mut bytes, mut written) = (BytesMut::new(), 0);
        frame.encode(&mut bytes);
        while let Ok(Ok(())) = timeout(Duration::from_secs(1), self.stream.write_all(&bytes)).await {
            written += bytes.len();
        }
        written
    }

    /// What it is told at last.
    async fn close_heard(&mut self) -> Option<(u32, String)> {
        let mut arrived = BytesMut::new();
        loop {
            match Frame::take(&mut arrived).unwrap() {
                Some(Frame::Close { code, sentence }) => return Some((code, sentence)),
                Some(_) => {}
                None if self.stream.read_buf(&mut arrived).await.unwrap_or(0) == 0 => return None,
                None => {}
            }
        }
    }
}

fn admission(credentials: &Credentials, role: Party) -> Admission<'_> {
    Admission { credentials, role, versions: VERSIONS }
}

fn block(lane: u16, bytes: Vec<u8>) -> EncodedBlock {
    let header = BlockHeader { encoding: Encoding::Plain, lane: LaneId(lane), len: bytes.len() as u32, offset: 0 };
    EncodedBlock { header, bytes: bytes.into() }
}

async fn send(connection: &Connection, block: EncodedBlock) -> Result<(), LinkError> {
    write_block(connection, block, 1, 1 << 20, &Throttle::new(None), &Gauge::default()).await
}

async fn take(connection: &Connection) -> Option<EncodedBlock> {
    let incoming = begin_block(connection.next_block().await.unwrap()).await.unwrap()?;
    incoming.rest(&Pool::default()).await.unwrap()
}

const PULSE: Message = Message::Pulse(Pulse { waiting: Waiting::Disk });

#[tokio::test(start_paused = true)]
async fn both_prove_the_key_and_talk() {
    let pair = Pair::new(1 << 16).await;
    let (mut sender, mut receiver) = pair.linked().await;
    sender.writer.send(&PULSE).await.unwrap();
    assert_eq!(receiver.reader.next().await.unwrap(), Some(PULSE));
    receiver.writer.send(&Message::Seen).await.unwrap();
    receiver.writer.finish().await.unwrap();
    assert_eq!(sender.reader.next().await.unwrap(), Some(Message::Seen));
    assert_eq!(sender.reader.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn another_key_is_told_by_the_close() {
    let pair = Pair::new(1 << 16).await;
    let [key, other] = [[1; 16], [2; 16]].map(|key| Credentials::shared_key(Key::new(key)));
    let (dialer, listener) = tokio::join!(
        knock(pair.dialer.clone(), admission(&key, Party::Sender)),
        admit(pair.listener.clone(), admission(&other, Party::Receiver)),
    );
    assert!(matches!(listener, Err(TurnedAway::WrongKey)));
    assert!(matches!(dialer, Err(LinkError::Closed { code: CloseCode::WrongKey, .. })), "{dialer:?}");
    pair.drivers.wait_idle().await;
}

#[tokio::test(start_paused = true)]
async fn blocks_arrive_in_order_and_whole() {
    let pair = Pair::new(1 << 14).await;
    let blocks: Vec<_> = (1..=40_u16).map(|n| block(n, vec![n as u8; usize::from(n) * 26_000])).collect();
    let sent = blocks.clone();
    let sending = async {
        for block in sent {
            send(&pair.dialer, block).await.unwrap();
        }
    };
    let taking = async {
        let mut taken = Vec::new();
        for _ in &blocks {
            taken.push(take(&pair.listener).await.unwrap());
        }
        taken
    };
    let ((), taken) = tokio::join!(sending, taking);
    assert_eq!(taken, blocks);
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_given_up_is_none_and_the_next_is_one() {
    let pair = Pair::new(1 << 14).await;
    let mut given_up = pair.dialer.open_block(1).await.unwrap();
    given_up.write(Bytes::copy_from_slice(&block(1, vec![1; 100]).header.encode())).await.unwrap();
    given_up.write(Bytes::from_static(&[1; 50])).await.unwrap();
    drop(given_up);
    // Nothing was written of this one, and nobody hears of it.
    drop(pair.dialer.open_block(2).await.unwrap());
    let whole = block(2, vec![2; 100]);
    send(&pair.dialer, whole.clone()).await.unwrap();
    assert_eq!(take(&pair.listener).await, None);
    assert_eq!(take(&pair.listener).await, Some(whole));
}

#[tokio::test(start_paused = true)]
async fn a_block_that_nobody_wants_goes_by() {
    let pair = Pair::new(1 << 14).await;
    let sending = async {
        send(&pair.dialer, block(1, vec![1; 1 << 20])).await.unwrap();
        send(&pair.dialer, block(2, vec![2; 10])).await.unwrap();
    };
    let taking = async {
        drop(pair.listener.next_block().await.unwrap());
        take(&pair.listener).await
    };
    let ((), taken) = tokio::join!(sending, taking);
    assert_eq!(taken, Some(block(2, vec![2; 10])));
}

/// Blocks that nobody takes yet fill the connection; words go on in the other direction, and the close comes through.
#[tokio::test(start_paused = true)]
async fn words_and_close_do_not_wait_for_blocks() {
    let pair = Pair::new(1 << 14).await;
    let (mut sender, mut receiver) = pair.linked().await;
    let full = async {
        loop {
            send(&pair.dialer, block(1, vec![1; 1 << 20])).await?;
        }
    };
    let ended: Result<(), LinkError> = tokio::select! {
        ended = full => ended,
        () = async {
            receiver.writer.send(&PULSE).await.unwrap();
            assert_eq!(sender.reader.next().await.unwrap(), Some(PULSE));
            receiver.close(CloseCode::Busy, "enough");
            std::future::pending().await
        } => unreachable!(),
    };
    assert!(matches!(ended, Err(LinkError::Closed { code: CloseCode::Busy, .. })), "{ended:?}");
    assert!(matches!(pair.listener.close_reason(), Some(LinkError::Lost(_))));
    pair.drivers.wait_idle().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_a_close_is_heard() {
    let pair = Pair::new(1 << 10).await;
    let (mut sender, mut receiver) = pair.linked().await;
    for _ in 0..1000 {
        receiver.writer.send(&PULSE).await.unwrap();
    }
    receiver.writer.finish().await.unwrap();
    receiver.close(CloseCode::Done, "over");
    for _ in 0..1000 {
        assert_eq!(sender.reader.next().await.unwrap(), Some(PULSE));
    }
    assert_eq!(sender.reader.next().await.unwrap(), None);
    assert!(matches!(sender.connection.closed().await, LinkError::Closed { code: CloseCode::Done, .. }));
    pair.drivers.wait_idle().await;
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_is_dropped_closes() {
    let Pair { dialer, listener, drivers } = Pair::new(1 << 16).await;
    drop(dialer);
    assert!(matches!(listener.closed().await, LinkError::Closed { code: CloseCode::Broken, .. }));
    drop(listener);
    drivers.wait_idle().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_lost_and_a_living_one_never() {
    let pair = Pair::new(1 << 16).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(pair.dialer.close_reason().is_none() && pair.listener.close_reason().is_none());
    assert!(pair.dialer.acknowledgements() > 1000);

    let (_silent, stream) = tls(1 << 16).await;
    let (begun, drivers) = (Instant::now(), Drivers::default());
    let connection = carry(stream, made(), &drivers).unwrap();
    assert!(matches!(connection.closed().await, LinkError::Silent));
    assert_eq!(begun.elapsed().as_secs(), Liveness::DEFAULT.peer_timeout().as_secs());
    drivers.wait_idle().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_order_is_a_violation_and_told() {
    for frame in [Frame::Piece(Bytes::from_static(b"x")), Frame::BlockEnd, Frame::BlockCancelled] {
        let mut rogue = Rogue::new().await;
        rogue.write(&frame).await;
        assert!(matches!(rogue.listener.closed().await, LinkError::Wire(_)), "{frame:?}");
        let (code, sentence) = rogue.close_heard().await.expect("a close");
        assert_eq!(code, CloseCode::Violation.number());
        assert!(sentence.contains(frame.name()), "{sentence}");
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_is_a_violation() {
    let mut rogue = Rogue::new().await;
    rogue.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(matches!(rogue.listener.closed().await, LinkError::Wire(_)));
}

#[tokio::test(start_paused = true)]
async fn control_goes_no_further_than_its_end() {
    let mut rogue = Rogue::new().await;
    rogue.write(&Frame::ControlEnd).await;
    rogue.write(&Frame::Control(Bytes::from_static(b"x"))).await;
    assert!(matches!(rogue.listener.closed().await, LinkError::Wire(_)));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_reads_is_not_kept() {
    const LITTLE: usize = 2 << 20;
    let words = Frame::Control(Bytes::from(vec![0; 1 << 14]));
    let mut stranger = Rogue::new().await;
    assert!(stranger.write_on(&words).await < LITTLE);
    for frame in [words, Frame::Piece(Bytes::from(vec![0; 1 << 14]))] {
        let mut rogue = Rogue::new().await;
        rogue.listener.let_send(ROOM);
        assert!(rogue.write_on(&frame).await < LITTLE, "{}", frame.name());
    }
}

#[tokio::test(start_paused = true)]
async fn pings_without_end_are_not_kept_either() {
    let mut rogue = Rogue::new().await;
    // Nobody reads the answers: they are for the last ping only.
    for number in 0..100_000 {
        rogue.write(&Frame::Ping(number)).await;
    }
    assert!(rogue.listener.close_reason().is_none());
}

fn dialer() -> Endpoint {
    Endpoint::dialer(None, Liveness::DEFAULT)
}

async fn listening() -> (Endpoint, SocketAddr) {
    let socket = bind((Ipv4Addr::LOCALHOST, 0).into(), Family::Any).unwrap();
    let address = socket.local_addr().unwrap();
    (Endpoint::listener(socket, credentials(), Liveness::DEFAULT).unwrap(), address)
}

#[tokio::test]
async fn over_loopback_as_well() {
    let ((listener, address), dialer) = (listening().await, dialer());
    let trusting = credentials();
    let (near, far) =
        tokio::join!(dialer.connect(address, &trusting), async { listener.accept().await.establish().await });
    let (near, far) = (near.unwrap(), far.unwrap());
    far.let_send(ROOM);
    let sent = block(3, vec![3; 1 << 20]);
    let (result, taken) = tokio::join!(send(&near, sent.clone()), take(&far));
    result.unwrap();
    assert_eq!(taken, Some(sent));
    assert_eq!(near.report().congestion_window, None);
    far.close(CloseCode::Done, "over");
    assert!(matches!(near.closed().await, LinkError::Closed { code: CloseCode::Done, .. }));
    drop((near, far));
    tokio::join!(dialer.wait_idle(), listener.wait_idle());
}

#[tokio::test]
async fn visitors_without_tls_are_recognised_and_sent_home() {
    let (listener, address) = listening().await;
    for (words, expected) in [(&b"GET / HTTP/1.0\r\n\r\n"[..], "HTTP"), (b"XBSTCK01 and so on", "use xbsend")] {
        let mut visitor = TcpStream::connect(address).await.unwrap();
        visitor.write_all(words).await.unwrap();
        let error = listener.accept().await.establish().await.expect_err("a visitor");
        assert!(matches!(error, Visitor::Plain(_)) && error.to_string().contains(expected), "{error}");
        assert_eq!(visitor.read(&mut [0; 9]).await.unwrap(), 0);
    }
    drop(TcpStream::connect(address).await.unwrap());
    assert!(matches!(listener.accept().await.establish().await, Err(Visitor::Left)));
}

#[tokio::test]
async fn tls_without_the_protocol_is_no_peer() {
    let (listener, address) = listening().await;
    let (mut config, _) = client_config(&credentials()).unwrap();
    config.alpn_protocols.clear();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("xbstream-link").unwrap();
    let (visitor, error) =
        tokio::join!(connector.connect(name, stream), async { listener.accept().await.establish().await });
    assert!(matches!(error, Err(Visitor::OtherProtocol)));
    assert_eq!(visitor.unwrap().read(&mut [0; 9]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_dialer_tells_who_else_answers() {
    let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, dialer, credentials) = (socket.local_addr().unwrap(), dialer(), credentials());
    let answered = async {
        let (mut stream, _) = socket.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    let (error, ()) = tokio::join!(dialer.connect(address, &credentials), answered);
    assert!(matches!(&error, Err(LinkError::Stranger(words)) if words.contains("does not speak TLS")), "{error:?}");
    drop(socket);
    let error = dialer.connect(address, &credentials).await;
    assert!(matches!(&error, Err(LinkError::Refused("TCP"))), "{error:?}");
}
