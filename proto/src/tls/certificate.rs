//! What a certificate says of itself, for people and for what webpki does not look at.

use std::fmt;

use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate, X509Version};

use super::Fingerprint;
use super::identity::OCCASION;

/// The longest text of a name that is shown, in characters: a stranger's may be of any length.
const LONGEST: usize = 200;

/// A certificate as people know it. Nothing here is verified: it is what the certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is about.
    pub subject: String,
    /// Who has signed it.
    pub issuer: String,
    /// From when to when it is valid.
    pub validity: Validity,
    /// What it is told from others by.
    pub fingerprint: Fingerprint,
    pub(super) version: Version,
    /// The names that it is for by its extension (SAN); nothing if it has none.
    pub(super) alternative_names: Option<Vec<String>>,
    pub(super) common_names: Vec<String>,
}

/// Whether a certificate can have extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Only of the first version does TLS in this program not know what to think.
    One,
    Later,
}

/// When a certificate is valid, both moments included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    from: Moment,
    to: Moment,
}

/// Seconds since 1970, and the same for people.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Moment {
    seconds: i64,
    text: String,
}

/// Where a moment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Before it is valid.
    NotYet,
    /// It is valid.
    Valid,
    /// Its time is over.
    Expired,
}

impl Certificate {
    /// Reads it; nothing if it is no certificate of X.509.
    pub fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        rest.is_empty().then_some(())?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let validity = certificate.validity();
        let common_names = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        Some(Certificate {
            subject: shown(certificate.subject()),
            issuer: shown(certificate.issuer()),
            validity: Validity { from: Moment::new(&validity.not_before), to: Moment::new(&validity.not_after) },
            fingerprint: Fingerprint::of(der),
            version: if certificate.version() == X509Version::V1 { Version::One } else { Version::Later },
            alternative_names: names.map(|names| names.value.general_names.iter().filter_map(name).collect()),
            common_names: common_names.map(str::to_owned).collect(),
        })
    }

    /// Whether it was made for the occasion, as by a side that was given none.
    pub(super) fn is_one_time(&self) -> bool {
        self.alternative_names.as_ref().is_some_and(|names| names.iter().eq([OCCASION]))
    }

    /// The names it is for, to be shown.
    pub(super) fn names(&self) -> String {
        let shown = match &self.alternative_names {
            Some(names) if names.is_empty() => "no host (its subjectAltName names none)".to_owned(),
            Some(names) => names.join(", "),
            None if self.common_names.is_empty() => "no host (it has no subjectAltName and no CN)".to_owned(),
            None => format!("{} (its CN; it has no subjectAltName)", self.common_names.join(", ")),
        };
        shorten(shown)
    }
}

impl Validity {
    /// Where `now` lies.
    pub fn age(&self, now: UnixTime) -> Age {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        match () {
            () if now < self.from.seconds => Age::NotYet,
            () if now > self.to.seconds => Age::Expired,
            () => Age::Valid,
        }
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {} UTC", self.from.text, self.to.text)
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Certificate { subject, issuer, validity, fingerprint, .. } = self;
        write!(f, "subject {subject}, issuer {issuer}, valid {validity}, {fingerprint}")
    }
}

impl Moment {
    fn new(time: &ASN1Time) -> Moment {
        let at = time.to_datetime();
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let text = format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        Moment { seconds: time.timestamp(), text }
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

fn shown(name: &impl fmt::Display) -> String {
    match name.to_string() {
        empty if empty.is_empty() => "(empty)".to_owned(),
        text => shorten(text),
    }
}

fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
