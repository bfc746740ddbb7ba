//! Which certificates of a peer are the right ones.

use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::certificate::{Age, Version};
use super::{Certificate, Fingerprint, Reason, Refusal};

/// What the certificate of a peer has to satisfy: an authority, or fingerprints, or both. It never demands nothing.
#[derive(Debug)]
pub struct Trust {
    authority: Option<Authority>,
    pins: Vec<Fingerprint>,
}

impl Trust {
    /// Signed by `authority` if there is one, and with one of the fingerprints `pins` if there are any; nothing if there is
    /// neither.
    pub fn new(authority: Option<Authority>, pins: Vec<Fingerprint>) -> Option<Trust> {
        (authority.is_some() || !pins.is_empty()).then_some(Trust { authority, pins })
    }

    /// Whether a peer may show `end`, and with it the `others` that lead to the authority, at `now`.
    ///
    /// A pinned certificate is not trusted beyond its dates either: whoever made it wanted it replaced then.
    pub(super) fn judge(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let seen = Certificate::read(end).ok_or(Refusal::Unreadable)?;
        let refused = |reason| Refusal::Refused { seen: Box::new(seen.clone()), reason };
        if seen.is_one_time() {
            return Err(refused(Reason::OneTime));
        }
        if !self.pins.is_empty() && !self.pins.contains(&seen.fingerprint) {
            return Err(refused(Reason::NotPinned { pins: self.pins.clone() }));
        }
        if seen.version == Version::One {
            return Err(refused(Reason::VersionOne));
        }
        match seen.validity.age(now) {
            Age::NotYet => return Err(refused(Reason::NotYetValid)),
            Age::Expired => return Err(refused(Reason::Expired)),
            Age::Valid => {}
        }
        self.authority.as_ref().map_or(Ok(()), |authority| authority.judge(&seen, end, others, now)).map_err(refused)
    }
}

/// Those whose signature makes a certificate the right one.
#[derive(Debug)]
pub struct Authority {
    file: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    names: Names,
}

/// What a certificate has to be for.
#[derive(Clone, Debug)]
enum Names {
    /// Any name at all: MySQL's and MariaDB's own certificates have no name of a host.
    Any,
    /// What was dialled.
    Dialled(String),
}

impl Authority {
    /// The authorities with these `certificates`, which stand in `file`.
    ///
    /// # Errors
    /// What webpki says of one that it cannot use.
    pub(super) fn new(file: &Path, certificates: Vec<CertificateDer<'static>>) -> Result<Authority, Error> {
        let anchors = certificates.iter().map(|der| Ok(anchor_from_trusted_cert(der)?.to_owned()));
        let anchors = anchors.collect::<Result<_, Error>>()?;
        Ok(Authority { file: file.to_owned(), certificates, anchors, names: Names::Any })
    }

    /// The same, and the certificate has to be for the name or address that was `dialled`.
    #[must_use]
    pub fn for_name(self, dialled: &str) -> Authority {
        Authority { names: Names::Dialled(dialled.to_owned()), ..self }
    }

    fn judge(
        &self,
        seen: &Certificate,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Reason> {
        // What is in the file itself is meant, whether it could sign others or not: a server's self-signed certificate.
        if !self.certificates.iter().any(|known| known == end) {
            self.follow(end, others, now)?;
        }
        match &self.names {
            Names::Dialled(dialled) if !is_for(seen, end, dialled) => {
                Err(Reason::WrongName { dialled: dialled.clone(), names: seen.names() })
            }
            Names::Dialled(_) | Names::Any => Ok(()),
        }
    }

    /// Follows the signatures from a certificate to one of the authorities.
    fn follow(&self, end: &CertificateDer<'_>, others: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Reason> {
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        let follow = |purpose| {
            let end = EndEntityCert::try_from(end)?;
            end.verify_for_usage(algorithms, &self.anchors, others, now, purpose, None, None).map(|_| ())
        };
        // Backups travel between servers, which have one certificate for all they do: one that is for servers may dial, as
        // it does where Galera sends its state, and one that is for clients may listen. Which of the two it is says nothing
        // about whether it is trusted.
        let followed = match follow(KeyUsage::server_auth()) {
            Err(Error::RequiredEkuNotFoundContext(_)) => follow(KeyUsage::client_auth()),
            followed => followed,
        };
        followed.map_err(|error| self.reason(error))
    }

    fn reason(&self, error: Error) -> Reason {
        let ca = self.file.clone();
        match error {
            Error::UnknownIssuer => Reason::UnknownAuthority { ca },
            // Every server of one version calls the authority that it makes the same.
            Error::InvalidSignatureForPublicKey => Reason::OtherAuthority { ca },
            Error::CaUsedAsEndEntity => Reason::IsAuthority,
            Error::RequiredEkuNotFoundContext(_) => Reason::Purpose,
            Error::UnsupportedCertVersion => Reason::VersionOne,
            other => Reason::Chain { ca, words: in_words(&other) },
        }
    }
}

/// Whether a certificate is for a name or address: by its alternative names, or, if it has none at all, by its common name,
/// as MySQL's clients do it.
fn is_for(seen: &Certificate, end: &CertificateDer<'_>, dialled: &str) -> bool {
    if seen.alternative_names.is_none() {
        return seen.common_names.iter().any(|name| matches(name, dialled));
    }
    let (Ok(end), Ok(name)) = (EndEntityCert::try_from(end), ServerName::try_from(dialled)) else { return false };
    end.verify_is_valid_for_subject_name(&name).is_ok()
}

/// Whether a common name is `dialled`, or a pattern for it: `*.` stands for one label.
fn matches(name: &str, dialled: &str) -> bool {
    let label = |dialled: &str| dialled.split_once('.').map(|(_, domain)| domain.to_owned());
    match name.strip_prefix("*.") {
        Some(domain) => label(dialled).is_some_and(|rest| {
            domain.contains('.') && rest.eq_ignore_ascii_case(domain) && dialled.parse::<std::net::IpAddr>().is_err()
        }),
        None => name.eq_ignore_ascii_case(dialled),
    }
}

/// webpki's error as a sentence.
pub(super) fn in_words(error: &Error) -> String {
    match error {
        Error::CertExpired { .. } => "a certificate between it and the authority has expired".to_owned(),
        Error::CertNotValidYet { .. } => "a certificate between it and the authority is not valid yet".to_owned(),
        Error::EndEntityUsedAsCa => "it was signed by a certificate that is no authority (CA:FALSE)".to_owned(),
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "it is signed in a way that is not safe enough (as with SHA-1), or not known".to_owned()
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
