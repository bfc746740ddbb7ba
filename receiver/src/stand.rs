//! Where this side stands: whom it trusts, and the port or the way to the sender, from one backup to the next.

use std::net::SocketAddr;
use std::time::Duration;

use xbproto::cli::remote::{Caller, reachable_at};
use xbproto::cli::{Event, GivenCredentials, Meeting, PortChoice, Reporter, ask_for_key};
use xbproto::contact::{Route, Sockets, invite, new_key, open_one_of, open_sockets};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::bind;
use xbproto::tls::{Credentials, Identity};

use crate::args::Args;
use crate::destination::Destination;
use crate::journal::Presence;
use crate::sink::SinkError;
use crate::way::Way;

/// How long a sender is looked for if nothing is said.
const WAIT: Duration = Duration::from_secs(15);

/// What stays the same from one backup to the next.
pub(crate) struct Stand {
    /// What is shown and demanded: given, or with a key that was made, asked for or remembered for the first backup.
    credentials: Option<Credentials>,
    /// Who has to be told.
    invites: Invites,
    /// What should be changed about what was given.
    warnings: Vec<String>,
    /// Where the first backup's port was.
    address: Option<SocketAddr>,
    /// The way to a sender that was started from here.
    sender: Option<Route>,
}

/// Whether somebody has to be told the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Invites {
    Nobody,
    WhoeverReads,
    /// Who has it already, and has to be told where this side is.
    Caller,
}

/// What one backup comes by.
pub(crate) struct Place {
    pub(crate) sockets: Sockets,
    pub(crate) way: Way,
    pub(crate) credentials: Credentials,
    pub(crate) presence: Presence,
}

impl Stand {
    /// With the key and the certificates that were given, if any were, or the key of whoever has called over ssh.
    pub(crate) fn of(args: &Args, caller: Option<&Caller>) -> Result<Stand, Failure> {
        let mut stand =
            Stand { credentials: None, invites: Invites::Caller, warnings: Vec::new(), address: None, sender: None };
        if let Some(caller) = caller {
            stand.credentials = Some(Credentials::shared_key(caller.key.clone()));
            return Ok(stand);
        }
        let route = stand.route(args)?;
        let meeting = route.as_ref().map_or(Meeting::Listening, |route| Meeting::Dialling(&route.host));
        let given = GivenCredentials::read(&args.key, &args.tls, meeting);
        let GivenCredentials { credentials, warnings } = given.map_err(|error| failure(Cause::Usage, error))?;
        let invites = if credentials.is_some() { Invites::Nobody } else { Invites::WhoeverReads };
        Ok(Stand { credentials, invites, warnings, ..stand })
    }

    /// Turns to a sender that was started from here, and has this key.
    pub(crate) fn turn_to(&mut self, sender: Route, key: Key) {
        (self.credentials, self.sender) = (Some(Credentials::shared_key(key)), Some(sender));
    }

    /// Takes the place where the sender will look, or from where it is dialled: that of an earlier run for the same
    /// destination if that was killed, else a new one. What the destination needs to be found there again is kept with it.
    pub(crate) fn take(
        &mut self,
        args: &Args,
        destination: &mut Destination,
        reporter: &Reporter,
    ) -> Result<Place, Failure> {
        self.recall(destination)?;
        let before = destination.recalled.as_ref().map(|recalled| recalled.presence.clone());
        let place = match self.route(args)? {
            Some(route) => self.dial(args, route, before)?,
            None => self.listen(args, before, reporter)?,
        };
        std::mem::take(&mut self.warnings).into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
        destination.sink.remember(&place.presence).map_err(kept)?;
        Ok(place)
    }

    /// Takes up the key of an earlier run, unless another one was given.
    fn recall(&mut self, destination: &mut Destination) -> Result<(), Failure> {
        let other = |kept: Option<&Key>| match &self.credentials {
            Some(given) => given.key().map(Key::as_bytes) != kept.map(Key::as_bytes),
            // One that was made and shown is kept.
            None => kept.is_none(),
        };
        if let Some(recalled) = destination.recalled.take_if(|recalled| other(recalled.presence.key.as_ref())) {
            if recalled.session.is_some() {
                let target = destination.sink.target().describe;
                return Err(failure(Cause::Usage, format_args!("{target}: {}", self.other_key())));
            }
            destination.sink.forget().map_err(kept)?;
        }
        if let (None, Some(recalled)) = (&self.credentials, &destination.recalled) {
            self.credentials = recalled.presence.key.clone().map(Credentials::shared_key);
        }
        Ok(())
    }

