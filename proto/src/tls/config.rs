//! rustls set up for links: TLS 1.3, one ALPN, no tickets, no early data.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};

use super::Identity;
use crate::wire::ALPN;

/// What a dialer speaks. It takes any certificate: the proof of the key tells the right listener.
///
/// # Errors
/// When the provider lacks TLS 1.3, which would be a defect of the build.
pub fn client_config() -> Result<ClientConfig, Error> {
    let provider = provider();
    let verifier = AnyCertificate(provider.clone());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// What a listener speaks, under `identity`.
///
/// # Errors
/// When the identity's private key does not fit its certificate.
pub fn server_config(identity: &Identity) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], identity.private_key.clone_key())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.send_tls13_tickets = 0;
    // Else the dialer's order decides. Whoever lacks AES instructions suffers more from it than the other from ChaCha20.
    config.ignore_client_order = !cpu_has_aes();
    Ok(config)
}

/// aws-lc-rs with what this CPU is fastest at first. With AES instructions that is AES-128-GCM, about an eighth cheaper
/// per byte than AES-256; without them it is ChaCha20, by far. QUIC needs AES-128-GCM in any case, for its first packets.
fn provider() -> Arc<CryptoProvider> {
    let aes = [cipher_suite::TLS13_AES_128_GCM_SHA256, cipher_suite::TLS13_AES_256_GCM_SHA384];
    let chacha = [cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    let cipher_suites = match cpu_has_aes() {
        true => [&aes[..], &chacha].concat(),
        false => [&chacha[..], &aes].concat(),
    };
    Arc::new(CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() })
}

/// Whether the CPU has instructions for AES-GCM.
fn cpu_has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("aes") && std::arch::is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

/// Accepts every certificate, but checks that the peer has its private key, so that the exported
/// secret is shared with exactly one peer.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both ends agree on when they are on this host.
    fn agreed() -> rustls::CipherSuite {
        let identity = Identity::one_time().expect("an identity");
        let name = ServerName::try_from("a").expect("a name");
        let mut dialer =
            rustls::ClientConnection::new(Arc::new(client_config().expect("a client")), name).expect("a dialer");
        let listener = server_config(&identity).expect("a server");
        let mut listener = rustls::ServerConnection::new(Arc::new(listener)).expect("a listener");
        let mut hello = Vec::new();
        dialer.write_tls(&mut hello).expect("a hello");
        listener.read_tls(&mut hello.as_slice()).expect("read");
        listener.process_new_packets().expect("a valid hello");
        listener.negotiated_cipher_suite().expect("agreed").suite()
    }

    #[test]
    fn the_cipher_is_what_this_cpu_is_fastest_at() {
        let expected = match cpu_has_aes() {
            true => rustls::CipherSuite::TLS13_AES_128_GCM_SHA256,
            false => rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        };
        assert_eq!(agreed(), expected);
    }

    #[test]
    fn a_cpu_with_aes_is_recognised() {
        let flags = std::fs::read_to_string("/proc/cpuinfo").expect("a /proc");
        assert_eq!(cpu_has_aes(), flags.split_whitespace().any(|flag| flag == "aes"));
    }
}
