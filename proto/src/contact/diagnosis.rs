//! From what became of each attempt to what is wrong, and what usually mends it.

use std::fmt;

use super::{Attempt, RouteError, Started};
use crate::link::{Form, LinkError};

/// Why nobody was reached.
#[derive(Debug)]
pub enum Miss {
    /// The name leads nowhere.
    Lookup(RouteError),
    /// What became of every attempt; none, if there was no time for any.
    Attempts(Vec<Missed>),
}

/// An attempt that has failed.
#[derive(Debug)]
pub struct Missed {
    /// What was tried.
    pub attempt: Attempt,
    /// Why it has failed; nothing came of it in time if not set.
    pub error: Option<LinkError>,
}

impl Missed {
    /// Whether it looks as if nothing gets through there, in this form.
    pub fn is_blocked(&self) -> bool {
        matches!(self.error, None | Some(LinkError::Silent | LinkError::Refused(_) | LinkError::NoRoute(_)))
    }
}

/// Who was looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The program that should listen.
    pub program: &'a str,
    /// Its host, as the user wrote it.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// How it came to be there.
    pub started: Started,
}

/// What was seen of a listener in one form of connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    NotTried,
    NoRoute(String),
    Silence,
    Refused,
    /// Somebody else answers.
    Stranger(String),
    /// It answers, and does not want.
    Answered(String),
}

/// What is wrong, in a sentence, and what usually mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    what: String,
    cure: String,
    /// Whether somebody answers who is not the listener that was looked for.
    pub is_stranger: bool,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.cure)
    }
}

impl Diagnosis {
    /// What a `miss` comes from.
    pub fn of(miss: &Miss, wanted: Wanted<'_>) -> Diagnosis {
        match miss {
            Miss::Lookup(error) => Diagnosis::new(error, "is the name right? An address would do as well"),
            Miss::Attempts(missed) => {
                let (udp, tcp) = (Seen::of(missed, Form::Quic), Seen::of(missed, Form::Tcp));
                let is_stranger = matches!((&udp, &tcp), (Seen::Stranger(_), _) | (_, Seen::Stranger(_)));
                Diagnosis { is_stranger, ..wanted.judge(udp, tcp) }
            }
        }
    }

    fn new(what: impl fmt::Display, cure: impl fmt::Display) -> Diagnosis {
        Diagnosis { what: what.to_string(), cure: cure.to_string(), is_stranger: false }
    }
}

/// What is told when links are made over TCP because UDP does not get through, which was seen as `error`.
pub(super) fn instead(error: Option<&LinkError>, host: &str, port: u16) -> String {
    let udp = match error {
        Some(LinkError::Refused(_)) => format!("UDP port {port} of {host} is refused"),
        _ => format!("nothing answers over UDP port {port} of {host}"),
    };
    format!("{udp}, but TCP port {port} does: going on over TCP; to have QUIC, let UDP pass: {}", firewall("udp", port))
}

impl Seen {
    /// The most telling of what the attempts of one form have met with.
    fn of(missed: &[Missed], form: Form) -> Seen {
        let of_form = missed.iter().filter(|missed| missed.attempt.by.form() == form);
        of_form.map(Seen::from).max_by_key(Seen::weight).unwrap_or(Seen::NotTried)
    }

    /// Who answers tells more than who does not, and a host that refuses more than one that is not seen.
    fn weight(&self) -> u8 {
        match self {
            Seen::NotTried => 0,
            Seen::NoRoute(_) => 1,
            Seen::Silence => 2,
            Seen::Refused => 3,
            Seen::Stranger(_) => 4,
            Seen::Answered(_) => 5,
        }
    }
}

impl From<&Missed> for Seen {
    fn from(missed: &Missed) -> Seen {
        match &missed.error {
            None | Some(LinkError::Silent) => Seen::Silence,
            Some(LinkError::Refused(_)) => Seen::Refused,
            Some(LinkError::NoRoute(words)) => Seen::NoRoute(words.clone()),
            Some(LinkError::Stranger(words)) => Seen::Stranger(words.clone()),
            Some(LinkError::Untrusted(refusal)) => Seen::Stranger(refusal.to_string()),
            Some(other) => Seen::Answered(other.to_string()),
        }
    }
}

