//! The program on the far host: its orders, and whoever gave them.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::thread;

use tokio::sync::oneshot;

use super::forsaken::{Forsaken, Gone};
use super::orders::Orders;
use super::ssh::BY_SSH;
use crate::cli::event::program_name;
use crate::cli::listen_on::Times;
use crate::cli::reporter::{Reporter, Verbosity};
use crate::cli::style::ProgressStyle;
use crate::failure::{Cause, Failure, Party};
use crate::key::Key;

/// What sshd tells of its connection: the client's address and port, and the server's.
const CONNECTION: &str = "SSH_CONNECTION";

/// How this program was called.
#[derive(Debug)]
pub struct Invocation {
    /// Its command line, its name first.
    pub words: Vec<OsString>,
    /// Who has started it over ssh, if somebody has.
    pub caller: Option<Caller>,
}

/// Whoever has started this program over ssh.
#[derive(Debug)]
pub struct Caller {
    /// What both sides prove to have.
    pub key: Key,
    /// Tells when the caller is gone.
    pub gone: Forsaken,
}

impl Invocation {
    /// How this process, the program of `own` party, was called: by its command line, or by orders on its standard input,
    /// which are waited for.
    ///
    /// # Errors
    /// What to exit with when there are no such orders. It has been told.
    pub fn of_this_process(own: Party) -> Result<Invocation, ExitCode> {
        let words: Vec<OsString> = std::env::args_os().collect();
        match words.get(1..) {
            Some([only]) if only == BY_SSH => ordered(own).map_err(|failure| {
                let reporter = Reporter::start(own, ProgressStyle::Json, Verbosity::Normal);
                reporter.conclude(Err(failure))
            }),
            _ => Ok(Invocation { words, caller: None }),
        }
    }
}

fn ordered(own: Party) -> Result<Invocation, Failure> {
    let failed = |cause, words: &dyn std::fmt::Display| Failure::new(cause, own, words);
    let mut stdin = io::stdin();
    if stdin.is_terminal() {
        let words = format!("{BY_SSH} is for {} --ssh, which calls it from another host", program_name(own.peer()));
        return Err(failed(Cause::Usage, &words));
    }
    let orders = Orders::read(&mut stdin).map_err(|error| failed(Cause::Refused, &error))?;
    let words = std::iter::once(program_name(own).into()).chain(orders.arguments).collect();
    let (tell, gone) = oneshot::channel();
    let watch = thread::Builder::new().name("caller".to_owned()).spawn(move || {
        // An error says the same: nobody is there.
        let _ = io::copy(&mut stdin, &mut io::sink());
        let reason = "the ssh connection ended before the session began";
        let _ = tell.send(Gone { failure: Failure::new(Cause::PeerLost, own, reason), otherwise: None });
    });
    watch.map_err(|error| failed(Cause::Unforeseen, &error))?;
    Ok(Invocation { words, caller: Some(Caller { key: orders.key, gone: Forsaken(gone) }) })
}

/// How many backups the program of `own` party moves that is asked for `times`; a `caller` comes for one.
///
/// # Errors
/// When a caller is to be followed by others: the program would outlive what it was started for.
pub fn times_for(caller: Option<&Caller>, times: Option<Times>, own: Party) -> Result<Times, Failure> {
    match (caller, times.unwrap_or(Times::ONCE)) {
        (Some(_), times) if times != Times::ONCE => {
            let words = "over ssh one backup is moved, so that --times is of no use; -M --times=1 has more weight than \
                         a configuration file there";
            Err(Failure::new(Cause::Usage, own, words))
        }
        (_, times) => Ok(times),
    }
}

/// Where a program that listens at `address` may be reached by whoever came over ssh. Where that is not known, it is
/// `address` itself.
pub fn reachable_at(address: SocketAddr) -> Vec<SocketAddr> {
    let connection = std::env::var(CONNECTION).unwrap_or_default();
    let ip = if address.ip().is_unspecified() { servers_address(&connection) } else { None };
    vec![ip.map_or(address, |ip| SocketAddr::new(ip, address.port()))]
}

/// The server's address in what sshd tells; none of a link alone, which says nothing on another host.
fn servers_address(connection: &str) -> Option<IpAddr> {
    let ip: IpAddr = connection.split(' ').nth(2)?.parse().ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_ssh_came_to_is_found() {
        let found = |text| servers_address(text).map(|ip| ip.to_string());
        assert_eq!(found("192.0.2.1 40000 192.0.2.7 22").as_deref(), Some("192.0.2.7"));
        assert_eq!(found("::1 40000 ::ffff:192.0.2.7 22").as_deref(), Some("192.0.2.7"));
        assert_eq!(found("2001:db8::1 40000 2001:db8::7 22").as_deref(), Some("2001:db8::7"));
        assert_eq!(found("fe80::1%eth0 40000 fe80::7%eth0 22"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_caller_is_served_once() {
        let caller = Caller { key: Key::new([7; 16]), gone: Forsaken(oneshot::channel().1) };
        let times = |caller, times: &str| times_for(caller, times.parse().ok(), Party::Receiver);
        assert_eq!(times(Some(&caller), "0").unwrap_err().cause, Cause::Usage);
        assert_eq!(times(Some(&caller), "1"), Ok(Times::ONCE));
        assert_eq!(times_for(Some(&caller), None, Party::Sender), Ok(Times::ONCE));
        assert_eq!(times(None, "0"), Ok(Times::ForEver));
    }

    #[test]
    fn an_address_that_was_chosen_is_kept() {
        let chosen: SocketAddr = "192.0.2.7:9999".parse().unwrap();
        assert_eq!(reachable_at(chosen), [chosen]);
    }
}
