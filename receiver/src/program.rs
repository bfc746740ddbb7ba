//! The program: from its command line to its exit code.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;

use xbproto::cli::{Event, Meeting, Reporter, Requests, Summary, generate_key_file, given_key};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::bind;
use xbproto::tls::{Credentials, Identity, random};

use crate::after::AfterCommit;
use crate::args::Args;
use crate::destination::{self, Destination, StreamNames};
use crate::journal::Presence;
use crate::local;
use crate::sink::{Again, SinkError};
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
    if !args.local.from.is_empty() {
        return local::run(&args, reporter).await;
    }
    let given = Given::read(&args)?;
    let mut requests =
        Requests::listen(Party::Receiver, args.session.deadline.map(|span| span.0)).map_err(unforeseen)?;
    let mut destination = open(&args, reporter)?;
    let after = AfterCommit::requested(&args).map_err(|error| failure(Cause::Usage, error))?;
    let (socket, presence) = take_place(&args, &given, &mut destination, reporter)?;
    given.warnings.iter().for_each(|words| reporter.tell(Event::Warning(words.clone())));
    reporter.tell(Event::Listening { address: presence.address });
    if let (Given { credentials: None, .. }, Some(key)) = (&given, &presence.key) {
        invite(key, presence.address, reporter);
    }
    let (names, target) = (destination.names.clone(), destination.sink.target().describe);
    let reopen = reopening(&args, &destination, &presence, reporter);
    let (window, liveness, wait) = (args.session.window, args.session.peer_timeout, args.wait.map(|wait| wait.0));
    let credentials = given.credentials(&presence)?;
    let transfer = Transfer { socket, credentials, destination, reopen, wait, window, liveness };
    let done = transfer.run(&mut requests, reporter).await?;
    report(&done, &names, reporter);
    reporter.leaves(format!("the committed backup, {target}"));
    after.run(&done.receipt, &mut requests, reporter).await.map_err(|error| error.failure())?;
    reporter.tell(Event::Finished(Summary::of(&done.receipt, done.elapsed, done.before, done.limited)));
    Ok(())
}

/// What the user has said of whom to trust.
struct Given {
    /// Nothing if a key is to be made and shown.
    credentials: Option<Credentials>,
    warnings: Vec<String>,
}

impl Given {
    fn read(args: &Args) -> Result<Given, Failure> {
        let given = given_key(args.key.key_file.as_deref()).map_err(|error| failure(Cause::Usage, error))?;
        let (key, warning) = given.map_or((None, None), |given| (Some(given.key), given.warning));
        let certified = args.tls.credentials(key.clone(), Meeting::Listening);
        let certified = certified.map_err(|error| failure(Cause::Usage, error))?;
        let warnings = warning.into_iter().chain(args.tls.warning()).collect();
        Ok(Given { credentials: certified.or(key.map(Credentials::shared_key)), warnings })
    }

    /// Whether an earlier run with this key, or without one, may have been given the same.
    fn may_be(&self, kept: Option<&Key>) -> bool {
        match &self.credentials {
            Some(given) => given.key().map(Key::as_bytes) == kept.map(Key::as_bytes),
            // One that was made and shown is kept.
            None => kept.is_some(),
        }
    }

    /// Whether a certificate was given to be shown.
    fn shows_its_own(&self) -> bool {
        self.credentials.as_ref().is_some_and(|given| given.identity().is_some())
    }

    /// What holds at `presence`.
    fn credentials(&self, presence: &Presence) -> Result<Credentials, Failure> {
        let given = self.credentials.clone().or(presence.key.clone().map(Credentials::shared_key));
        let given = given.ok_or_else(|| failure(Cause::Usage, OTHER_KEY))?;
        Ok(presence.identity.clone().into_iter().fold(given, Credentials::showing))
    }
}

fn open(args: &Args, reporter: &Reporter) -> Result<Destination, Failure> {
    let id = u64::from_be_bytes(random().map_err(unforeseen)?);
    let opened = destination::open(args, id, args.session.window, reporter);
    opened.map_err(|error| failure(error.cause(), error))
}

