//! The options about certificates, in MySQL's words, and what they come to.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use rustls::pki_types::UnixTime;

use crate::key::Key;
use crate::tls::{Authority, Credentials, Fingerprint, Identity, PemError, PemFile, PemUse, Trust};

/// Which certificates are shown and trusted.
#[derive(Args, Clone, Debug, Default)]
pub struct TlsArgs {
    /// Demand a certificate of the other side that one in FILE (PEM) has signed
    ///
    /// The ca.pem of a MySQL or MariaDB server will do. Together with a key, both are demanded.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    ssl_ca: Option<PathBuf>,

    /// Show the certificate in FILE (PEM), and those that lead from it to an authority
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    ssl_cert: Option<PathBuf>,

    /// The private key of --ssl-cert (PEM, not encrypted), readable by its owner only
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    ssl_key: Option<PathBuf>,

    /// What the other side's certificate has to be: VERIFY_CA, VERIFY_IDENTITY or PINNED
    ///
    /// VERIFY_CA: signed by --ssl-ca, whatever name it has (the default with --ssl-ca). VERIFY_IDENTITY: also for the name
    /// that was dialled; whoever listens cannot know a name, and checks the signature. PINNED: that of a --fingerprint (the
    /// default with that alone).
    #[arg(long, value_name = "MODE", help_heading = "Connection")]
    ssl_mode: Option<SslMode>,

    /// Demand the certificate with this fingerprint, as openssl x509 -fingerprint -sha256 shows it; several are alternatives
    #[arg(long, value_name = "SHA256:HEX", help_heading = "Connection")]
    fingerprint: Vec<Fingerprint>,
}

/// What is looked at in the certificate of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SslMode {
    VerifyCa,
    VerifyIdentity,
    Pinned,
}

/// It is no such mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum SslModeError {
    #[error("expected VERIFY_CA, VERIFY_IDENTITY or PINNED")]
    Unknown,
    #[error(
        "it would encrypt for whoever answers, or not at all, and nothing here goes without knowing the other side: use \
         VERIFY_CA, VERIFY_IDENTITY or PINNED, or a key on both sides and none of these"
    )]
    TrustsAnybody,
}

impl FromStr for SslMode {
    type Err = SslModeError;

    fn from_str(given: &str) -> Result<SslMode, SslModeError> {
        match given.to_ascii_uppercase().replace('-', "_").as_str() {
            "VERIFY_CA" => Ok(SslMode::VerifyCa),
            "VERIFY_IDENTITY" => Ok(SslMode::VerifyIdentity),
            "PINNED" => Ok(SslMode::Pinned),
            "REQUIRED" | "PREFERRED" | "DISABLED" => Err(SslModeError::TrustsAnybody),
            _ => Err(SslModeError::Unknown),
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SslMode::VerifyCa => "VERIFY_CA",
            SslMode::VerifyIdentity => "VERIFY_IDENTITY",
            SslMode::Pinned => "PINNED",
        })
    }
}

/// How the two sides come together.
#[derive(Clone, Copy, Debug)]
pub enum Meeting<'a> {
    /// This side dials a name or an address.
    Dialling(&'a str),
    /// The other side dials, from anywhere.
    Listening,
}

/// The options do not say who is to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The mode lacks an authority.
    #[error("--ssl-mode {0} needs --ssl-ca FILE: whose signature should count?")]
    NoAuthority(&'static str),
    /// The mode lacks a fingerprint.
    #[error(
        "--ssl-mode PINNED needs --fingerprint; on the other host: openssl x509 -in FILE -noout -fingerprint -sha256"
    )]
    NoFingerprint,
    /// There is a certificate to show, but nothing to demand.
    #[error(
        "--ssl-cert and --ssl-key say who this side is, but not whom it trusts: add --ssl-ca FILE or --fingerprint, or a key \
         (--key-file or XB_KEY)"
    )]
    NothingDemanded,
    /// There is something to demand, but nothing to show.
    #[error(
        "without a key (--key-file or XB_KEY) both sides need certificates: add --ssl-cert and --ssl-key, with which this side \
         shows who it is"
    )]
    NothingShown,
    /// There is half of what is to be shown.
    #[error("{given} is given without {missing}: a certificate is shown with its private key")]
    Half {
        /// What there is.
        given: PemUse,
        /// What there is not.
        missing: PemUse,
    },
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] PemError),
}

impl TlsArgs {
    /// What is shown and demanded with these options and `key`; nothing if there are no such options, and a key has to do.
    ///
    /// # Errors
    /// [`TlsError`]: whatever is wrong is wrong usage, and shows before anybody is contacted.
    pub fn credentials(&self, key: Option<Key>, meeting: Meeting<'_>) -> Result<Option<Credentials>, TlsError> {
        let now = UnixTime::now();
        let (trust, identity) = (self.trust(meeting, now)?, self.identity(now)?);
        match (key, identity, trust) {
            (_, None, None) => Ok(None),
            (None, Some(_), None) => Err(TlsError::NothingDemanded),
            (None, None, Some(_)) => Err(TlsError::NothingShown),
            (None, Some(identity), Some(trust)) => Ok(Some(Credentials::certificates(identity, trust))),
            (Some(key), identity, trust) => {
                let credentials = Credentials::shared_key(key);
                let credentials = identity.into_iter().fold(credentials, Credentials::showing);
                Ok(Some(trust.into_iter().fold(credentials, Credentials::demanding)))
            }
        }
    }

