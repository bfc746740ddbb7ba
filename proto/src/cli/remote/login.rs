//! Where ssh is to go: `[USER@]HOST[:PORT]`. Pure.

use std::num::NonZeroU16;
use std::str::FromStr;

/// A host as ssh is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who to be there, if not whom ssh would choose.
    pub user: Option<String>,
    /// Its name, an alias of the ssh configuration, or its address.
    pub host: String,
    /// Where sshd listens, if not where ssh would look.
    pub port: Option<NonZeroU16>,
}

/// It is not such a place.
#[derive(Debug, thiserror::Error)]
#[error("expected [USER@]HOST[:PORT]; write an IPv6 address with a port as [::1]:22")]
pub struct LoginError;

impl Login {
    /// `[USER@]HOST`, which is what ssh takes as one argument.
    pub fn destination(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }
}

impl FromStr for Login {
    type Err = LoginError;

    fn from_str(given: &str) -> Result<Login, LoginError> {
        let (user, place) = match given.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, given),
        };
        let (host, port) = split(place).ok_or(LoginError)?;
        let port = port.map(|port| port.parse().map_err(|_| LoginError)).transpose()?;
        match user.into_iter().chain([host]).all(is_word) {
            true => Ok(Login { user: user.map(str::to_owned), host: host.to_owned(), port }),
            false => Err(LoginError),
        }
    }
}

/// Host and port; a bare IPv6 address has no port.
fn split(place: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    Some(match place.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (place, None),
    })
}

/// What ssh cannot take for an option, nor a shell for more than a word.
fn is_word(part: &str) -> bool {
    let harmless = |c: char| !c.is_whitespace() && !c.is_control() && !"'`\"$\\;&<>|(){}".contains(c);
    !part.is_empty() && !part.starts_with('-') && part.chars().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_hosts_and_ports_are_told_apart() {
        let read = |given: &str| {
            given.parse::<Login>().ok().map(|login| (login.destination(), login.port.map_or(0, NonZeroU16::get)))
        };
        for (given, destination, port) in [
            ("db7", "db7", 0),
            ("backup@db7", "backup@db7", 0),
            ("backup@db7:2222", "backup@db7", 2222),
            ("me@CORP@db7", "me@CORP@db7", 0),
            ("[2001:db8::7]:2222", "2001:db8::7", 2222),
            ("me@[::1]", "me@::1", 0),
            ("me@::1", "me@::1", 0),
            ("fe80::1%eth0", "fe80::1%eth0", 0),
        ] {
            assert_eq!(read(given), Some((destination.to_owned(), port)), "{given}");
        }
        let wrong = [
            "",
            "@db7",
            "me@",
            ":22",
            "db7:",
            "db7:0",
            "db7:ssh",
            "-oProxyCommand=x",
            "me@-v",
            "-l@db7",
            "[::1",
            "a b",
        ];
        for wrong in wrong.into_iter().chain(["$(x)@db7", "db7;x", "db7\n"]) {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
