//! Where this side stands: what the command line says of who dials, made good before anything is run.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use xbproto::cli::{Event, GivenCredentials, ListenOn, Meeting, Reporter, ask_for_key};
use xbproto::contact::{Route, invite, new_key, open_socket};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::quic::Family;
use xbproto::tls::Credentials;

use crate::args::Args;
use crate::way::{Dial, Listen, Way};

/// How long a receiver is looked for if nothing is said.
const WAIT: Duration = Duration::from_secs(30);

/// Where this side stands, and whom it trusts.
pub(crate) struct Stand {
    /// What is shown and demanded.
    pub(crate) credentials: Credentials,
    posture: Posture,
}

enum Posture {
    Dials(Dial),
    Listens { at: SocketAddr, family: Family, wait: Option<Duration>, invites: Invites },
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
        let credentials = match given(args, Meeting::Dialling(&route.host), reporter)? {
            Some(given) => given,
            None => Credentials::shared_key(ask_for_key().map_err(|error| failure(error.cause(), error))?),
        };
        let posture = Posture::Dials(Dial { route, bind: args.way.bind, links: args.way.links });
        Ok(Stand { credentials, posture })
    }

    fn listening(args: &Args, on: ListenOn, reporter: &Reporter) -> Result<Stand, Failure> {
        let (at, family) = on.bind(args.address.family());
        let (credentials, invites) = match given(args, Meeting::Listening, reporter)? {
            Some(given) => (given, Invites::Nobody),
            None => (Credentials::shared_key(new_key(Party::Sender, reporter)?), Invites::WhoeverReads),
        };
        let credentials = credentials.for_listener().map_err(|error| failure(Cause::Unforeseen, error))?;
        let wait = args.way.wait.map(|wait| wait.0);
        Ok(Stand { credentials, posture: Posture::Listens { at, family, wait, invites } })
    }

    /// The way to links of the next session. A port that was free to choose is the same from then on.
    pub(crate) fn way(&mut self, reporter: &Reporter) -> Result<Way, Failure> {
        match &mut self.posture {
            Posture::Dials(dial) => Ok(Way::Dial(dial.clone())),
            Posture::Listens { at, family, wait, invites } => {
                let (socket, address) = open_socket(*at, *family, Party::Sender)?;
                *at = address;
                reporter.tell(Event::Listening { address });
                if let (Invites::WhoeverReads, Some(key)) = (*invites, self.credentials.key()) {
                    invite(Party::Sender, key, address, reporter);
                }
                Ok(Way::Listen(Listen { socket, wait: *wait }))
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
