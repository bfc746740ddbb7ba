//! Starting the sender over ssh, if that is asked for.

use xbproto::cli::remote::{Company, Far, Forsaken, Orders};
use xbproto::cli::{Reporter, Requests};
use xbproto::contact::Route;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::tls::random;

use crate::args::Args;
use crate::far_sender::arguments;
use crate::stand::{Stand, wait};

/// Whoever is at the other end of ssh, on either host.
#[derive(Default)]
pub(crate) struct Others {
    /// The sender that was started.
    pub(crate) company: Company,
    /// Tells when it, or whoever has started this program, is gone.
    pub(crate) gone: Option<Forsaken>,
}

/// Starts the sender, if that is to be done, and takes its side. Call it on a thread that lives as long as the process.
pub(crate) async fn start_sender(
    args: &Args,
    stand: &mut Stand,
    requests: &mut Requests,
    reporter: &Reporter,
) -> Result<Option<Others>, Failure> {
    let Some(ssh) = args.far.ssh.ssh("xbsend") else { return Ok(None) };
    let key = Key::new(random().map_err(|error| failure(Cause::Unforeseen, error))?);
    let orders = Orders { key, arguments: arguments(args) };
    let (far, there) = Far::start(ssh, Party::Sender, &orders, wait(args), requests, reporter).await?;
    let (attended, gone) = far.attend();
    let company = Company::from(attended);
    match Route::over_ssh(&there, args.way.connect.as_deref(), args.address.family(), wait(args)) {
        Ok(route) => {
            stand.turn_to(route, orders.key);
            Ok(Some(Others { company, gone: Some(gone) }))
        }
        Err(error) => Err(company.give_up(failure(error.cause(), error), requests).await),
    }
}

fn failure(cause: Cause, error: impl std::fmt::Display) -> Failure {
    Failure::new(cause, Party::Receiver, error)
}