    /// What the user should change about the private key's file.
    pub fn warning(&self) -> Option<String> {
        PemFile::new(PemUse::Key, self.ssl_key.as_deref()?).exposed()
    }

    fn trust(&self, meeting: Meeting<'_>, now: UnixTime) -> Result<Option<Trust>, TlsError> {
        match (self.ssl_mode, &self.ssl_ca) {
            (Some(SslMode::VerifyCa), None) => return Err(TlsError::NoAuthority("VERIFY_CA")),
            (Some(SslMode::VerifyIdentity), None) => return Err(TlsError::NoAuthority("VERIFY_IDENTITY")),
            (Some(SslMode::Pinned), _) if self.fingerprint.is_empty() => return Err(TlsError::NoFingerprint),
            _ => {}
        }
        let authority = self.ssl_ca.as_deref().map(|path| PemFile::new(PemUse::Authority, path).authority(now));
        let authority = authority.transpose()?.map(|authority| self.named(authority, meeting));
        Ok(Trust::new(authority, self.fingerprint.clone()))
    }

    fn named(&self, authority: Authority, meeting: Meeting<'_>) -> Authority {
        match (self.ssl_mode, meeting) {
            (Some(SslMode::VerifyIdentity), Meeting::Dialling(name)) => authority.for_name(name),
            _ => authority,
        }
    }

    fn identity(&self, now: UnixTime) -> Result<Option<Identity>, TlsError> {
        // Not left to the parser of options, which ignores what lacks another one in a file of settings.
        let half = |given, missing| Err(TlsError::Half { given, missing });
        let (certificate, key) = match (&self.ssl_cert, &self.ssl_key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => return half(PemUse::Certificate, PemUse::Key),
            (None, Some(_)) => return half(PemUse::Key, PemUse::Certificate),
            (None, None) => return Ok(None),
        };
        let certificate = PemFile::new(PemUse::Certificate, certificate);
        Ok(Some(certificate.identity(&PemFile::new(PemUse::Key, key), now)?))
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct All {
        #[command(flatten)]
        tls: TlsArgs,
    }

    fn parsed(arguments: &[&str]) -> Result<TlsArgs, clap::Error> {
        Ok(All::try_parse_from([&["xbsend"], arguments].concat())?.tls)
    }

    fn refused(arguments: &[&str]) -> String {
        let args = parsed(arguments).expect("valid options");
        args.credentials(None, Meeting::Listening).expect_err("refused").to_string()
    }

    #[test]
    fn clap_finds_no_fault() {
        All::command().debug_assert();
    }

    #[test]
    fn modes_are_read_in_any_case_and_those_that_trust_anybody_are_refused() {
        assert_eq!("verify_ca".parse(), Ok(SslMode::VerifyCa));
        assert_eq!("Verify-Identity".parse(), Ok(SslMode::VerifyIdentity));
        assert_eq!("PINNED".parse(), Ok(SslMode::Pinned));
        for mode in ["REQUIRED", "preferred", "Disabled"] {
            assert_eq!(mode.parse::<SslMode>(), Err(SslModeError::TrustsAnybody), "{mode}");
        }
        assert_eq!("VERIFY".parse::<SslMode>(), Err(SslModeError::Unknown));
    }

    #[test]
    fn what_a_mode_needs_is_asked_for() {
        assert!(refused(&["--ssl-mode", "VERIFY_CA"]).starts_with("--ssl-mode VERIFY_CA needs --ssl-ca"));
        assert!(refused(&["--ssl-mode", "VERIFY_IDENTITY"]).starts_with("--ssl-mode VERIFY_IDENTITY needs --ssl-ca"));
        assert!(refused(&["--ssl-mode", "PINNED"]).starts_with("--ssl-mode PINNED needs --fingerprint"));
    }

    #[test]
    fn a_certificate_and_its_key_come_together() {
        assert!(refused(&["--ssl-cert", "c"]).starts_with("--ssl-cert is given without --ssl-key"));
        assert!(refused(&["--ssl-key", "k"]).starts_with("--ssl-key is given without --ssl-cert"));
    }

    #[test]
    fn without_a_key_something_has_to_be_shown() {
        let pin = format!("SHA256:{}", "00".repeat(32));
        assert!(refused(&["--fingerprint", &pin]).starts_with("without a key"), "nothing is shown");
        let with_a_key = parsed(&["--fingerprint", &pin]).expect("valid options");
        let credentials = with_a_key.credentials(Some(Key::new([1; 16])), Meeting::Listening);
        assert!(credentials.expect("nothing is wrong").is_some());
    }

    #[test]
    fn without_these_options_the_key_decides() {
        let args = parsed(&[]).expect("valid options");
        assert!(args.credentials(None, Meeting::Dialling("db2")).expect("nothing is wrong").is_none());
        assert!(args.credentials(Some(Key::new([1; 16])), Meeting::Listening).expect("nothing is wrong").is_none());
    }
}
