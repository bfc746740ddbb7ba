//! Certificates for tests: an authority, and what it signs.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, UnixTime};

/// An authority with a name.
pub(super) struct SampleAuthority {
    pub(super) der: CertificateDer<'static>,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

impl SampleAuthority {
    /// One that has signed itself.
    pub(super) fn new(name: &str) -> SampleAuthority {
        let (params, key) = (authority(name), key());
        let der = params.self_signed(&key).unwrap().der().clone();
        SampleAuthority { der, issuer: Issuer::new(params, key) }
    }

    /// One between this and those that it signs.
    pub(super) fn intermediate(&self, name: &str) -> SampleAuthority {
        let (params, key) = (authority(name), key());
        let der = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        SampleAuthority { der, issuer: Issuer::new(params, key) }
    }

    /// A certificate signed by it.
    pub(super) fn sign(&self, params: &CertificateParams) -> CertificateDer<'static> {
        params.signed_by(&key(), &self.issuer).unwrap().der().clone()
    }
}

/// For a host with this common name, for ten years of which 2026 is the first, and without alternative names.
pub(super) fn leaf(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

/// For a host with these alternative names.
pub(super) fn leaf_for(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    changed(|params| params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names)
}

/// For a host called server, with this changed.
pub(super) fn changed(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = leaf("server");
    change(&mut params);
    params
}

/// The first second of 1 July of a year.
pub(super) fn july(year: i32) -> UnixTime {
    let seconds = date_time_ymd(year, 7, 1).unix_timestamp();
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds as u64))
}

fn authority(name: &str) -> CertificateParams {
    let mut params = leaf(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}
