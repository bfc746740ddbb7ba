//! From `HOST:PORT` to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use super::{Transport, Wanted};
use crate::cli::program_name;
use crate::cli::remote::Listening;
use crate::failure::{Cause, Party};
use crate::quic::Family;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The port when none is given.
pub const DEFAULT_PORT: u16 = 9999;

/// How long a name is looked up at most that adds to addresses that are known; they need some of the wait, too.
const BESIDE: Duration = Duration::from_secs(2);

/// Where a listener is, and how long to look for it.
#[derive(Clone, Debug)]
pub struct Route {
    /// As the user wrote it.
    pub name: String,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Where else it may be, by its own account; tried first.
    pub told: Vec<SocketAddr>,
    /// How it came to be there.
    pub started: Started,
    /// Which of its addresses may be used.
    pub family: Family,
    /// How long to try before giving up.
    pub wait: Duration,
    /// Over what.
    pub transport: Transport,
}

/// Who has started a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// Somebody, it is hoped.
    ByHand,
    /// This program, over ssh: it does listen.
    OverSsh,
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
        let (name, host, port) = (given.to_owned(), host.to_owned(), port.unwrap_or(DEFAULT_PORT));
        let (started, transport) = (Started::ByHand, Transport::default());
        Ok(Route { name, host, port, told: Vec::new(), started, family, wait, transport })
    }

    /// The same over this `transport`.
    pub fn over(self, transport: Transport) -> Route {
        Route { transport, ..self }
    }

    /// The way to a listener that was started over ssh: the one that is `given`, if one is, else where it says it is.
    ///
    /// # Errors
    /// [`RouteError::Malformed`].
    pub fn over_ssh(
        there: &Listening,
        given: Option<&str>,
        family: Family,
        wait: Duration,
    ) -> Result<Route, RouteError> {
        let started = Started::OverSsh;
        if let Some(given) = given {
            let port = port_of(given).unwrap_or(there.port());
            return Ok(Route { port, started, ..Route::parse(given, family, wait)? });
        }
        let (host, port) = (there.host.clone(), there.port());
        let told = there.addresses.iter().copied().filter(|address| !address.ip().is_unspecified()).collect();
        let (name, transport) = (format!("{}:{port}", there.label), Transport::default());
        Ok(Route { name, host, port, told, started, family, wait, transport })
    }

    /// The addresses that may be used, in order of preference; at least one.
    ///
    /// # Errors
    /// [`RouteError`]
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, RouteError> {
        let looked_up = look_up(&self.host, self.port);
        let found = match self.told.is_empty() {
            true => looked_up.await.map_err(|error| RouteError::Lookup { host: self.host.clone(), error })?,
            // It may be a name that only ssh knows, and the resolver one that does not answer.
            false => timeout(BESIDE.min(self.wait / 2), looked_up).await.ok().and_then(Result::ok).unwrap_or_default(),
        };
        let others = found.into_iter().filter(|address| !self.told.contains(address));
        let mut addresses: Vec<_> = self.told.iter().copied().chain(others).collect();
        addresses.retain(|address| self.family.has(address));
        match addresses.is_empty() {
            true => Err(RouteError::NoAddress { host: self.host.clone() }),
            false => Ok(addresses),
        }
    }

    /// Whom `role`, this side, looks for there.
    pub fn wanted(&self, role: Party) -> Wanted<'_> {
        let program = program_name(role.peer());
        Wanted { program, host: &self.host, port: self.port, started: self.started }
    }

    /// The address to send from when none is wished: of IPv6 if that may be needed, for it serves IPv4 as well.
    pub fn local(&self) -> SocketAddr {
        match self.host.parse() {
            Ok(IpAddr::V4(_)) if self.told.iter().all(SocketAddr::is_ipv4) => Family::V4.unspecified(0),
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

/// The port in `HOST:PORT`, if it has one.
pub fn port_of(given: &str) -> Option<u16> {
    split(given)?.1
}

/// Host and port; a bare IPv6 address has no port, for nobody can tell where it would begin.
fn split(given: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = given.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => port.is_empty().then_some((host, None)),
        };
    }
    match given.split_once(':') {
        _ if given.is_empty() || given.starts_with(':') => None,
        Some((_, port)) if port.contains(':') => Some((given, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((given, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (given, expected) in [
            ("db2:4444", Some(("db2", Some(4444)))),
            ("db2", Some(("db2", None))),
            ("[::1]:77", Some(("::1", Some(77)))),
            ("[::1]", Some(("::1", None))),
            ("fe80::1", Some(("fe80::1", None))),
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

    fn there(host: &str, address: &str) -> Listening {
        let addresses = vec![address.parse().expect("an address")];
        Listening { label: "db7".to_owned(), host: host.to_owned(), addresses }
    }

    #[tokio::test]
    async fn what_a_listener_tells_is_tried_first_and_may_be_all_there_is() {
        let told = |host, told| Route::over_ssh(&there(host, told), None, Family::Any, Duration::ZERO).expect("a way");
        let addresses = |route: Route| async move { route.addresses().await.expect("addresses") };
        let both = ["192.0.2.7:77", "127.0.0.1:77"].map(|address| address.parse().expect("an address"));
        assert_eq!(addresses(told("127.0.0.1", "192.0.2.7:77")).await, both);
        assert_eq!(addresses(told("no such host", "192.0.2.7:77")).await, both[..1]);
        assert_eq!(addresses(told("127.0.0.1", "0.0.0.0:77")).await, both[1..]);
        assert_eq!(addresses(told("127.0.0.1", "127.0.0.1:77")).await, both[1..]);
        assert!(told("127.0.0.1", "[2001:db8::7]:77").local().is_ipv6());
    }

    #[test]
    fn a_way_that_is_given_counts() {
        let to = |given| Route::over_ssh(&there("db7", "192.0.2.7:77"), Some(given), Family::Any, Duration::ZERO);
        let to = |given| to(given).map(|route| (route.host, route.port, route.told.len())).expect("a way");
        assert_eq!(to("gate:7000"), ("gate".to_owned(), 7000, 0));
        assert_eq!(to("gate"), ("gate".to_owned(), 77, 0));
    }

    #[test]
    fn an_ipv4_address_is_reached_from_ipv4() {
        assert!(route("127.0.0.1", Family::Any).local().is_ipv4());
        assert!(route("db2", Family::V4).local().is_ipv4());
        assert!(route("db2", Family::Any).local().is_ipv6());
        assert!(route("[::1]", Family::Any).local().is_ipv6());
    }
}