impl Wanted<'_> {
    /// What to ask oneself first.
    fn question(&self) -> String {
        let Wanted { program, port, .. } = self;
        match self.started {
            Started::ByHand => format!("is {program} started there, and is {port} its port?"),
            Started::OverSsh => format!(
                "{program} listens there, but is not reached: is this its way, and do the firewalls let port {port} pass \
                 (--ports)? Another way is given as HOST:PORT."
            ),
        }
    }

    fn judge(self, udp: Seen, tcp: Seen) -> Diagnosis {
        let Wanted { program, host, port, .. } = self;
        let started = self.question();
        let open = |protocol| format!("{started} Else a firewall drops it: {}", firewall(protocol, port));
        let (at_udp, at_tcp) = (format!("UDP port {port} of {host}"), format!("TCP port {port} of {host}"));
        match (udp, tcp) {
            (Seen::Answered(words), _) | (_, Seen::Answered(words)) => Diagnosis::new(words, started),
            (udp, Seen::Stranger(words)) => {
                let nothing = match udp {
                    Seen::NotTried => String::new(),
                    _ => format!("nothing answers over {at_udp}, and "),
                };
                Diagnosis::new(format!("{nothing}what answers over {at_tcp} is not {program}: {words}"), started)
            }
            (Seen::Stranger(words), _) => {
                Diagnosis::new(format!("what answers over {at_udp} is not {program}: {words}"), started)
            }
            (Seen::NoRoute(words), Seen::NoRoute(_) | Seen::NotTried) | (Seen::NotTried, Seen::NoRoute(words)) => {
                Diagnosis::new(
                    format!("no route leads from here to {host} ({words})"),
                    "is the address right, and the network up? `ip route get ADDRESS` shows the way that is taken",
                )
            }
            (Seen::Refused, Seen::Refused) => {
                Diagnosis::new(format!("nothing listens at port {port} of {host}: it refuses UDP and TCP"), started)
            }
            (Seen::Silence | Seen::NoRoute(_), Seen::Refused) => {
                Diagnosis::new(format!("nothing answers over {at_udp}, and it refuses TCP"), open("udp"))
            }
            (Seen::Refused, Seen::NotTried) => {
                let cure = format!("{started} A firewall may refuse it as well: --transport auto would try TCP");
                Diagnosis::new(format!("{at_udp} is refused"), cure)
            }
            (Seen::Refused, Seen::Silence | Seen::NoRoute(_)) => {
                Diagnosis::new(format!("{at_udp} is refused, and nothing answers over TCP"), open("udp"))
            }
            (Seen::Silence, Seen::NotTried) => Diagnosis::new(
                format!("nothing answers over {at_udp}"),
                format!("{}; --transport auto would try TCP", open("udp")),
            ),
            (Seen::Silence | Seen::NoRoute(_), Seen::Silence | Seen::NoRoute(_)) => Diagnosis::new(
                format!("nothing answers over UDP or TCP port {port} of {host}"),
                format!("is the host up, and its address right? {}", open("udp")),
            ),
            (Seen::NotTried, Seen::Refused) => Diagnosis::new(format!("{at_tcp} is refused"), started),
            (Seen::NotTried, Seen::Silence) => Diagnosis::new(format!("nothing answers over {at_tcp}"), open("tcp")),
            (Seen::NotTried, Seen::NotTried) => Diagnosis::new(format!("nothing answers at {host}"), started),
        }
    }
}

