//! The way to the receiver: given by the user, or to one that is started over ssh.

use std::net::IpAddr;

use xbproto::cli::remote::{Company, Far, Forsaken, Leave, Orders, Ssh};
use xbproto::cli::{Event, Reporter, Requests, ask_for_key, given_key};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::Family;
use xbproto::tls::random;

use crate::args::Args;
use crate::far_receiver::arguments;
use crate::route::Route;

/// What the command line says of it.
#[derive(Debug)]
pub(crate) enum Way {
    /// Somebody has started a receiver.
    Given { route: Route, key: Key },
    /// It is to be started.
    OverSsh { ssh: Ssh, orders: Orders },
}

/// A receiver that should be there.
#[derive(Debug)]
pub(crate) struct Contact {
    pub(crate) route: Route,
    pub(crate) key: Key,
    pub(crate) company: Company,
    pub(crate) forsaken: Option<Forsaken>,
}

impl Way {
    /// What `args` say. Asks for the key if there is none.
    pub(crate) fn of(args: &Args, reporter: &Reporter) -> Result<Way, Failure> {
        let destination = args.far.destination().map_err(usage)?;
        match (args.far.ssh.ssh("xbrecv"), destination) {
            (Some(ssh), Some(destination)) => {
                let key = Key::new(random().map_err(|error| failure(Cause::Unforeseen, error))?);
                Ok(Way::OverSsh { ssh, orders: Orders { key, arguments: arguments(args, destination) } })
            }
            _ => {
                let to = args.to.as_deref().unwrap_or_default();
                let route =
                    Route::parse(to, family(args), args.wait.0).map_err(|error| failure(error.cause(), error))?;
                Ok(Way::Given { route, key: key(args, reporter)? })
            }
        }
    }

    /// Starts the receiver, if that is to be done. Call it on a thread that lives as long as the process.
    pub(crate) async fn open(
        self,
        args: &Args,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<Contact, Failure> {
        let (ssh, orders) = match self {
            Way::Given { route, key } => {
                return Ok(Contact { route, key, company: Company::default(), forsaken: None });
            }
            Way::OverSsh { ssh, orders } => (ssh, orders),
        };
        let wait = args.wait.0;
        let (far, listening) = Far::start(ssh, Party::Receiver, &orders, wait, requests, reporter).await?;
        let (attended, forsaken) = far.attend();
        let company = Company::from(attended);
        let route = match args.to.as_deref() {
            Some(to) => Route::parse_to(&listening, to, family(args), wait),
            None => Ok(Route::told(&listening, family(args), wait)),
        };
        match route {
            Ok(route) => Ok(Contact { route, key: orders.key, company, forsaken: Some(forsaken) }),
            Err(error) => {
                let failure = failure(error.cause(), error);
                company.leave(Leave::Failed(&failure), requests).await?;
                Err(failure)
            }
        }
    }
}

fn family(args: &Args) -> Family {
    match args.bind {
        Some(IpAddr::V4(_)) => Family::V4,
        Some(IpAddr::V6(_)) => Family::V6,
        None => args.address.family(),
    }
}

fn key(args: &Args, reporter: &Reporter) -> Result<Key, Failure> {
    match given_key(args.key.key_file.as_deref()).map_err(usage)? {
        Some(given) => {
            given.warning.into_iter().for_each(|warning| reporter.tell(Event::Warning(warning)));
            Ok(given.key)
        }
        None => ask_for_key().map_err(|error| failure(error.cause(), error)),
    }
}

fn usage(error: impl std::fmt::Display) -> Failure {
    failure(Cause::Usage, error)
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
