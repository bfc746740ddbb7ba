//! Where this side stands: what the command line says of who dials, made good before anything is run.

use std::net::IpAddr;
use std::time::Duration;

use xbproto::cli::remote::{Caller, reachable_at};
use xbproto::cli::{Event, GivenCredentials, ListenOn, Meeting, PortChoice, Reporter, ask_for_key};
use xbproto::contact::{Route, Transport, invite, new_key, open_one_of};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::Family;
use xbproto::tls::Credentials;

use crate::args::Args;
use crate::way::{Dial, Listen, Next, Way};

/// How long a receiver is looked for if nothing is said.
const WAIT: Duration = Duration::from_secs(15);

/// Where this side stands, and whom it trusts.
pub(crate) struct Stand {
    /// What is shown and demanded.
    pub(crate) credentials: Credentials,
    posture: Posture,
}

enum Posture {
    Dials(Dial),
    Listens {
        ip: IpAddr,
        port: PortChoice,
        family: Family,
        transport: Transport,
        wait: Option<Duration>,
        invites: Invites,
    },
}

/// Whether somebody has to be told the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Invites {
    Nobody,
    WhoeverReads,
    /// Who has it already, and has to be told where this side is.
    Caller,
}

impl Stand {
    /// The one that was asked for. A key that is missing is asked for, or made where this side listens; whoever has called
    /// over ssh has one.
    pub(crate) fn of(args: &Args, caller: Option<&Caller>, reporter: &Reporter) -> Result<Stand, Failure> {
        match (args.way.listen, &args.way.to) {
            (Some(on), _) => Stand::listening(args, on, caller, reporter),
            (None, to) => Stand::dialing(args, to.as_deref().unwrap_or_default(), reporter),
        }
    }

    fn dialing(args: &Args, to: &str, reporter: &Reporter) -> Result<Stand, Failure> {
        let route = Route::parse(to, family(args), wait(args)).map_err(|error| failure(error.cause(), error))?;
        let credentials = match given(args, Meeting::Dialling(&route.host), reporter)? {
            Some(given) => given,
            None => Credentials::shared_key(ask_for_key().map_err(|error| failure(error.cause(), error))?),
        };
        Ok(Stand::dials(route, credentials, args))
    }

    /// The one from which a receiver that has this key is dialled by this route.
    pub(crate) fn toward(route: Route, key: Key, args: &Args) -> Stand {
        Stand::dials(route, Credentials::shared_key(key), args)
    }

    fn dials(route: Route, credentials: Credentials, args: &Args) -> Stand {
        let route = route.over(args.transport.transport);
        Stand { credentials, posture: Posture::Dials(Dial { route, bind: args.way.bind, links: args.way.links }) }
    }

    fn listening(args: &Args, on: ListenOn, caller: Option<&Caller>, reporter: &Reporter) -> Result<Stand, Failure> {
        let (at, family) = on.bind(args.address.family());
        let (ip, port) = (at.ip(), args.way.ports.clone().map_or(PortChoice::Only(at.port()), PortChoice::Of));
        let given = caller.is_none().then(|| given(args, Meeting::Listening, reporter)).transpose()?.flatten();
        let (credentials, port, invites) = match (caller, given) {
            (Some(caller), _) => (Credentials::shared_key(caller.key.clone()), port.told(), Invites::Caller),
            (None, Some(given)) => (given, port, Invites::Nobody),
            (None, None) => (Credentials::shared_key(new_key(Party::Sender, reporter)?), port, Invites::WhoeverReads),
        };
        let credentials = credentials.for_listener().map_err(|error| failure(Cause::Unforeseen, error))?;
        let (wait, transport) = (args.way.wait.map(|wait| wait.0), args.transport.transport);
        Ok(Stand { credentials, posture: Posture::Listens { ip, port, family, transport, wait, invites } })
    }

    /// The way to links of the next session. A port that was free to choose is the same from then on.
    pub(crate) fn way(&mut self, next: Next, reporter: &Reporter) -> Result<Way, Failure> {
        match &mut self.posture {
            Posture::Dials(dial) => Ok(Way::Dial(dial.clone())),
            Posture::Listens { ip, port, family, transport, wait, invites } => {
                let (sockets, address) = open_one_of(port, *ip, *family, *transport, Party::Sender, reporter)?;
                *port = PortChoice::Only(address.port());
                reporter.tell(Event::Listening { address });
                match (invites, self.credentials.key()) {
                    (Invites::WhoeverReads, Some(key)) => invite(Party::Sender, key, address, reporter),
                    (Invites::Caller, _) => reporter.tell(Event::Reachable { addresses: reachable_at(address) }),
                    (Invites::Nobody | Invites::WhoeverReads, _) => {}
                }
                Ok(Way::Listen(Listen { sockets, wait: *wait, next }))
            }
        }
    }
}

/// The key and the certificates that somebody has provided.
fn given(args: &Args, meeting: Meeting<'_>, reporter: &Reporter) -> Result<Option<Credentials>, Failure> {
    let given = GivenCredentials::read(&args.key, &args.tls, meeting);
    let GivenCredentials { credentials, warnings } = given.map_err(|error| failure(Cause::Usage, error))?;
    warnings.into_iter().for_each(|warning| reporter.tell(Event::Warning(warning)));
    Ok(credentials)
}

/// How long the receiver is looked for.
pub(crate) fn wait(args: &Args) -> Duration {
    args.way.wait.map_or(WAIT, |wait| wait.0)
}

/// Which addresses it may have.
pub(crate) fn family(args: &Args) -> Family {
    match args.way.bind {
        Some(IpAddr::V4(_)) => Family::V4,
        Some(IpAddr::V6(_)) => Family::V6,
        None => args.address.family(),
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
