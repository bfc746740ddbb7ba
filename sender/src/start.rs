//! Whether the receiver has to be started first, over ssh.

use xbproto::cli::remote::{Caller, Company, Far, Forsaken, Orders, Ssh};
use xbproto::cli::{Reporter, Requests};
use xbproto::contact::Route;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::tls::random;

use crate::args::Args;
use crate::far_receiver::arguments;
use crate::stand::{Stand, family, wait};

/// What there is before anything is run.
pub(crate) enum Start {
    /// Where this side stands.
    Stands(Stand),
    /// A receiver to be started first.
    OverSsh {
        /// How.
        ssh: Ssh,
        /// What it is told.
        orders: Orders,
    },
}

/// Whoever is at the other end of ssh, on either host.
#[derive(Default)]
pub(crate) struct Others {
    /// The receiver that was started.
    pub(crate) company: Company,
    /// Tells when it, or whoever has started this program, is gone.
    pub(crate) gone: Option<Forsaken>,
}

impl Start {
    /// What `args` ask for. A key that is missing is asked for.
    pub(crate) fn of(args: &Args, caller: Option<&Caller>, reporter: &Reporter) -> Result<Start, Failure> {
        let destination = args.far.destination().map_err(|error| failure(Cause::Usage, error))?;
        match (args.far.ssh.ssh("xbrecv"), destination) {
            (Some(ssh), Some(destination)) => {
                let key = Key::new(random().map_err(|error| failure(Cause::Unforeseen, error))?);
                Ok(Start::OverSsh { ssh, orders: Orders { key, arguments: arguments(args, destination) } })
            }
            _ => Stand::of(args, caller, reporter).map(Start::Stands),
        }
    }

    /// Starts the receiver, if that is to be done. Call it on a thread that lives as long as the process.
    pub(crate) async fn make(
        self,
        args: &Args,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<(Stand, Others), Failure> {
        let (ssh, orders) = match self {
            Start::Stands(stand) => return Ok((stand, Others::default())),
            Start::OverSsh { ssh, orders } => (ssh, orders),
        };
        let (far, there) = Far::start(ssh, Party::Receiver, &orders, wait(args), requests, reporter).await?;
        let (attended, gone) = far.attend();
        let company = Company::from(attended);
        match Route::over_ssh(&there, args.way.to.as_deref(), family(args), wait(args)) {
            Ok(route) => Ok((Stand::toward(route, orders.key, args), Others { company, gone: Some(gone) })),
            Err(error) => Err(company.give_up(failure(error.cause(), error), requests).await),
        }
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Sender, error)
}
