//! AES in counter mode, with a key of any of its lengths.

use aes::cipher::{InnerIvInit, KeyInit, StreamCipher};
use aes::{Aes128, Aes192, Aes256};
use ctr::{Ctr128BE, CtrCore};

use crate::stage::{Cipher, FileKey};

/// A key made ready, once for a file.
pub(super) enum Aes {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl Aes {
    pub(super) fn new(key: &FileKey) -> Aes {
        match key.cipher() {
            Cipher::Aes128 => Aes::Aes128(Aes128::new((&*key.first::<16>()).into())),
            Cipher::Aes192 => Aes::Aes192(Aes192::new((&*key.first::<24>()).into())),
            Cipher::Aes256 => Aes::Aes256(Aes256::new((&*key.first::<32>()).into())),
        }
    }

    /// What a chunk is encrypted with whose counter begins here.
    pub(super) fn keystream(&self, counter: &[u8; 16]) -> Keystream {
        match self {
            Aes::Aes128(aes) => {
                Keystream::Aes128(Ctr128BE::from_core(CtrCore::inner_iv_init(aes.clone(), counter.into())))
            }
            Aes::Aes192(aes) => {
                Keystream::Aes192(Ctr128BE::from_core(CtrCore::inner_iv_init(aes.clone(), counter.into())))
            }
            Aes::Aes256(aes) => {
                Keystream::Aes256(Ctr128BE::from_core(CtrCore::inner_iv_init(aes.clone(), counter.into())))
            }
        }
    }
}

/// What a chunk is encrypted with, from where it was left.
pub(super) enum Keystream {
    Aes128(Ctr128BE<Aes128>),
    Aes192(Ctr128BE<Aes192>),
    Aes256(Ctr128BE<Aes256>),
}

impl Keystream {
    /// Decrypts the next bytes of the chunk.
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        match self {
            Keystream::Aes128(keystream) => keystream.apply_keystream(bytes),
            Keystream::Aes192(keystream) => keystream.apply_keystream(bytes),
            Keystream::Aes256(keystream) => keystream.apply_keystream(bytes),
        }
    }
}
