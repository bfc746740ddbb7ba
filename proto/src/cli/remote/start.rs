//! Starting a far program, until it listens.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::account::Account;
use super::far::{Far, Heard};
use super::orders::Orders;
use super::said::Said;
use super::ssh::{Effective, Ssh};
use crate::cli::event::{Event, program_name};
use crate::cli::reporter::Reporter;
use crate::cli::requests::{Request, Requests};
use crate::failure::{Cause, Failure, Party};
use crate::quantity::Span;

/// How long the far program may take to listen, if no longer --wait was given: as long as sshd gives people to type
/// their password.
const START: Duration = Duration::from_secs(120);

/// A far program that listens.
#[derive(Debug)]
pub struct Listening {
    /// As the host is spoken of.
    pub label: String,
    /// Its name or address, as ssh has resolved its aliases.
    pub host: String,
    /// Where the program says that it may be reached; at least one, and its port is right.
    pub addresses: Vec<SocketAddr>,
}

impl Listening {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }
}

impl Far {
    /// Starts the program of the `far` party by `ssh`, hands it its orders, and waits until it listens. Call it on a thread
    /// that lives as long as the process: ssh dies with it. `wait` is what the user allows for reaching the other host.
    ///
    /// # Errors
    /// The [`Failure`] of a program that never listened. Nothing is left running then, here or there.
    pub async fn start(
        ssh: Ssh,
        far: Party,
        orders: &Orders,
        wait: Duration,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<(Far, Listening), Failure> {
        let own = far.peer();
        let told = orders.encode().map_err(|error| Failure::new(Cause::Usage, own, error))?;
        reporter.tell(Event::Notice(format!("starting {} on {} over ssh", program_name(far), ssh.label())));
        let effective = effective(&ssh, requests).await?;
        let label = ssh.label().to_owned();
        let host = effective.host.clone().unwrap_or_else(|| label.clone());
        let mut far = Far::spawn(Account::new(ssh, far, orders.afterwards()), &effective, told, reporter)?;
        match far.until_it_listens(wait.max(START), requests).await {
            Ok(addresses) => Ok((far, Listening { label, host, addresses })),
            Err(failure) => {
                far.end(Duration::ZERO, requests).await;
                Err(failure)
            }
        }
    }

    async fn until_it_listens(&mut self, limit: Duration, requests: &mut Requests) -> Result<Vec<SocketAddr>, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            tokio::select! {
                biased;
                heard = self.hear() => match heard {
                    Heard::Line(Said::Reachable(addresses)) => return Ok(addresses),
                    Heard::Line(said) => self.note(said),
                    Heard::End(status) => return Err(self.account.never_ready(status)),
                },
                request = requests.next() => match request {
                    Request::End(failure) => return Err(failure),
                    Request::Report => self.reporter.tell(Event::Notice("waiting for ssh".to_owned())),
                    // Whoever gives it hears that nobody takes it.
                    Request::Order(_) => {}
                },
                () = sleep_until(deadline) => return Err(self.account.too_slow(Span(limit))),
            }
        }
    }
}

/// What ssh knows of the host, unless somebody asks for the end meanwhile.
async fn effective(ssh: &Ssh, requests: &mut Requests) -> Result<Effective, Failure> {
    tokio::select! {
        biased;
        Request::End(failure) = requests.next() => Err(failure),
        effective = ssh.effective() => Ok(effective),
    }
}

#[cfg(test)]
mod tests;
