//! What the network says of a UDP port: QUIC does not hear that it is refused, or that nothing leads there.
//!
//! The kernel hands such messages to a socket that has sent something and is connected. So a datagram that no listener
//! takes for anything goes beside QUIC's own, from a socket of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::UdpSocket;
use tokio::time::sleep;

use crate::link::{LinkError, canonical};

/// How often it is asked: the first datagram, or what is said of it, may be lost.
const PAUSE: Duration = Duration::from_secs(1);

/// What is sent. It is no packet of QUIC: the second bit of those is always set.
const NOTHING: &[u8] = &[0];

/// Waits until the network says that `to` cannot be reached over UDP, `from` an address of this host if one is given; for
/// ever, if it never does.
pub(super) async fn unreachable(to: SocketAddr, from: Option<IpAddr>) -> LinkError {
    match ask(canonical(to), from).await {
        Ok(never) => match never {},
        Err(error) => match LinkError::unreached("UDP", &error) {
            Some(error) => error,
            // No more is known than without having asked.
            None => std::future::pending().await,
        },
    }
}

async fn ask(to: SocketAddr, from: Option<IpAddr>) -> io::Result<std::convert::Infallible> {
    let socket = connected(to, from).await?;
    loop {
        // What was heard is told by whichever call comes next.
        socket.send(NOTHING).await?;
        tokio::select! {
            biased;
            heard = listen(&socket) => return heard,
            () = sleep(PAUSE) => {}
        }
    }
}

async fn listen(socket: &UdpSocket) -> io::Result<std::convert::Infallible> {
    loop {
        socket.recv(&mut [0; 64]).await?;
    }
}

async fn connected(to: SocketAddr, from: Option<IpAddr>) -> io::Result<UdpSocket> {
    let unspecified = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let from = from.map(|from| from.to_canonical()).filter(|from| from.is_ipv4() == to.is_ipv4());
    let socket = UdpSocket::bind((from.unwrap_or(unspecified), 0)).await?;
    // Else a host that nobody finds is as silent as one that drops.
    let _ = match to.is_ipv4() {
        true => setsockopt(&socket, sockopt::Ipv4RecvErr, &true),
        false => setsockopt(&socket, sockopt::Ipv6RecvErr, &true),
    };
    socket.connect(to).await?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_nobody_has_is_refused() {
        let gone = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        assert!(matches!(unreachable(gone, None).await, LinkError::Refused("UDP")));
    }

    #[tokio::test]
    async fn of_a_port_that_somebody_has_nothing_is_said() {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let said =
            tokio::time::timeout(Duration::from_millis(50), unreachable(socket.local_addr().unwrap(), None)).await;
        assert!(said.is_err(), "{said:?}");
    }
}
