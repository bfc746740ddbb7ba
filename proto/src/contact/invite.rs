//! What a listener needs before anybody can come: a port, a key, and a word to whoever runs the other side.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::cli::{Event, PortChoice, Reporter, program_name};
use crate::failure::{Cause, Failure, Party};
use crate::key::Key;
use crate::quic::{Family, bind};
use crate::tls::random;

/// Binds the port of `own` side; gives the address it really has.
///
/// # Errors
/// The failure of the program that cannot have it.
pub fn open_socket(wanted: SocketAddr, family: Family, own: Party) -> Result<(UdpSocket, SocketAddr), Failure> {
    let socket = bind(wanted, family).map_err(|error| match error.error.kind() {
        // Most likely it belongs to another one.
        io::ErrorKind::AddrInUse => {
            let words = format!("{error}; is another {} running? see -l", program_name(own));
            Failure::new(Cause::Sink, own, words)
        }
        _ => Failure::new(Cause::Usage, own, error),
    })?;
    let address = socket.local_addr().map_err(|error| Failure::new(Cause::Unforeseen, own, error))?;
    Ok((socket, address))
}

/// Binds a port of `own` side as it was chosen, at `ip`; gives the address it really has.
///
/// # Errors
/// The failure of the program that can have none of them.
pub fn open_one_of(
    choice: &PortChoice,
    ip: IpAddr,
    family: Family,
    own: Party,
) -> Result<(UdpSocket, SocketAddr), Failure> {
    let open = |port| open_socket(SocketAddr::new(ip, port), family, own);
    let opened = choice.open(open, |failure| failure.cause == Cause::Sink);
    opened.map_err(|failure| match choice {
        PortChoice::Of(range) if failure.cause == Cause::Sink => {
            let words = format!("no port of {range} is free (--ports); the last: {}", failure.reason);
            Failure::new(Cause::Sink, own, words)
        }
        _ => failure,
    })
}

/// A key that nobody has seen, if there is a terminal to show it on.
///
/// # Errors
/// The failure of a program that was given none.
pub fn new_key(own: Party, reporter: &Reporter) -> Result<Key, Failure> {
    if !reporter.can_invite() {
        return Err(Failure::new(Cause::Usage, own, NO_KEY));
    }
    random().map(Key::new).map_err(|error| Failure::new(Cause::Unforeseen, own, error))
}

/// What a listener without a key says where it could not show one it made.
const NO_KEY: &str = "there is no key, and no terminal to show a new one on: use --key-file FILE with a key made by \
                      `xbrecv --generate-key FILE`, or set XB_KEY";

/// Shows what to run on the host of the other side, with the key it will ask for.
pub fn invite(own: Party, key: &Key, address: SocketAddr, reporter: &Reporter) {
    let host = match address.ip().is_unspecified() {
        true => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        false => address.ip().to_string(),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let program = match own {
        Party::Receiver => "xbsend",
        Party::Sender => "xbrecv -x -C DIR --connect",
    };
    reporter.tell(Event::Invite { command: format!("{program} {host}:{}", address.port()), key: key.clone() });
}
