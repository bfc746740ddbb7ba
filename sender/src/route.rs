//! From `HOST:PORT` to addresses.

use std::io;
use std::time::Duration;

use xbproto::quic::Family;

use crate::resume::Route;

/// The port when none is given.
const DEFAULT_PORT: u16 = 9999;

/// A receiver cannot be looked for.
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

/// Resolves `given` to the addresses of `family`.
///
/// # Errors
/// [`RouteError`]; only the lookup may be worth another try.
pub async fn resolve(given: &str, family: Family, wait: Duration) -> Result<Route, RouteError> {
    let (host, port) = split(given).ok_or_else(|| RouteError::Malformed { given: given.to_owned() })?;
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| RouteError::Lookup { host: host.to_owned(), error })?;
    let addresses: Vec<_> = found.filter(|address| family.has(address)).collect();
    match addresses.is_empty() {
        true => Err(RouteError::NoAddress { host: host.to_owned() }),
        false => Ok(Route { name: given.to_owned(), addresses, wait }),
    }
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

    #[tokio::test]
    async fn a_family_without_addresses_is_named() {
        let error = resolve("127.0.0.1:1", Family::V6, Duration::ZERO).await.expect_err("no IPv6 address");
        assert!(matches!(error, RouteError::NoAddress { .. }), "{error}");
    }
}
