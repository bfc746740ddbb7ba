//! From `HOST:PORT` to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::failure::Cause;
use crate::quic::Family;
use tokio::sync::oneshot;

/// The port when none is given.
pub const DEFAULT_PORT: u16 = 9999;

/// Where a listener is, and how long to look for it.
#[derive(Clone, Debug)]
pub struct Route {
    /// As the user wrote it.
    pub name: String,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Which of its addresses may be used.
    pub family: Family,
    /// How long to try before giving up.
    pub wait: Duration,
}

/// A listener cannot be looked for.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// It is not `HOST:PORT`.
    #[error("\"{given}\" is not HOST:PORT; write an IPv6 address as [::1]:9999")]
    Malformed {
        /// As it was given.
        given: String,
    },
    /// The name does not resolve.
    #[error("looking up {host}: {error}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// It resolves, but not to addresses that may be used.
    #[error("{host} has no address of the wanted family (-4, -6 or --bind)")]
    NoAddress {
        /// The name.
        host: String,
    },
}

impl RouteError {
    /// What the program exits for. Only one that is not found may be worth another try.
    pub fn cause(&self) -> Cause {
        match self {
            RouteError::Lookup { .. } => Cause::PeerLost,
            RouteError::Malformed { .. } | RouteError::NoAddress { .. } => Cause::Usage,
        }
    }
}

impl Route {
    /// Reads `given` as `HOST:PORT`; the port may be left out.
    ///
    /// # Errors
    /// [`RouteError::Malformed`].
    pub fn parse(given: &str, family: Family, wait: Duration) -> Result<Route, RouteError> {
        let (host, port) = split(given).ok_or_else(|| RouteError::Malformed { given: given.to_owned() })?;
        Ok(Route { name: given.to_owned(), host: host.to_owned(), port, family, wait })
    }

    /// The addresses that may be used, in order of preference; at least one.
    ///
    /// # Errors
    /// [`RouteError`]
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, RouteError> {
        let found = look_up(&self.host, self.port).await;
        let found = found.map_err(|error| RouteError::Lookup { host: self.host.clone(), error })?;
        let addresses: Vec<_> = found.into_iter().filter(|address| self.family.has(address)).collect();
        match addresses.is_empty() {
            true => Err(RouteError::NoAddress { host: self.host.clone() }),
            false => Ok(addresses),
        }
    }

    /// The address to send from when none is wished: of IPv6 if that may be needed, for it serves IPv4 as well.
    pub fn local(&self) -> SocketAddr {
        match self.host.parse() {
            Ok(IpAddr::V4(_)) => Family::V4.unspecified(0),
            _ => self.family.unspecified(0),
        }
    }
}

/// Asks the resolver, on a thread that nobody waits for: it cannot be interrupted, and may take minutes.
async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![(address, port).into()]);
    }
    let (tell, told) = oneshot::channel();
    let host = host.to_owned();
    std::thread::Builder::new().name("lookup".to_owned()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // The deadline may have passed, and with it the asker.
        let _ = tell.send(found);
    })?;
    told.await.unwrap_or_else(|gone| Err(io::Error::other(gone)))
}

/// Host and port; a bare IPv6 address has no port, for nobody can tell where it would begin.
fn split(given: &str) -> Option<(&str, u16)> {
    if let Some(rest) = given.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => port.is_empty().then_some((host, DEFAULT_PORT)),
        };
    }
    match given.split_once(':') {
        _ if given.is_empty() || given.starts_with(':') => None,
        Some((_, port)) if port.contains(':') => Some((given, DEFAULT_PORT)),
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((given, DEFAULT_PORT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (given, expected) in [
            ("db2:4444", Some(("db2", 4444))),
            ("db2", Some(("db2", 9999))),
            ("[::1]:77", Some(("::1", 77))),
            ("[::1]", Some(("::1", 9999))),
            ("fe80::1", Some(("fe80::1", 9999))),
            ("db2:", None),
            ("db2:99999", None),
            ("", None),
            (":9999", None),
            ("[::1", None),
        ] {
            assert_eq!(split(given), expected, "{given}");
        }
    }

    fn route(given: &str, family: Family) -> Route {
        Route::parse(given, family, Duration::ZERO).expect("HOST:PORT")
    }

    #[tokio::test]
    async fn a_family_without_addresses_is_named() {
        let error = route("127.0.0.1:1", Family::V6).addresses().await.expect_err("no IPv6 address");
        assert!(matches!(error, RouteError::NoAddress { .. }), "{error}");
        assert_eq!(error.cause(), Cause::Usage);
    }

    #[tokio::test]
    async fn what_is_no_name_is_not_found() {
        let error = route("no such host", Family::Any).addresses().await.expect_err("no name");
        assert!(error.to_string().starts_with("looking up no such host: "), "{error}");
        assert_eq!(error.cause(), Cause::PeerLost);
    }

    #[test]
    fn an_ipv4_address_is_reached_from_ipv4() {
        assert!(route("127.0.0.1", Family::Any).local().is_ipv4());
        assert!(route("db2", Family::V4).local().is_ipv4());
        assert!(route("db2", Family::Any).local().is_ipv6());
        assert!(route("[::1]", Family::Any).local().is_ipv6());
    }
}
