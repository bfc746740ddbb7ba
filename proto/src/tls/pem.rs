//! Reads the PEM files people have: certificates, and private keys of every common kind.

mod problem;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

pub use self::problem::{PemError, PemProblem, PemUse};
use super::certificate::{Age, Version};
use super::{Authority, Certificate, Identity};

/// The most that is read of a file, in bytes: a system's bundle of all authorities has a quarter of a megabyte.
const LARGEST: u64 = 4 << 20;

/// A PEM file, as it was given with an option.
#[derive(Clone, Debug)]
pub struct PemFile {
    /// What it is for.
    pub used_as: PemUse,
    /// As it was given.
    pub path: PathBuf,
}

impl PemFile {
    /// The file at `path`, given for `used_as`.
    pub fn new(used_as: PemUse, path: &Path) -> PemFile {
        PemFile { used_as, path: path.to_owned() }
    }

    /// Reads the authorities that it holds, all of which are believed, but those whose time is over at `now`.
    ///
    /// # Errors
    /// [`PemError`] when there is none.
    pub fn authority(&self, now: UnixTime) -> Result<Authority, PemError> {
        let all = self.read()?.certificates()?;
        let mut out_of_date = None;
        let valid = all.into_iter().filter(|der| match self.is_valid(der, now) {
            Ok(()) => true,
            Err(error) => {
                out_of_date = Some(error);
                false
            }
        });
        let valid: Vec<_> = valid.collect();
        match out_of_date {
            Some(error) if valid.is_empty() => Err(error),
            _ => Authority::new(&self.path, valid)
                .map_err(|error| self.problem(PemProblem::Malformed { words: super::trust::in_words(&error) })),
        }
    }

    /// Reads the certificate that it holds, and those that lead from it to an authority, with the private key of `key`.
    ///
    /// # Errors
    /// [`PemError`] when one of the files is not what it should be, the key is another certificate's, or the certificate is
    /// not valid at `now`.
    pub fn identity(&self, key: &PemFile, now: UnixTime) -> Result<Identity, PemError> {
        let chain = self.read()?.certificates()?;
        let own = chain.first().ok_or_else(|| self.problem(PemProblem::NoCertificate))?;
        self.is_valid(own, now)?;
        let private_key = key.read()?.private_key()?;
        let (_, parsed) = X509Certificate::from_der(own).map_err(|error| self.malformed(&error))?;
        let signing = aws_lc_rs::default_provider().key_provider.load_private_key(private_key.clone_key());
        let signing = signing.map_err(|error| key.problem(PemProblem::UnknownKey { words: error.to_string() }))?;
        if signing.public_key().is_some_and(|public| public.as_ref() != parsed.public_key().raw) {
            return Err(key.problem(PemProblem::OtherKey { certificate: self.path.clone() }));
        }
        let identity = Identity::new(chain.clone(), private_key, Some(self.path.clone()));
        identity.map_err(|error| self.malformed(&error))
    }

    /// What the user should change about a file with a secret: whether others may read it.
    pub fn exposed(&self) -> Option<String> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        // A pipe is nobody else's to open.
        (metadata.is_file() && metadata.mode() & 0o077 != 0).then(|| {
            let (path, mode) = (self.path.display(), metadata.mode() & 0o7777);
            format!(
                "the private key {path} ({}) has mode {mode:04o}: others may read it; run chmod 600 {path}",
                self.used_as
            )
        })
    }

    fn is_valid(&self, der: &CertificateDer<'_>, now: UnixTime) -> Result<(), PemError> {
        let read = Certificate::read(der);
        let read = read.ok_or_else(|| self.problem(PemProblem::Malformed { words: "it is no X.509".to_owned() }))?;
        let validity = read.validity.clone();
        let problem = match (read.validity.age(now), read.version) {
            (Age::NotYet, _) => PemProblem::NotYetValid { validity },
            (Age::Expired, _) => PemProblem::Expired { validity },
            // As the certificate of an authority it will do.
            (Age::Valid, Version::One) if self.used_as == PemUse::Certificate => PemProblem::VersionOne,
            (Age::Valid, _) => return Ok(()),
        };
        Err(self.problem(problem))
    }

    fn read(&self) -> Result<Content<'_>, PemError> {
        let failed = |error| self.problem(PemProblem::Read(error));
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(&self.path).map_err(failed)?.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.trim_ascii().is_empty() {
            return Err(self.problem(PemProblem::Empty));
        }
        Ok(Content { file: self, bytes })
    }

    fn malformed(&self, error: &dyn std::fmt::Display) -> PemError {
        self.problem(PemProblem::Malformed { words: error.to_string() })
    }

    fn problem(&self, problem: PemProblem) -> PemError {
        PemError { used_as: self.used_as, path: self.path.clone(), problem }
    }
}

/// What stands in a file.
struct Content<'a> {
    file: &'a PemFile,
    bytes: Zeroizing<Vec<u8>>,
}

impl Content<'_> {
    /// All certificates; at least one.
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, PemError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found.map_err(|error| self.file.malformed(&error))? {
            none if none.is_empty() && self.says("PRIVATE KEY") => Err(self.file.problem(PemProblem::KeyInstead)),
            none if none.is_empty() => Err(self.file.problem(PemProblem::NoCertificate)),
            found => Ok(found),
        }
    }

    /// The first private key.
    fn private_key(&self) -> Result<PrivateKeyDer<'static>, PemError> {
        if self.says("BEGIN ENCRYPTED PRIVATE KEY") || self.says("Proc-Type: 4,ENCRYPTED") {
            return Err(self.file.problem(PemProblem::EncryptedKey));
        }
        match PrivateKeyDer::pem_slice_iter(&self.bytes).next() {
            Some(key) => key.map_err(|error| self.file.malformed(&error)),
            None if self.holds_a_certificate() => Err(self.file.problem(PemProblem::CertificateInstead)),
            None => Err(self.file.problem(PemProblem::NoKey)),
        }
    }

    fn holds_a_certificate(&self) -> bool {
        let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(&self.bytes);
        sections.any(|section| matches!(section, Ok((SectionKind::Certificate, _))))
    }

    fn says(&self, words: &str) -> bool {
        self.bytes.windows(words.len()).any(|window| window == words.as_bytes())
    }
}

#[cfg(test)]
mod tests;
