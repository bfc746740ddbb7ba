//! TCP sockets for links.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};

use crate::quic::{Family, SocketError, bind_by};

/// What may wait in the kernel without having been sent, in bytes: control waits for that.
const UNSENT: u32 = 128 << 10;

/// Connections that the kernel makes on its own before somebody looks at them.
const BACKLOG: i32 = 128;

/// Binds `address` and listens there; the unspecified addresses mean what they mean to [`crate::quic::bind`].
///
/// # Errors
/// [`SocketError`], for example when the port is taken.
pub fn bind(address: SocketAddr, family: Family) -> Result<TcpListener, SocketError> {
    bind_by("TCP", address, family, open)
}

fn open(address: SocketAddr, family: Family) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.cloexec().nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(family == Family::V6)?;
    }
    // Else the last connection of an earlier run keeps the port for a minute. It takes no port that somebody listens on.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Connects, `from` an address of this host if one is given.
pub(super) async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(from) = from.map(|from| from.to_canonical()).filter(|from| from.is_ipv4() == to.is_ipv4()) {
        socket.bind((from, 0).into())?;
    }
    socket.connect(to).await
}

/// Sets up a connected socket: what is written goes at once, and little waits where it cannot be overtaken.
pub(super) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let taken = bind((Ipv4Addr::LOCALHOST, 0).into(), Family::Any).expect("a free port");
        let address = taken.local_addr().expect("an address");
        let error = bind(address, Family::Any).expect_err("taken").to_string();
        assert!(error.starts_with(&format!("TCP {address}: ")), "{error}");
    }

    #[test]
    fn all_addresses_serve_both_families() {
        let listener = bind(Family::Any.unspecified(0), Family::Any).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connected");
    }
}
