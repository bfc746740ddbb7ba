//! The sockets of a port: of UDP, and of TCP under the same number.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use super::Transport;
use crate::cli::{Event, PortChoice, Reporter, program_name};
use crate::failure::{Cause, Failure, Party};
use crate::quic::{Family, SocketError, bind};
use crate::tcp;

/// How many free UDP ports are tried whose TCP port is not free.
const PAIRS: usize = 16;

/// The sockets of a port.
#[derive(Debug)]
pub struct Sockets {
    /// For QUIC.
    pub udp: UdpSocket,
    /// For links over TCP, if it could be had, and is wished.
    pub tcp: Option<TcpListener>,
    /// Over what whoever comes is answered.
    pub transport: Transport,
}

/// QUIC alone.
impl From<UdpSocket> for Sockets {
    fn from(udp: UdpSocket) -> Sockets {
        Sockets { udp, tcp: None, transport: Transport::Quic }
    }
}

/// Binds the port of `own` side; gives the address it really has. A TCP port that belongs to somebody else is no reason
/// to fail, for most senders need none: whoever reads the log is warned. Of ports that are free to choose, one is taken
/// whose TCP port is free too.
///
/// # Errors
/// The failure of the program that cannot have it.
pub fn open_sockets(
    wanted: SocketAddr,
    family: Family,
    transport: Transport,
    own: Party,
    reporter: &Reporter,
) -> Result<(Sockets, SocketAddr), Failure> {
    let attempts = if wanted.port() == 0 { PAIRS } else { 1 };
    let mut missed = None;
    for _ in 0..attempts {
        let (udp, address) = open(wanted, family, own)?;
        if transport == Transport::Quic {
            return Ok((udp.into(), address));
        }
        match tcp::bind(address, family) {
            Ok(tcp) => return Ok((Sockets { udp, tcp: Some(tcp), transport }, address)),
            Err(error) => missed = Some((udp, address, error)),
        }
    }
    let Some((udp, address, error)) = missed else {
        return open(wanted, family, own).map(|(udp, at)| (udp.into(), at));
    };
    match transport {
        Transport::Tcp => Err(cannot_have(own, error)),
        Transport::Auto | Transport::Quic => {
            let words = format!("{error}; only UDP port {} is served, nobody can come over TCP", address.port());
            reporter.tell(Event::Warning(words));
            Ok((udp.into(), address))
        }
    }
}

/// Binds a port of `own` side as it was chosen, at `ip`; gives the address it really has.
///
/// # Errors
/// The failure of the program that can have none of them.
pub fn open_one_of(
    choice: &PortChoice,
    ip: IpAddr,
    family: Family,
    transport: Transport,
    own: Party,
    reporter: &Reporter,
) -> Result<(Sockets, SocketAddr), Failure> {
    let open = |port| open_sockets(SocketAddr::new(ip, port), family, transport, own, reporter);
    let opened = choice.open(open, |failure| failure.cause == Cause::Sink);
    opened.map_err(|failure| match choice {
        PortChoice::Of(range) if failure.cause == Cause::Sink => {
            let words = format!("no port of {range} is free (--ports); the last: {}", failure.reason);
            Failure::new(Cause::Sink, own, words)
        }
        _ => failure,
    })
}

fn open(wanted: SocketAddr, family: Family, own: Party) -> Result<(UdpSocket, SocketAddr), Failure> {
    let socket = bind(wanted, family).map_err(|error| cannot_have(own, error))?;
    let address = socket.local_addr().map_err(|error| Failure::new(Cause::Unforeseen, own, error))?;
    Ok((socket, address))
}

fn cannot_have(own: Party, error: SocketError) -> Failure {
    match error.error.kind() {
        // Most likely it belongs to another one.
        io::ErrorKind::AddrInUse => {
            Failure::new(Cause::Sink, own, format!("{error}; is another {} running? see -l", program_name(own)))
        }
        _ => Failure::new(Cause::Usage, own, error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::mpsc;

    use super::*;
    use crate::cli::{Face, Moment, Screen, Verbosity};

    struct Ear(mpsc::Sender<Event>);

    impl Face for Ear {
        fn show(&mut self, _: Moment, event: &Event) {
            let _ = self.0.send(event.clone());
        }
    }

    /// What is opened at an address, and what is said of it.
    fn opened(at: SocketAddr, transport: Transport) -> (Result<(Sockets, SocketAddr), Failure>, Vec<Event>) {
        let (ear, heard) = mpsc::channel();
        let reporter = Reporter::with_face(Box::new(Ear(ear)), Screen::Elsewhere, Verbosity::Normal);
        let opened = open_sockets(at, Family::V4, transport, Party::Receiver, &reporter);
        reporter.finish();
        (opened, heard.try_iter().collect())
    }

    #[test]
    fn a_port_that_is_free_to_choose_is_free_for_both() {
        let (opened, said) = opened((Ipv4Addr::LOCALHOST, 0).into(), Transport::Auto);
        let (sockets, address) = opened.unwrap();
        assert_eq!(sockets.udp.local_addr().unwrap(), address);
        assert_eq!(sockets.tcp.unwrap().local_addr().unwrap(), address);
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn a_tcp_port_of_somebody_else_is_warned_of_unless_it_is_all_that_is_wished() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let (auto, said) = opened(address, Transport::Auto);
        assert!(auto.unwrap().0.tcp.is_none());
        assert!(matches!(&said[..], [Event::Warning(words)] if words.contains("only UDP port")), "{said:?}");
        let (quic, said) = opened(address, Transport::Quic);
        assert!(quic.unwrap().0.tcp.is_none() && said.is_empty());
        assert_eq!(opened(address, Transport::Tcp).0.unwrap_err().cause, Cause::Sink);
    }
}
