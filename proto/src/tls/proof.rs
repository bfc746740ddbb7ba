//! Proofs of the key, bound to one TLS connection.

use aws_lc_rs::hmac;

use crate::key::Key;
use crate::wire::Proof;

/// Which end of a link a proof speaks for, so that neither can be sent back as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// The end that opened the connection.
    Dialer,
    /// The end that was connected to.
    Listener,
}

/// The bytes both ends of one TLS connection export, and nobody else can.
#[derive(Clone, Copy)]
pub struct ChannelBinding(pub [u8; 32]);

/// The proof that this end has `key`, or that it has none.
pub fn prove(key: Option<&Key>, end: LinkEnd, channel: &ChannelBinding) -> Proof {
    let tag = hmac::sign(&mac(key), &statement(end, channel));
    let mut proof = [0; 32];
    proof.copy_from_slice(tag.as_ref());
    Proof(proof)
}

/// Whether `proof` shows that the peer, being `end`, has `key`, or that it has none. Takes the same time for any proof.
pub fn verify(key: Option<&Key>, end: LinkEnd, channel: &ChannelBinding, proof: &Proof) -> bool {
    hmac::verify(&mac(key), &statement(end, channel), &proof.0).is_ok()
}

/// What stands for the key where certificates alone decide. Everybody knows it: it only shows that nothing was forgotten.
/// No key is the same to HMAC, which fills up with zeros what is shorter than its blocks.
pub const NO_KEY: &[u8; 17] = b"xb without a key.";

fn mac(key: Option<&Key>) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.map_or(NO_KEY.as_slice(), |key| key.as_bytes()))
}

fn statement(end: LinkEnd, channel: &ChannelBinding) -> Vec<u8> {
    let label: &[u8] = match end {
        LinkEnd::Dialer => b"xb dialer",
        LinkEnd::Listener => b"xb listener",
    };
    [label, &channel.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_end_and_channel_verify() {
        let (key, other_key) = (Key::new([1; 16]), Key::new([2; 16]));
        let (channel, other_channel) = (ChannelBinding([3; 32]), ChannelBinding([4; 32]));
        for (key, other) in [(Some(&key), Some(&other_key)), (Some(&key), None), (None, Some(&key))] {
            let proof = prove(key, LinkEnd::Dialer, &channel);
            assert!(verify(key, LinkEnd::Dialer, &channel, &proof));
            assert!(!verify(other, LinkEnd::Dialer, &channel, &proof));
            assert!(!verify(key, LinkEnd::Listener, &channel, &proof));
            assert!(!verify(key, LinkEnd::Dialer, &other_channel, &proof));
        }
    }
}
