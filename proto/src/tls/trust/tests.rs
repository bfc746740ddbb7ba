//! Who is trusted, and what is said of who is not.

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa};
use rustls::AlertDescription;

use super::*;
use crate::tls::sample::{SampleAuthority, changed, july, leaf, leaf_for};

/// As MySQL calls the certificate that it makes for a server.
const MYSQL: &str = "MySQL_Server_8.0.36_Auto_Generated_Server_Certificate";

fn trusting(authorities: &[&SampleAuthority]) -> Authority {
    let certificates = authorities.iter().map(|authority| authority.der.clone()).collect();
    Authority::new(Path::new("ca.pem"), certificates).unwrap()
}

fn verify_ca(authorities: &[&SampleAuthority]) -> Trust {
    Trust::new(Some(trusting(authorities)), Vec::new()).unwrap()
}

fn verify_identity(authority: &SampleAuthority, dialled: &str) -> Trust {
    Trust::new(Some(trusting(&[authority]).for_name(dialled)), Vec::new()).unwrap()
}

/// Why a certificate is refused in July 2026, and the alert that its owner hears.
fn refused(trust: &Trust, end: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> (Reason, AlertDescription) {
    refused_at(trust, end, others, july(2026))
}

fn refused_at(
    trust: &Trust,
    end: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    now: UnixTime,
) -> (Reason, AlertDescription) {
    let refusal = trust.judge(end, others, now).unwrap_err();
    let alert = AlertDescription::from(refusal.for_tls());
    match refusal {
        Refusal::Refused { reason, .. } => (reason, alert),
        other => panic!("{other}"),
    }
}

fn ca() -> PathBuf {
    "ca.pem".into()
}

#[test]
fn a_servers_own_certificate_without_a_host_is_trusted() {
    let authority = SampleAuthority::new("MySQL_Server_8.0.36_Auto_Generated_CA_Certificate");
    let end = authority.sign(&leaf(MYSQL));
    assert_eq!(verify_ca(&[&authority]).judge(&end, &[], july(2026)), Ok(()));
}

#[test]
fn one_of_several_authorities_is_enough() {
    let (authority, other) = (SampleAuthority::new("one"), SampleAuthority::new("other"));
    let end = authority.sign(&leaf("server"));
    assert_eq!(verify_ca(&[&other, &authority]).judge(&end, &[], july(2026)), Ok(()));
}

#[test]
fn signatures_are_followed_over_what_is_between() {
    let root = SampleAuthority::new("root");
    let between = root.intermediate("between");
    let end = between.sign(&leaf("server"));
    let trust = verify_ca(&[&root]);
    assert_eq!(trust.judge(&end, std::slice::from_ref(&between.der), july(2026)), Ok(()));
    let (reason, _) = refused(&trust, &end, &[]);
    assert_eq!(reason, Reason::UnknownAuthority { ca: ca() });
}

#[test]
fn a_stranger_is_refused() {
    let (authority, other) = (SampleAuthority::new("one"), SampleAuthority::new("other"));
    let expected = (Reason::UnknownAuthority { ca: ca() }, AlertDescription::UnknownCA);
    assert_eq!(refused(&verify_ca(&[&authority]), &other.sign(&leaf("server")), &[]), expected);
}

#[test]
fn an_authority_of_the_same_name_is_told_from_the_right_one() {
    let (authority, other) = (SampleAuthority::new("MySQL"), SampleAuthority::new("MySQL"));
    let expected = (Reason::OtherAuthority { ca: ca() }, AlertDescription::UnknownCA);
    assert_eq!(refused(&verify_ca(&[&authority]), &other.sign(&leaf("server")), &[]), expected);
}

#[test]
fn nobody_is_trusted_before_and_after_its_time() {
    let authority = SampleAuthority::new("one");
    let (end, trust) = (authority.sign(&leaf("server")), verify_ca(&[&authority]));
    let at = |year| refused_at(&trust, &end, &[], july(year));
    assert_eq!(at(2036), (Reason::Expired, AlertDescription::CertificateExpired));
    assert_eq!(at(2025), (Reason::NotYetValid, AlertDescription::CertificateExpired));
}

#[test]
fn a_pin_does_not_outlive_the_certificate() {
    let end = SampleAuthority::new("one").sign(&leaf("server"));
    let trust = Trust::new(None, vec![Fingerprint::of(&end)]).unwrap();
    assert_eq!(trust.judge(&end, &[], july(2026)), Ok(()));
    assert_eq!(refused_at(&trust, &end, &[], july(2036)).0, Reason::Expired);
}

#[test]
fn any_of_the_pins_will_do_and_no_other_certificate() {
    let authority = SampleAuthority::new("one");
    let [first, second, third] = [(); 3].map(|()| authority.sign(&leaf("server")));
    let pins = vec![Fingerprint::of(&first), Fingerprint::of(&second)];
    let trust = Trust::new(None, pins.clone()).unwrap();
    assert_eq!(trust.judge(&second, &[], july(2026)), Ok(()));
    assert_eq!(refused(&trust, &third, &[]), (Reason::NotPinned { pins }, AlertDescription::AccessDenied));
}

#[test]
fn authority_and_pin_must_both_hold() {
    let (authority, other) = (SampleAuthority::new("one"), SampleAuthority::new("other"));
    let (ours, theirs) = (authority.sign(&leaf("server")), other.sign(&leaf("server")));
    let pinned = |end| Trust::new(Some(trusting(&[&authority])), vec![Fingerprint::of(end)]).unwrap();
    assert_eq!(pinned(&ours).judge(&ours, &[], july(2026)), Ok(()));
    assert!(matches!(refused(&pinned(&theirs), &ours, &[]).0, Reason::NotPinned { .. }));
    assert!(matches!(refused(&pinned(&theirs), &theirs, &[]).0, Reason::UnknownAuthority { .. }));
}

#[test]
fn what_demands_nothing_is_no_trust() {
    assert!(Trust::new(None, Vec::new()).is_none());
}

#[test]
fn a_name_is_looked_for_among_the_alternative_ones() {
    let authority = SampleAuthority::new("one");
    let end = authority.sign(&leaf_for(&["db1.example.com", "*.example.org", "10.0.0.1"]));
    for dialled in ["db1.example.com", "DB1.Example.Com", "db2.example.org", "10.0.0.1"] {
        assert_eq!(verify_identity(&authority, dialled).judge(&end, &[], july(2026)), Ok(()), "{dialled}");
    }
    // With alternative names the common one does not count.
    for dialled in ["db2.example.com", "a.b.example.org", "10.0.0.2", "server", "no name at all", ""] {
        let (reason, alert) = refused(&verify_identity(&authority, dialled), &end, &[]);
        assert!(matches!(reason, Reason::WrongName { .. }), "{dialled}: {reason}");
        assert_eq!(alert, AlertDescription::BadCertificate);
    }
}

#[test]
fn without_alternative_names_the_common_name_counts() {
    let authority = SampleAuthority::new("one");
    for (name, dialled, fits) in [
        ("db1.example.com", "DB1.example.com", true),
        ("10.0.0.1", "10.0.0.1", true),
        ("*.example.com", "db1.example.com", true),
        ("*.example.com", "a.b.example.com", false),
        ("*.example.com", "example.com", false),
        ("*.com", "example.com", false),
        ("*.0.0.1", "10.0.0.1", false),
        (MYSQL, "db1.example.com", false),
    ] {
        let end = authority.sign(&leaf(name));
        let judged = verify_identity(&authority, dialled).judge(&end, &[], july(2026));
        assert_eq!(judged.is_ok(), fits, "{name} for {dialled}: {judged:?}");
    }
}

#[test]
fn a_certificate_for_either_side_of_tls_will_do_and_for_none_will_not() {
    let authority = SampleAuthority::new("one");
    let with = |purposes: &[ExtendedKeyUsagePurpose]| {
        authority.sign(&changed(|params| params.extended_key_usages = purposes.to_vec()))
    };
    let trust = verify_ca(&[&authority]);
    for purpose in [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth] {
        assert_eq!(trust.judge(&with(std::slice::from_ref(&purpose)), &[], july(2026)), Ok(()), "{purpose:?}");
    }
    let expected = (Reason::Purpose, AlertDescription::UnsupportedCertificate);
    assert_eq!(refused(&trust, &with(&[ExtendedKeyUsagePurpose::CodeSigning]), &[]), expected);
}

#[test]
fn a_self_signed_certificate_is_its_own_authority() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let params = changed(|params| params.is_ca = is_ca);
        let end = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().clone();
        let trust = Trust::new(Some(Authority::new(Path::new("ca.pem"), vec![end.clone()]).unwrap()), Vec::new());
        assert_eq!(trust.unwrap().judge(&end, &[], july(2026)), Ok(()), "{:?}", params.is_ca);
    }
}

