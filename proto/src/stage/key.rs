//! The key that a backup's files were encrypted with, as the tool was given it.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// The longest key, in bytes.
const LONGEST: usize = 32;

/// What xtrabackup's `--encrypt` names. Nothing in an encrypted file tells which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES with a key of 16 bytes.
    Aes128,
    /// AES with a key of 24 bytes.
    Aes192,
    /// AES with a key of 32 bytes.
    Aes256,
}

impl Cipher {
    const ALL: [Cipher; 3] = [Cipher::Aes128, Cipher::Aes192, Cipher::Aes256];

    /// How long its key is, in bytes.
    pub fn key_len(self) -> usize {
        match self {
            Cipher::Aes128 => 16,
            Cipher::Aes192 => 24,
            Cipher::Aes256 => 32,
        }
    }
}

/// As xtrabackup spells it.
impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cipher::Aes128 => "AES128",
            Cipher::Aes192 => "AES192",
            Cipher::Aes256 => "AES256",
        })
    }
}

/// A name of no cipher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown cipher {name:?}: expected AES128, AES192 or AES256, as in xtrabackup's --encrypt")]
pub struct UnknownCipher {
    /// What was written.
    pub name: String,
}

/// In any case of letters.
impl FromStr for Cipher {
    type Err = UnknownCipher;

    fn from_str(name: &str) -> Result<Cipher, UnknownCipher> {
        let named = |cipher: &Cipher| cipher.to_string().eq_ignore_ascii_case(name);
        Cipher::ALL.into_iter().find(named).ok_or_else(|| UnknownCipher { name: name.to_owned() })
    }
}

/// A cipher and its key: the bytes given to the tool, without any derivation. Masked in `Debug`, wiped on drop.
pub struct FileKey {
    cipher: Cipher,
    bytes: Zeroizing<[u8; LONGEST]>,
}

/// A key of another length than its cipher takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cipher} takes a key of {} bytes, this one has {actual}{}", cipher.key_len(), hint(*cipher, *actual))]
pub struct KeyLengthError {
    /// The cipher.
    pub cipher: Cipher,
    /// Length of the key in bytes.
    pub actual: usize,
}

fn hint(cipher: Cipher, actual: usize) -> &'static str {
    if actual == cipher.key_len() + 1 {
        ": does it end with a line feed? The tool would have taken that as part of the key"
    } else {
        ""
    }
}

impl FileKey {
    /// The key of `cipher` that is exactly `bytes`.
    ///
    /// # Errors
    /// [`KeyLengthError`] when they are not [`Cipher::key_len`] bytes.
    pub fn new(cipher: Cipher, bytes: &[u8]) -> Result<FileKey, KeyLengthError> {
        if bytes.len() != cipher.key_len() {
            return Err(KeyLengthError { cipher, actual: bytes.len() });
        }
        let mut key = FileKey { cipher, bytes: Zeroizing::new([0; LONGEST]) };
        key.bytes[..bytes.len()].copy_from_slice(bytes);
        Ok(key)
    }

    /// What it is a key of.
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// Its first `N` bytes.
    pub(super) fn first<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        bytes.copy_from_slice(&self.bytes[..N]);
        bytes
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({}, …)", self.cipher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_are_named_as_the_tool_names_them() {
        for cipher in Cipher::ALL {
            assert_eq!(cipher.to_string().parse(), Ok(cipher));
            assert_eq!(cipher.to_string().to_lowercase().parse(), Ok(cipher));
        }
        let error = "AES-256".parse::<Cipher>().expect_err("no cipher");
        assert!(error.to_string().contains("AES128, AES192 or AES256"), "{error}");
    }

    #[test]
    fn a_key_has_the_length_of_its_cipher() {
        for cipher in Cipher::ALL {
            for len in 0..=40 {
                let key = FileKey::new(cipher, &vec![b'k'; len]);
                assert_eq!(key.is_ok(), len == cipher.key_len());
            }
        }
        let text = |len| FileKey::new(Cipher::Aes256, &vec![b'k'; len]).expect_err("its length").to_string();
        assert_eq!(text(31), "AES256 takes a key of 32 bytes, this one has 31");
        assert!(text(33).starts_with("AES256 takes a key of 32 bytes, this one has 33: does it end with a line feed?"));
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = FileKey::new(Cipher::Aes128, b"sixteen secret b").expect("a key");
        assert_eq!(format!("{key:?}"), "FileKey(AES128, …)");
    }
}