    /// What is said when a receiver that was killed is started again with another key.
    fn other_key(&self) -> &'static str {
        match (self.invites, &self.sender) {
            (Invites::Caller, _) | (_, Some(_)) => ONE_TIME_KEY,
            (Invites::Nobody | Invites::WhoeverReads, None) => OTHER_KEY,
        }
    }

    fn listen(&mut self, args: &Args, before: Option<Presence>, reporter: &Reporter) -> Result<Place, Failure> {
        let credentials = match &self.credentials {
            Some(credentials) => credentials.clone(),
            None => Credentials::shared_key(new_key(Party::Receiver, reporter)?),
        };
        let known = self.address.or(before.as_ref().map(|before| before.address));
        let (sockets, address) = open_port(args, self.port(args), known, reporter)?;
        (self.credentials, self.address) = (Some(credentials.clone()), Some(address));
        let way = Way::Listen { wait: args.way.wait.map(|wait| wait.0) };
        place(sockets, way, credentials, address, before)
    }

    /// Which port to listen on. Whoever has called is told.
    fn port(&self, args: &Args) -> PortChoice {
        match self.invites {
            Invites::Caller => args.way.port().told(),
            Invites::Nobody | Invites::WhoeverReads => args.way.port(),
        }
    }

    /// The way to the sender, if this side dials.
    fn route(&self, args: &Args) -> Result<Option<Route>, Failure> {
        let given = args.way.connect.as_deref().filter(|_| self.sender.is_none());
        let given = given.map(|sender| Route::parse(sender, args.address.family(), wait(args))).transpose();
        Ok(given.map_err(|error| failure(error.cause(), error))?.or_else(|| self.sender.clone()))
    }

    fn dial(&mut self, args: &Args, route: Route, before: Option<Presence>) -> Result<Place, Failure> {
        let route = route.over(args.transport.transport);
        let socket = bind(route.local(), args.address.family()).map_err(|error| failure(Cause::Unforeseen, error))?;
        let credentials = match &self.credentials {
            Some(credentials) => credentials.clone(),
            None => Credentials::shared_key(ask_for_key().map_err(|error| failure(error.cause(), error))?),
        };
        self.credentials = Some(credentials.clone());
        let address = route.local();
        place(socket.into(), Way::Dial { route }, credentials, address, before)
    }

    /// Tells where the sender will find this side, and the key if nobody can know it.
    pub(crate) fn announce(&self, place: &Place, reporter: &Reporter) {
        let Way::Listen { .. } = place.way else { return };
        reporter.tell(Event::Listening { address: place.presence.address });
        let address = place.presence.address;
        match (self.invites, &place.presence.key) {
            (Invites::WhoeverReads, Some(key)) => invite(Party::Receiver, key, address, reporter),
            (Invites::Caller, _) => reporter.tell(Event::Reachable { addresses: reachable_at(address) }),
            (Invites::Nobody | Invites::WhoeverReads, _) => {}
        }
    }
}

/// How long a sender is looked for.
pub(crate) fn wait(args: &Args) -> Duration {
    args.way.wait.map_or(WAIT, |wait| wait.0)
}

/// Binds the port. Any free one is the one that is `known` already if it can be had: there the sender looks.
fn open_port(
    args: &Args,
    port: PortChoice,
    known: Option<SocketAddr>,
    reporter: &Reporter,
) -> Result<(Sockets, SocketAddr), Failure> {
    let (ip, family) = args.way.listen(args.address.family());
    let transport = args.transport.transport;
    let known = known.filter(|_| port == PortChoice::Only(0)).map(|known| SocketAddr::new(ip, known.port()));
    match known.map(|known| open_sockets(known, family, transport, Party::Receiver, reporter)) {
        Some(Ok(opened)) => return Ok(opened),
        Some(Err(Failure { reason, .. })) => {
            reporter.tell(Event::Warning(format!("{reason}; the sender of the earlier run will look there in vain")));
        }
        None => {}
    }
    open_one_of(&port, ip, family, transport, Party::Receiver, reporter)
}

/// A place where this side shows the certificate that it was given, or, if it listens, the one that it has shown before, or
/// a new one.
fn place(
    sockets: Sockets,
    way: Way,
    credentials: Credentials,
    address: SocketAddr,
    before: Option<Presence>,
) -> Result<Place, Failure> {
    let identity = match (&way, before.and_then(|before| before.identity)) {
        (Way::Dial { .. }, _) => None,
        _ if credentials.identity().is_some() => None,
        (Way::Listen { .. }, Some(identity)) => Some(identity),
        (Way::Listen { .. }, None) => Some(Identity::one_time().map_err(|error| failure(Cause::Unforeseen, error))?),
    };
    let presence = Presence { key: credentials.key().cloned(), identity: identity.clone(), address };
    let credentials = identity.into_iter().fold(credentials, Credentials::showing);
    Ok(Place { sockets, way, credentials, presence })
}

/// Where there may be the other key.
const OTHER_KEY: &str = "an earlier run that was killed had another key; start it with that one to go on with its session, \
                         or remove the .partial and .partial.journal files beside it to give that up";

/// Where one side has started the other over ssh, with a key that nobody has twice.
const ONE_TIME_KEY: &str = "an earlier run that was killed had another key, and over ssh each transfer has one of its own; \
                            remove the .partial and .partial.journal files beside it on the host of the receiver to begin anew";

fn kept(error: SinkError) -> Failure {
    failure(error.cause(), error)
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Receiver, error)
}