#[test]
fn an_authority_does_not_speak_for_a_host() {
    let root = SampleAuthority::new("root");
    let between = root.intermediate("between");
    let expected = (Reason::IsAuthority, AlertDescription::UnsupportedCertificate);
    assert_eq!(refused(&verify_ca(&[&root]), &between.der, &[]), expected);
}

#[test]
fn what_has_no_authority_signs_for_nobody() {
    let root = SampleAuthority::new("root");
    let key = rcgen::KeyPair::generate().unwrap();
    let host = changed(|params| params.is_ca = IsCa::ExplicitNoCa);
    let host_der = host.signed_by(&key, &root.issuer).unwrap().der().clone();
    let end = leaf("server").signed_by(&rcgen::KeyPair::generate().unwrap(), &rcgen::Issuer::new(host, key));
    let (reason, _) = refused(&verify_ca(&[&root]), end.unwrap().der(), &[host_der]);
    assert!(matches!(reason, Reason::Chain { .. } | Reason::UnknownAuthority { .. }), "{reason}");
}

#[test]
fn a_certificate_of_the_occasion_is_called_so() {
    let end = crate::tls::Identity::one_time().unwrap().chain[0].clone();
    let trust = verify_ca(&[&SampleAuthority::new("one")]);
    assert_eq!(refused(&trust, &end, &[]), (Reason::OneTime, AlertDescription::UnknownCA));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let trust = verify_ca(&[&SampleAuthority::new("one")]);
    for bytes in [&b""[..], b"\x30\x00", b"rubbish"] {
        let refusal = trust.judge(&CertificateDer::from(bytes.to_vec()), &[], july(2026)).unwrap_err();
        assert_eq!(refusal, Refusal::Unreadable);
        assert_eq!(AlertDescription::from(refusal.for_tls()), AlertDescription::BadCertificate);
    }
}
