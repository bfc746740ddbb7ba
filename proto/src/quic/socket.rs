//! UDP sockets for endpoints.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::buffers;

/// Which versions of IP to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Whatever there is.
    #[default]
    Any,
    /// Only IPv4.
    V4,
    /// Only IPv6.
    V6,
}

impl Family {
    /// Whether an address is of this family.
    pub fn has(self, address: &SocketAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }

    /// The address that stands for all addresses of this host, with `port`.
    pub fn unspecified(self, port: u16) -> SocketAddr {
        match self {
            Family::V4 => (Ipv4Addr::UNSPECIFIED, port).into(),
            Family::Any | Family::V6 => (Ipv6Addr::UNSPECIFIED, port).into(),
        }
    }
}

/// A socket could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{protocol} {address}: {error}")]
pub struct SocketError {
    /// UDP or TCP.
    pub protocol: &'static str,
    /// Where it should have been bound.
    pub address: SocketAddr,
    /// What the system said.
    pub error: io::Error,
}

/// Binds `address`. The unspecified IPv6 address serves IPv4 as well under [`Family::Any`], and
/// on a host without IPv6 becomes the unspecified IPv4 address.
///
/// # Errors
/// [`SocketError`], for example when the port is taken.
pub fn bind(address: SocketAddr, family: Family) -> Result<UdpSocket, SocketError> {
    bind_by("UDP", address, family, open)
}

/// Binds `address` as [`bind`] does, with sockets of the `protocol` that `open` makes.
pub(crate) fn bind_by<S>(
    protocol: &'static str,
    address: SocketAddr,
    family: Family,
    open: impl Fn(SocketAddr, Family) -> io::Result<S>,
) -> Result<S, SocketError> {
    match open(address, family) {
        Err(error) if family == Family::Any && address.ip() == Ipv6Addr::UNSPECIFIED && no_ipv6(&error) => {
            let address = Family::V4.unspecified(address.port());
            open(address, family).map_err(|error| SocketError { protocol, address, error })
        }
        result => result.map_err(|error| SocketError { protocol, address, error }),
    }
}

fn open(address: SocketAddr, family: Family) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.cloexec(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(family == Family::V6)?;
    }
    socket.bind(&address.into())?;
    buffers::enlarge(&socket);
    Ok(socket.into())
}

/// Whether the host cannot do IPv6 at all (and not merely has the port taken).
fn no_ipv6(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let taken = bind((Ipv4Addr::LOCALHOST, 0).into(), Family::Any).expect("a free port");
        let address = taken.local_addr().expect("an address");
        let error = bind(address, Family::Any).expect_err("taken");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn all_addresses_serve_both_families() {
        let socket = bind(Family::Any.unspecified(0), Family::Any).expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a client");
        client.send_to(b"x", (Ipv4Addr::LOCALHOST, port)).expect("sent");
        let mut buffer = [0; 8];
        assert_eq!(socket.recv_from(&mut buffer).expect("received").0, 1);
    }
}
