//! Where this side stands: what the command line says of who dials, made good before anything is run.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use xbproto::cli::{Event, ListenOn, Reporter, ask_for_key, given_key};
use xbproto::contact::{Route, Transport, invite, new_key, open_sockets};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::Family;
use xbproto::tls::Identity;

use crate::args::Args;
use crate::way::{Dial, Listen, Way};

/// How long a receiver is looked for if nothing is said.
const WAIT: Duration = Duration::from_secs(15);

/// Where this side stands, with what both sides have.
pub(crate) struct Stand {
    /// What both sides have.
    pub(crate) key: Key,
    posture: Posture,
}

enum Posture {
    Dials(Dial),
    Listens {
        at: SocketAddr,
        family: Family,
        transport: Transport,
        identity: Identity,
        wait: Option<Duration>,
        invites: Invites,
    },
}

/// Whether somebody has to be told the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Invites {
    Nobody,
    WhoeverReads,
}

impl Stand {
    /// The one that was asked for. A key that is missing is asked for, or made where this side listens.
    pub(crate) fn of(args: &Args, reporter: &Reporter) -> Result<Stand, Failure> {
        match (args.way.listen, &args.way.to) {
            (Some(on), _) => Stand::listening(args, on, reporter),
            (None, to) => Stand::dialing(args, to.as_deref().unwrap_or_default(), reporter),
        }
    }

    fn dialing(args: &Args, to: &str, reporter: &Reporter) -> Result<Stand, Failure> {
        let wait = args.way.wait.map_or(WAIT, |wait| wait.0);
        let route = Route::parse(to, family(args), wait).map_err(|error| failure(error.cause(), error))?;
        let route = route.over(args.transport.transport);
        let key = match given(args, reporter)? {
            Some(key) => key,
            None => ask_for_key().map_err(|error| failure(error.cause(), error))?,
        };
        Ok(Stand { key, posture: Posture::Dials(Dial { route, bind: args.way.bind, links: args.way.links }) })
    }

    fn listening(args: &Args, on: ListenOn, reporter: &Reporter) -> Result<Stand, Failure> {
        let (at, family) = on.bind(args.address.family());
        let (key, invites) = match given(args, reporter)? {
            Some(key) => (key, Invites::Nobody),
            None => (new_key(Party::Sender, reporter)?, Invites::WhoeverReads),
        };
        let identity = Identity::one_time().map_err(|error| failure(Cause::Unforeseen, error))?;
        let (wait, transport) = (args.way.wait.map(|wait| wait.0), args.transport.transport);
        Ok(Stand { key, posture: Posture::Listens { at, family, transport, identity, wait, invites } })
    }

    /// The way to links of the next session. A port that was free to choose is the same from then on.
    pub(crate) fn way(&mut self, reporter: &Reporter) -> Result<Way, Failure> {
        match &mut self.posture {
            Posture::Dials(dial) => Ok(Way::Dial(dial.clone())),
            Posture::Listens { at, family, transport, identity, wait, invites } => {
                let (sockets, address) = open_sockets(*at, *family, *transport, Party::Sender, reporter)?;
                *at = address;
                reporter.tell(Event::Listening { address });
                if *invites == Invites::WhoeverReads {
                    invite(Party::Sender, &self.key, address, reporter);
                }
                Ok(Way::Listen(Listen { sockets, identity: identity.clone(), wait: *wait }))
            }
        }
    }
}

/// The key that somebody has provided.
fn given(args: &Args, reporter: &Reporter) -> Result<Option<Key>, Failure> {
    let given = given_key(args.key.key_file.as_deref()).map_err(|error| failure(Cause::Usage, error))?;
    Ok(given.map(|given| {
        given.warning.into_iter().for_each(|warning| reporter.tell(Event::Warning(warning)));
        given.key
    }))
}

fn family(args: &Args) -> Family {
    match args.way.bind {
        Some(IpAddr::V4(_)) => Family::V4,
        Some(IpAddr::V6(_)) => Family::V6,
        None => args.address.family(),
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