/// Takes the place where the sender will look: the one of an earlier run for the same destination if that was killed,
/// else a new one. What the destination needs to be found there again is kept with it.
fn take_place(
    args: &Args,
    given: &Given,
    destination: &mut Destination,
    reporter: &Reporter,
) -> Result<(UdpSocket, Presence), Failure> {
    let kept = |error: SinkError| failure(error.cause(), error);
    let other = |kept: &Presence| !given.may_be(kept.key.as_ref());
    if let Some(recalled) = destination.recalled.take_if(|recalled| other(&recalled.presence)) {
        if recalled.session.is_some() {
            let target = destination.sink.target().describe;
            return Err(failure(Cause::Usage, format_args!("{target}: {OTHER_KEY}")));
        }
        destination.sink.forget().map_err(kept)?;
    }
    let before = destination.recalled.as_ref().map(|recalled| recalled.presence.clone());
    let key = match (&given.credentials, &before) {
        (Some(given), _) => given.key().cloned(),
        (None, Some(before)) => before.key.clone(),
        (None, None) if reporter.can_invite() => Some(new_key()?),
        (None, None) => return Err(failure(Cause::Usage, NO_KEY)),
    };
    let (socket, address) = open_port(args, before.as_ref().map(|before| before.address), reporter)?;
    let identity = match before.and_then(|before| before.identity) {
        _ if given.shows_its_own() => None,
        Some(identity) => Some(identity),
        None => Some(Identity::one_time().map_err(unforeseen)?),
    };
    let presence = Presence { key, identity, address };
    destination.sink.remember(&presence).map_err(kept)?;
    Ok((socket, presence))
}

/// Binds the port. Any free one is the one of `before` if it can be had: there the sender looks.
fn open_port(args: &Args, before: Option<SocketAddr>, reporter: &Reporter) -> Result<(UdpSocket, SocketAddr), Failure> {
    let (address, family) = args.listen();
    let wanted = match before {
        Some(before) if address.port() == 0 => SocketAddr::new(address.ip(), before.port()),
        _ => address,
    };
    let socket = bind(wanted, family).or_else(|error| match wanted == address {
        true => Err(error),
        false => {
            reporter.tell(Event::Warning(format!("{error}; the sender of the earlier run will look there in vain")));
            bind(address, family)
        }
    });
    let socket = socket.map_err(|error| match error.error.kind() {
        // Most likely it belongs to another receiver.
        io::ErrorKind::AddrInUse => failure(Cause::Sink, format_args!("{error}; is another xbrecv running? see -l")),
        _ => failure(Cause::Usage, error),
    })?;
    let address = socket.local_addr().map_err(unforeseen)?;
    Ok((socket, address))
}

/// How the destination is made anew for a session that takes another's place, if it can be.
fn reopening(args: &Args, destination: &Destination, presence: &Presence, reporter: &Reporter) -> Option<Reopen> {
    if destination.sink.again() == Again::Impossible {
        return None;
    }
    let (args, presence, reporter) = (args.clone(), presence.clone(), reporter.clone());
    Some(Box::new(move || {
        let mut destination = open(&args, &reporter)?;
        destination.recalled = None;
        destination.sink.remember(&presence).map_err(|error| failure(error.cause(), error))?;
        Ok(destination)
    }))
}

/// What is said when a receiver that was killed is started again with another key.
const OTHER_KEY: &str = "an earlier run that was killed had another key; start it with that one to go on with its session, \
                         or remove the .partial and .partial.journal files beside it to give that up";

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

fn report(done: &Done, names: &StreamNames, reporter: &Reporter) {
    for lane in &done.receipt.lanes {
        let name = names.of(lane.lane, done.receipt.lanes.len());
        reporter.tell(Event::Checksum { name, sum: lane.sum, lane: lane.lane });
    }
    if !done.receipt.facts.is_empty() {
        reporter.tell(Event::Backup(done.receipt.facts.clone()));
    }
    if done.acknowledged == Acknowledged::ByNobody {
        let words = "the backup is committed, but the sender has not acknowledged the receipt";
        reporter.tell(Event::Warning(words.to_owned()));
    }
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    failure(Cause::Unforeseen, error)
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Receiver, error)
}
