//! rustls set up for links: TLS 1.3, one ALPN, no tickets, no early data.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::{ClientConfig, Error, ServerConfig};

use super::Credentials;
use super::verifier::{Judgement, Verifier};
use crate::wire::ALPN;

/// What a dialer speaks on one connection, and where is told why it has refused the listener's certificate, if it has.
/// If `credentials` demand nothing of that, any will do: the proof of the key tells the right listener.
///
/// # Errors
/// When the provider lacks TLS 1.3, which would be a defect of the build.
pub fn client_config(credentials: &Credentials) -> Result<(ClientConfig, Judgement), Error> {
    let provider = provider();
    let (verifier, judgement) = Verifier::new(&provider, credentials);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match credentials.identity() {
        Some(identity) => builder.with_client_cert_resolver(identity.shown.clone()),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    // The right certificate is told by the credentials, and nobody on the way needs to know what was dialled.
    config.enable_sni = false;
    Ok((config, judgement))
}

/// What a listener speaks on one connection, and where is told why it has refused the dialer's certificate, if it has.
/// It asks for one only if `credentials` demand something of it.
///
/// # Errors
/// When there is no certificate to show: see [`Credentials::for_listener`].
pub fn server_config(credentials: &Credentials) -> Result<(ServerConfig, Judgement), Error> {
    let provider = provider();
    let (verifier, judgement) = Verifier::new(&provider, credentials);
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = match credentials.trust() {
        Some(_) => builder.with_client_cert_verifier(Arc::new(verifier)),
        None => builder.with_no_client_auth(),
    };
    let identity = credentials.identity();
    let identity = identity.ok_or_else(|| Error::General("a listener without a certificate".to_owned()))?;
    let mut config = builder.with_cert_resolver(identity.shown.clone());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.send_tls13_tickets = 0;
    // Else the dialer's order decides. Whoever lacks AES instructions suffers more from it than the other from ChaCha20.
    config.ignore_client_order = !cpu_has_aes();
    Ok((config, judgement))
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

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::*;
    use crate::key::Key;

    /// What both ends agree on when they are on this host.
    fn agreed() -> rustls::CipherSuite {
        let credentials = Credentials::shared_key(Key::new([7; 16])).for_listener().expect("an identity");
        let name = ServerName::try_from("a").expect("a name");
        let (dialer, _) = client_config(&credentials).expect("a client");
        let mut dialer = rustls::ClientConnection::new(Arc::new(dialer), name).expect("a dialer");
        let (listener, _) = server_config(&credentials).expect("a server");
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