/// What lets a port pass, in the words of those who keep it closed.
fn firewall(protocol: &str, port: u16) -> String {
    format!(
        "`nft add rule inet filter input {protocol} dport {port} accept`, `iptables -I INPUT -p {protocol} --dport {port} -j \
         ACCEPT` or `firewall-cmd --add-port={port}/{protocol}` on that host, or the security group of the cloud"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Try;
    use crate::wire::CloseCode;

    const WANTED: Wanted<'_> = Wanted { program: "xbrecv", host: "db2", port: 9999, started: Started::ByHand };

    fn missed(by: Try, error: Option<LinkError>) -> Missed {
        Missed { attempt: Attempt { address: ([192, 0, 2, 1], 9999).into(), by }, error }
    }

    fn diagnosed(missed: Vec<Missed>) -> String {
        Diagnosis::of(&Miss::Attempts(missed), WANTED).to_string()
    }

    fn refused() -> Option<LinkError> {
        Some(LinkError::Refused("UDP"))
    }

    fn no_route() -> Option<LinkError> {
        Some(LinkError::NoRoute("Network is unreachable".into()))
    }

    fn stranger() -> Option<LinkError> {
        Some(LinkError::Stranger("it speaks SSH".into()))
    }

    /// What UDP and TCP have met with, words that must be said, and words that must not.
    #[test]
    fn every_pair_of_findings_has_its_sentence_and_cure() {
        use Try::{Quic, TcpInstead as Tcp};
        for (udp, tcp, said, unsaid) in [
            (None, None, "nothing answers over UDP or TCP port 9999 of db2; is the host up", "refuse"),
            (
                None,
                refused(),
                "nothing answers over UDP port 9999 of db2, and it refuses TCP; is xbrecv started",
                "route",
            ),
            (refused(), refused(), "nothing listens at port 9999 of db2: it refuses UDP and TCP; is xbrecv", "nft"),
            (refused(), None, "UDP port 9999 of db2 is refused, and nothing answers over TCP; is xbrecv", "route"),
            (no_route(), no_route(), "no route leads from here to db2 (Network is unreachable); is the address", "nft"),
            (None, stranger(), "and what answers over TCP port 9999 of db2 is not xbrecv: it speaks SSH; is", "nft"),
        ] {
            let words = diagnosed(vec![missed(Quic, udp), missed(Tcp, tcp)]);
            assert!(words.contains(said) && !words.contains(unsaid), "{words}");
        }
    }

    #[test]
    fn what_was_not_tried_is_not_spoken_of_but_as_a_cure() {
        let quic = |error| diagnosed(vec![missed(Try::Quic, error)]);
        assert!(
            quic(None).starts_with("nothing answers over UDP port 9999 of db2; is xbrecv started"),
            "{}",
            quic(None)
        );
        assert!(quic(None).contains("udp dport 9999 accept") && quic(None).ends_with("--transport auto would try TCP"));
        assert!(quic(refused()).starts_with("UDP port 9999 of db2 is refused; "), "{}", quic(refused()));
        assert!(quic(no_route()).starts_with("no route leads from here to db2"), "{}", quic(no_route()));
        let tcp = |error| diagnosed(vec![missed(Try::Tcp, error)]);
        assert!(tcp(None).starts_with("nothing answers over TCP port 9999 of db2; "), "{}", tcp(None));
        assert!(tcp(None).contains("tcp dport 9999 accept") && !tcp(None).contains("UDP"), "{}", tcp(None));
        assert!(tcp(refused()).starts_with("TCP port 9999 of db2 is refused; is xbrecv"), "{}", tcp(refused()));
        assert!(
            tcp(stranger()).starts_with("what answers over TCP port 9999 of db2 is not xbrecv"),
            "{}",
            tcp(stranger())
        );
    }

    #[test]
    fn of_several_addresses_the_one_that_tells_most_counts() {
        let words =
            diagnosed(vec![missed(Try::Quic, no_route()), missed(Try::Quic, refused()), missed(Try::Quic, None)]);
        assert!(words.starts_with("UDP port 9999 of db2 is refused"), "{words}");
        let busy = LinkError::Closed { code: CloseCode::Broken, reason: "come later".into() };
        let words = diagnosed(vec![missed(Try::Quic, None), missed(Try::Quic, Some(busy))]);
        assert!(words.starts_with("come later; "), "{words}");
    }

    #[test]
    fn only_what_does_not_get_through_is_blocked() {
        assert!([None, refused(), no_route()].into_iter().all(|error| missed(Try::Quic, error).is_blocked()));
        let closed = LinkError::Closed { code: CloseCode::Broken, reason: String::new() };
        assert!(!missed(Try::Quic, Some(closed)).is_blocked());
        assert!(!missed(Try::Quic, stranger()).is_blocked());
    }

    #[test]
    fn a_name_that_leads_nowhere_is_told_from_a_port_that_does() {
        let error = std::io::Error::other("Name or service not known");
        let miss = Miss::Lookup(RouteError::Lookup { host: "db2".into(), error });
        let words = Diagnosis::of(&miss, WANTED).to_string();
        assert!(words.starts_with("looking up db2: Name or service not known; is the name right?"), "{words}");
    }

    #[test]
    fn what_is_done_instead_names_what_was_seen() {
        assert!(
            instead(None, "db2", 9999)
                .starts_with("nothing answers over UDP port 9999 of db2, but TCP port 9999 does: ")
        );
        assert!(
            instead(refused().as_ref(), "db2", 9999)
                .starts_with("UDP port 9999 of db2 is refused, but TCP port 9999 does")
        );
        assert!(instead(None, "db2", 9999).contains("udp dport 9999 accept"));
    }
}
