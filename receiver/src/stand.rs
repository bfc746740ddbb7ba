//! Where this side stands: the key, and the port or the way to the sender, from one backup to the next.

use std::net::SocketAddr;
use std::time::Duration;

use xbproto::cli::remote::{Caller, reachable_at};
use xbproto::cli::{Event, PortChoice, Reporter, ask_for_key, given_key};
use xbproto::contact::{Route, Sockets, invite, new_key, open_one_of, open_sockets};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::bind;
use xbproto::tls::Identity;

use crate::args::Args;
use crate::destination::Destination;
use crate::journal::Presence;
use crate::sink::SinkError;
use crate::way::Way;

/// How long a sender is looked for if nothing is said.
const WAIT: Duration = Duration::from_secs(15);

/// What stays the same from one backup to the next.
pub(crate) struct Stand {
    /// What both sides have: given, or made, asked for or remembered for the first backup.
    key: Option<Key>,
    /// Who has to be told.
    invites: Invites,
    /// What the key's user should change about it.
    warning: Option<String>,
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
    pub(crate) presence: Presence,
}

impl Stand {
    /// With the key that was given, if one was, or that of whoever has called over ssh.
    pub(crate) fn of(args: &Args, caller: Option<&Caller>) -> Result<Stand, Failure> {
        if let Some(caller) = caller {
            let (key, invites) = (Some(caller.key.clone()), Invites::Caller);
            return Ok(Stand { key, invites, warning: None, address: None, sender: None });
        }
        let given = given_key(args.key.key_file.as_deref()).map_err(|error| failure(Cause::Usage, error))?;
        let (key, warning) = given.map_or((None, None), |given| (Some(given.key), given.warning));
        let invites = if key.is_some() { Invites::Nobody } else { Invites::WhoeverReads };
        Ok(Stand { key, invites, warning, address: None, sender: None })
    }

    /// Turns to a sender that was started from here, and has this key.
    pub(crate) fn turn_to(&mut self, sender: Route, key: Key) {
        (self.key, self.sender) = (Some(key), Some(sender));
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
        self.warning.take().into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
        destination.sink.remember(&place.presence).map_err(kept)?;
        Ok(place)
    }

    /// Takes up the key of an earlier run, unless another one was given.
    fn recall(&mut self, destination: &mut Destination) -> Result<(), Failure> {
        let other = |kept: &Key| self.key.as_ref().is_some_and(|key| key.as_bytes() != kept.as_bytes());
        if let Some(recalled) = destination.recalled.take_if(|recalled| other(&recalled.presence.key)) {
            if recalled.session.is_some() {
                let target = destination.sink.target().describe;
                return Err(failure(Cause::Usage, format_args!("{target}: {OTHER_KEY}")));
            }
            destination.sink.forget().map_err(kept)?;
        }
        if let (None, Some(recalled)) = (&self.key, &destination.recalled) {
            self.key = Some(recalled.presence.key.clone());
        }
        Ok(())
    }

    fn listen(&mut self, args: &Args, before: Option<Presence>, reporter: &Reporter) -> Result<Place, Failure> {
        let key = match &self.key {
            Some(key) => key.clone(),
            None => new_key(Party::Receiver, reporter)?,
        };
        let known = self.address.or(before.as_ref().map(|before| before.address));
        let (sockets, address) = open_port(args, self.port(args), known, reporter)?;
        let identity = identity(before)?;
        (self.key, self.address) = (Some(key.clone()), Some(address));
        let way = Way::Listen { identity: identity.clone(), wait: args.way.wait.map(|wait| wait.0) };
        Ok(Place { sockets, way, presence: Presence { key, identity, address } })
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
        let key = match &self.key {
            Some(key) => key.clone(),
            None => ask_for_key().map_err(|error| failure(error.cause(), error))?,
        };
        self.key = Some(key.clone());
        let identity = identity(before)?;
        let address = route.local();
        Ok(Place { sockets: socket.into(), way: Way::Dial { route }, presence: Presence { key, identity, address } })
    }

    /// Tells where the sender will find this side, and the key if nobody can know it.
    pub(crate) fn announce(&self, place: &Place, reporter: &Reporter) {
        let Way::Listen { .. } = place.way else { return };
        reporter.tell(Event::Listening { address: place.presence.address });
        let address = place.presence.address;
        match self.invites {
            Invites::Nobody => {}
            Invites::WhoeverReads => invite(Party::Receiver, &place.presence.key, address, reporter),
            Invites::Caller => reporter.tell(Event::Reachable { addresses: reachable_at(address) }),
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

/// What this side shows: what it has shown before, or something new.
fn identity(before: Option<Presence>) -> Result<Identity, Failure> {
    match before {
        Some(before) => Ok(before.identity),
        None => Identity::one_time().map_err(|error| failure(Cause::Unforeseen, error)),
    }
}

/// What is said when a receiver that was killed is started again with another key.
const OTHER_KEY: &str = "an earlier run that was killed had another key; start it with that one to go on with its session, \
                         or remove the .partial and .partial.journal files beside it to give that up";

fn kept(error: SinkError) -> Failure {
    failure(error.cause(), error)
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Receiver, error)
}
