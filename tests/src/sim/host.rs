//! QUIC endpoints that leave nothing to chance.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quinn::crypto::HmacKey;
use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig};
use xbproto::tls::Identity;

use super::Rng;

/// Bytes of a connection id, as quinn's own generator has them.
const ID_LEN: usize = 8;

/// A configuration in which everything follows from `seed`.
pub fn endpoint_config(seed: u64) -> EndpointConfig {
    let mut rng = Rng::new(seed, ENDPOINT);
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&rng.number().to_be_bytes()));
    let mut config = EndpointConfig::new(Arc::new(ResetKey(rng.number())));
    config.rng_seed(Some(bytes)).cid_generator(move || Box::new(Ids(Rng::new(seed, IDS))));
    config
}

/// The certificate of every listener in this process. The length of a certificate differs by a byte
/// now and then, and with it the packets of the handshake.
///
/// # Panics
/// When none can be made.
pub fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::one_time().expect("making a key needs only memory and randomness"))
}

const ENDPOINT: u64 = 1;
const IDS: u64 = 2;

/// Connection ids in a fixed order.
struct Ids(Rng);

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&self.0.number().to_be_bytes())
    }

    fn cid_len(&self) -> usize {
        ID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// Stateless reset tokens nobody needs to trust: different for different connections is enough.
struct ResetKey(u64);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature: &mut [u8]) {
        let seed = data.iter().fold(self.0, |sum, byte| Rng::new(sum, u64::from(*byte)).number());
        let mut rng = Rng::new(seed, 0);
        signature.iter_mut().for_each(|byte| *byte = rng.number() as u8);
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), quinn::crypto::CryptoError> {
        let mut expected = vec![0; self.signature_len()];
        self.sign(data, &mut expected);
        if signature == expected { Ok(()) } else { Err(quinn::crypto::CryptoError) }
    }
}
