//! The program: from its command line to its exit code.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;

use xbproto::cli::{Event, Reporter, Requests, Summary, generate_key_file, given_key};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::bind;
use xbproto::tls::{Identity, random};

use crate::args::Args;
use crate::destination;
use crate::listen::Again;
use crate::transfer::{Acknowledged, Done, Reopen, Transfer};

/// Runs `xbrecv` on the main thread and returns what it exits with.
pub fn run(args: Args) -> ExitCode {
    let reporter = Reporter::start(Party::Receiver, args.display.progress, args.display.verbosity());
    let result = match &args.generate_key {
        Some(path) => generate_key(path, &reporter),
        None => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(receive(args, &reporter)),
            Err(error) => Err(failure(Cause::Unforeseen, error)),
        },
    };
    reporter.conclude(result)
}

fn generate_key(path: &Path, reporter: &Reporter) -> Result<(), Failure> {
    let key = new_key()?;
    generate_key_file(path, &key).map_err(|error| failure(Cause::Usage, error))?;
    let words = format!("made {}; copy it to the other host and use --key-file on both", path.display());
    reporter.tell(Event::Notice(words));
    Ok(())
}

async fn receive(args: Args, reporter: &Reporter) -> Result<(), Failure> {
    let given = given_key(args.key.key_file.as_deref()).map_err(|error| failure(Cause::Usage, error))?;
    if given.is_none() && !reporter.can_invite() {
        return Err(failure(Cause::Usage, NO_KEY));
    }
    let requests = Requests::listen(Party::Receiver, args.session.deadline.map(|span| span.0));
    let requests = requests.map_err(unforeseen)?;
    let destination = destination::open(&args, reporter);
    let mut destination = destination.map_err(|error| failure(error.cause(), error))?;
    let (socket, address) = match open_port(&args) {
        Ok(open) => open,
        Err(failure) => {
            destination.sink.abandon();
            return Err(failure);
        }
    };
    let one_time = given.is_none();
    let key = match given {
        Some(given) => {
            given.warning.into_iter().for_each(|warning| reporter.tell(Event::Warning(warning)));
            given.key
        }
        None => new_key()?,
    };
    reporter.tell(Event::Listening { address });
    if one_time {
        invite(&key, address, reporter);
    }
    let name = destination.name.clone();
    let reopen = (destination.sink.again() == Again::Possible).then(|| reopening(args.clone(), reporter.clone()));
    let (window, liveness, wait) = (args.session.window, args.session.peer_timeout, args.wait.map(|wait| wait.0));
    let identity = Identity::one_time().map_err(unforeseen)?;
    let transfer = Transfer { socket, key, identity, destination, reopen, wait, window, liveness };
    report(&transfer.run(requests, reporter).await?, &name, reporter);
    Ok(())
}

/// Binds the port. One that is taken most likely belongs to another receiver.
fn open_port(args: &Args) -> Result<(UdpSocket, SocketAddr), Failure> {
    let (address, family) = args.listen();
    let socket = bind(address, family).map_err(|error| match error.error.kind() {
        io::ErrorKind::AddrInUse => failure(Cause::Sink, format_args!("{error}; is another xbrecv running? see -l")),
        _ => failure(Cause::Usage, error),
    })?;
    let address = socket.local_addr().map_err(|error| failure(Cause::Unforeseen, error))?;
    Ok((socket, address))
}

/// What a receiver without a key says where it could not show one it made.
const NO_KEY: &str = "there is no key, and no terminal to show a new one on: use --key-file FILE with a key made by \
                      `xbrecv --generate-key FILE`, or set XB_KEY";

fn new_key() -> Result<Key, Failure> {
    Ok(Key::new(random().map_err(|error| failure(Cause::Unforeseen, error))?))
}

/// Shows what to run on the source host, with the key it will ask for.
fn invite(key: &Key, address: SocketAddr, reporter: &Reporter) {
    let host = match address.ip().is_unspecified() {
        true => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        false => address.ip().to_string(),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    reporter.tell(Event::Invite { command: format!("xbsend {host}:{}", address.port()), key: key.clone() });
}

fn report(done: &Done, name: &str, reporter: &Reporter) {
    for lane in &done.receipt.lanes {
        reporter.tell(Event::Checksum { name: name.to_owned(), sum: lane.sum, lane: lane.lane });
    }
    if done.acknowledged == Acknowledged::ByNobody {
        let words = "the backup is committed, but the sender has not acknowledged the receipt";
        reporter.tell(Event::Warning(words.to_owned()));
    }
    reporter.tell(Event::Finished(Summary::of(&done.receipt, done.elapsed)));
}

/// Makes the destination anew for a session that takes another's place.
fn reopening(args: Args, reporter: Reporter) -> Reopen {
    Box::new(move || destination::open(&args, &reporter))
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    failure(Cause::Unforeseen, error)
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Receiver, error)
}
