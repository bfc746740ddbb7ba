//! A backup from one end to the other in one process: `cargo run --release --example quickstart [SIZE]`.
//!
//! A made-up backup (512 MiB unless told) goes through the real sender and the real receiver over QUIC on the loopback
//! interface, is unpacked into a temporary directory, and is confirmed. The two ends share nothing but a key and an
//! address: this is how to embed either of them.

use std::io::{self, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use xbproto::cli::{Event, ProgressStyle, Reporter, Requests, Summary, Verbosity, WINDOW, exit_code};
use xbproto::contact::Route;
use xbproto::failure::{Failure, Party};
use xbproto::key::Key;
use xbproto::liveness::Liveness;
use xbproto::quantity::ByteSize;
use xbproto::quic::{Congestion, Family, bind};
use xbproto::tls::{Credentials, random};
use xbproto::wire::SessionId;
use xbproto::xbstream::{Opening, encode};
use xbrecv::destination::{Destination, StreamNames};
use xbrecv::extract::Unpacking;
use xbrecv::sink::ExtractSink;
use xbrecv::transfer::Done as Received;
use xbsend::source::{Choice, OnNote, Output, prepare};
use xbsend::tap::Expect;
use xbsend::transfer::Done as Sent;
use xbsend::way::{Dial, Way};

/// The first argument when this program is run by itself, as the backup tool.
const TOOL: &str = "make-backup";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    let result = match first.as_deref() {
        Some(TOOL) => size(args.next()).and_then(|size| made_up_backup(size.0, &mut io::stdout().lock())),
        _ => size(first).and_then(|size| quickstart(size, &mut io::stdout())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "quickstart: {error}");
            error.downcast_ref::<Failure>().map_or(ExitCode::FAILURE, |failure| exit_code(failure.cause))
        }
    }
}

fn size(given: Option<String>) -> anyhow::Result<ByteSize> {
    Ok(given.map_or(Ok(ByteSize(512 << 20)), |given| given.parse())?)
}

fn quickstart(size: ByteSize, out: &mut impl Write) -> anyhow::Result<()> {
    let target = tempfile::Builder::new().prefix("xb-quickstart-").tempdir()?;
    writeln!(out, "moving a backup of {size} to {}", target.path().display())?;

    // One bar is enough: the receiver only speaks up if something is wrong.
    let sender = Reporter::start(Party::Sender, ProgressStyle::Auto, Verbosity::Normal);
    let receiver = Reporter::start(Party::Receiver, ProgressStyle::None, Verbosity::Normal);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(transfer(size, target.path(), &sender, &receiver));
    if let Ok((Sent::Confirmed { receipt, elapsed, limited, .. }, _)) = &done {
        sender.tell(Event::Finished(Summary::of(receipt, *elapsed, 0, limited.clone())));
    }
    sender.finish();
    receiver.finish();

    let (sent, received) = done?;
    let Sent::Confirmed { sums, .. } = sent else { anyhow::bail!("only a check was made") };
    writeln!(out, "sent      {}", sums[0].sum)?;
    writeln!(out, "received  {}", received.receipt.lanes[0].sum)?;
    Ok(())
}

/// Both ends at once. Each works on threads of its own; what they need here is a runtime, on a thread that lives as long
/// as the process: the sender's child is told to die with the thread that started it.
async fn transfer(
    size: ByteSize,
    target: &Path,
    sender: &Reporter,
    receiver: &Reporter,
) -> anyhow::Result<(Sent, Received)> {
    // 128 random bits that both sides have to prove. Between hosts they travel in a key file, or by hand.
    let key = Key::new(random()?);
    let socket = bind((Ipv4Addr::LOCALHOST, 0).into(), Family::V4)?;
    let address = socket.local_addr()?;
    let sending = sending(size, key.clone())?;
    let receiving = receiving(target, key, socket)?;
    let route = Route::parse(&address.to_string(), Family::V4, Duration::from_secs(10))?;
    let way = Way::Dial(Dial { route, bind: None, links: 1 });
    let (mut senders, mut receivers) =
        (Requests::listen(Party::Sender, None)?, Requests::listen(Party::Receiver, None)?);
    // When one end fails, the other is told, and fails for the same cause: both always come to their end.
    let (sent, received) =
        tokio::join!(sending.run(way, &mut senders, sender), receiving.run(&mut receivers, receiver),);
    Ok((sent?, received?))
}

/// The receiving end: the stream is unpacked below `target`.
fn receiving(target: &Path, key: Key, socket: UdpSocket) -> anyhow::Result<xbrecv::transfer::Transfer> {
    let sink = ExtractSink::create(target, u64::from_be_bytes(random()?), Unpacking::default())?.sink;
    let unpacking = Some(sink.progress());
    let destination = Destination { sink: Box::new(sink), names: StreamNames::Unnamed, unpacking, recalled: None };
    Ok(xbrecv::transfer::Transfer {
        sockets: socket.into(),
        way: xbrecv::way::Way::Listen { wait: None },
        credentials: Credentials::shared_key(key),
        destination,
        reopen: None,
        rate: None,
        window: WINDOW,
        liveness: Liveness::DEFAULT,
        forsaken: None,
    })
}

/// The sending end: this program once more, as the backup tool whose output is sent and whose exit code is judged.
fn sending(size: ByteSize, key: Key) -> anyhow::Result<xbsend::transfer::Transfer> {
    let tool = std::env::current_exe()?;
    let command = vec![tool.into_os_string(), TOOL.into(), size.0.to_string().into()];
    Ok(xbsend::transfer::Transfer {
        session: SessionId(random()?),
        credentials: Credentials::shared_key(key),
        lanes: 1,
        source: Some(prepare(Choice::Command(command, Output::Stdout), OnNote::default())?),
        spool: None,
        expect: Expect::Backup,
        compression: None,
        rate: None,
        size: Some(size.0),
        window: WINDOW,
        retry_for: Duration::from_secs(300),
        liveness: Liveness::DEFAULT,
        congestion: Congestion::default(),
        forsaken: None,
    })
}

/// What a backup tool does: writes tables of `size` bytes together as an xbstream, and the files that every backup
/// closes with. Without those the sender would call it incomplete.
fn made_up_backup(size: u64, out: &mut impl Write) -> anyhow::Result<()> {
    let (mut noise, mut left) = (Noise(42), size);
    for number in 0.. {
        if left == 0 {
            break;
        }
        let len = left.min((1 + number % 9) << 20);
        left -= len;
        made_up_file(&format!("shop/table{number}.ibd"), len, &mut noise, out)?;
    }
    for name in ["ib_logfile0", "xtrabackup_checkpoints", "xtrabackup_info"] {
        made_up_file(name, 4096, &mut noise, out)?;
    }
    Ok(out.flush()?)
}

fn made_up_file(name: &str, len: u64, noise: &mut Noise, out: &mut impl Write) -> anyhow::Result<()> {
    let mut file = encode::FileEncoder::new(name.as_bytes(), Opening::New)?;
    let mut left = len;
    while left > 0 {
        let chunk = noise.bytes(left.min(1 << 20) as usize);
        out.write_all(&file.payload(&chunk)?)?;
        left -= chunk.len() as u64;
    }
    out.write_all(&file.end()?)?;
    Ok(())
}

/// Bytes that do not compress and are the same every time (xorshift).
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_le_bytes()
        });
        words.take(len.div_ceil(8)).flatten().take(len).collect()
    }
}
