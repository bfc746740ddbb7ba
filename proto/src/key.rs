//! The one-time key both sides prove to each other, and the form people carry it in.
//!
//! The text form is `xb1-` and 28 characters in 7 groups of 4 joined by hyphens:
//!
//! ```text
//! xb1-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX
//! ```
//!
//! The characters are Crockford's base 32 (no `I`, `L`, `O`, `U`), most significant bit first: the
//! 128 bits of the key, then 12 check bits. These are a CRC-12/DECT (polynomial 0x80F, register
//! starting at 0, nothing reflected or inverted) over the three bytes `xb1` and the 16 of the key.
//! Such a check finds every error confined to 12 neighbouring bits. A wrong character is confined to 5
//! and a swap of two neighbours to 10, so both are always found, as are any three wrong bits;
//! of other mistakes all but one in 4096 are.
//!
//! Reading is kind: case does not matter, `O` is 0, `I` and `L` are 1, spaces and hyphens may
//! stand anywhere. Anything else is refused.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// What every key in text form begins with; the digit is the version of the form.
pub const PREFIX: &str = "xb1";

/// Characters after the prefix.
const DIGITS: usize = 28;

/// Characters between two hyphens.
const GROUP: usize = 4;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 128 random bits only the two ends know. Masked in `Debug`, without `Display`, wiped on drop.
#[derive(Clone)]
pub struct Key([u8; 16]);

impl Key {
    /// The key made of 16 bytes, which must come from the system's random source.
    pub fn new(random: [u8; 16]) -> Key {
        Key(random)
    }

    /// The bits themselves, for the proof.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The text form. It is for the eyes of the person at the terminal, or for a file of mode
    /// 0600: never for a log.
    pub fn reveal(&self) -> String {
        let bits = (u128::from_be_bytes(self.0), check(&self.0));
        let mut text = String::from(PREFIX);
        for position in 0..DIGITS {
            if position % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[digit(bits, position)]));
        }
        text
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(xb1-****)")
    }
}

/// Why a text is not a key. The messages never repeat any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It does not begin with `xb1`.
    #[error("this is not a key: it does not begin with xb1- (expected {FORM})")]
    Prefix,
    /// A character that no key contains.
    #[error("character {position} of the key is none that a key contains (expected {FORM}); copy it again")]
    Character {
        /// Its place in the text as given, from 1, spaces and hyphens counted.
        position: usize,
    },
    /// Too few or too many characters.
    #[error("the key has {found} characters after xb1-, expected {DIGITS} (without hyphens); copy it again")]
    Length {
        /// How many there are after the prefix, without spaces and hyphens.
        found: usize,
    },
    /// The check digits do not fit the rest.
    #[error("the key's check digits do not fit: a character is wrong or two are swapped; copy it again")]
    CheckDigits,
}

/// What the messages show instead of a key.
const FORM: &str = "xb1- and 7 groups of 4 letters and digits";

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Key, KeyError> {
        let mut characters =
            text.chars().enumerate().filter(|(_, character)| *character != '-' && !character.is_whitespace());
        for expected in PREFIX.chars() {
            match characters.next() {
                Some((_, found)) if found.eq_ignore_ascii_case(&expected) => {}
                _ => return Err(KeyError::Prefix),
            }
        }
        let (mut key, mut sum, mut found) = (0_u128, 0_u16, 0);
        for (at, character) in characters {
            let value = value(character).ok_or(KeyError::Character { position: at + 1 })?;
            // Character 25 is shared: three bits end the key, two begin the check.
            match found {
                0..25 => key = key << 5 | u128::from(value),
                25 => (key, sum) = (key << 3 | u128::from(value >> 2), u16::from(value & 3)),
                _ => sum = sum << 5 | u16::from(value),
            }
            found += 1;
        }
        let key = Key(key.to_be_bytes());
        match found {
            DIGITS if check(&key.0) == sum => Ok(key),
            DIGITS => Err(KeyError::CheckDigits),
            _ => Err(KeyError::Length { found }),
        }
    }
}

/// The five bits at a position of the text form.
fn digit((key, check): (u128, u16), position: usize) -> usize {
    let five_bits = match position {
        0..25 => key >> (123 - 5 * position),
        25 => key << 2 | u128::from(check >> 10),
        _ => u128::from(check >> (5 * (27 - position))),
    };
    (five_bits & 31) as usize
}

/// The five bits a character stands for.
fn value(character: char) -> Option<u8> {
    let plain = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|known| char::from(*known) == plain).map(|value| value as u8)
}

/// The check bits of a key.
fn check(key: &[u8; 16]) -> u16 {
    crc12(PREFIX.bytes().chain(key.iter().copied()))
}

/// CRC-12/DECT.
fn crc12(bytes: impl Iterator<Item = u8>) -> u16 {
    bytes.fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(byte) << 4, |crc, _| {
            let shifted = crc << 1 & 0xFFF;
            if crc & 0x800 == 0 { shifted } else { shifted ^ 0x80F }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counting() -> Key {
        Key::new(std::array::from_fn(|index| index as u8))
    }

    fn refusal(text: &str) -> KeyError {
        text.parse::<Key>().expect_err("refused")
    }

    #[test]
    fn the_check_is_the_catalogued_one() {
        assert_eq!(crc12(b"123456789".iter().copied()), 0xF5B);
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let text = counting().reveal();
        assert_eq!(text, "xb1-000G-40R4-0M30-E209-185G-R38E-1Z7Z");
        assert_eq!(text.parse::<Key>().expect("reads back").as_bytes(), counting().as_bytes());
    }

    #[test]
    fn reading_is_kind_to_people() {
        let text = counting().reveal();
        for kind in [
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('0', "o").replace("-1", "-l").replace("91", "9I"),
            format!("  {text}\r\n"),
        ] {
            let read = kind.parse::<Key>();
            assert_eq!(read.map(|key| *key.as_bytes()), Ok(*counting().as_bytes()), "{kind:?}");
        }
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        let text = counting().reveal();
        assert_eq!(refusal(""), KeyError::Prefix);
        assert_eq!(refusal("xb2-0000"), KeyError::Prefix);
        assert_eq!(refusal(&text[4..]), KeyError::Prefix);
        assert_eq!(refusal("xb1-"), KeyError::Length { found: 0 });
        assert_eq!(refusal(&text[..text.len() - 1]), KeyError::Length { found: 27 });
        assert_eq!(refusal(&format!("{text}0")), KeyError::Length { found: 29 });
        assert_eq!(refusal(&text.replacen('G', "U", 1)), KeyError::Character { position: 8 });
        assert_eq!(refusal(&text.replacen('G', "é", 1)), KeyError::Character { position: 8 });
        assert_eq!(refusal(&"xb1-0000".repeat(10_000)), KeyError::Length { found: 69_997 });
        assert_eq!(refusal(&text.replacen('G', "H", 1)), KeyError::CheckDigits);
        assert_eq!(refusal("xb1-0000-0000-0000-0000-0000-0000-0000"), KeyError::CheckDigits);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", counting()), "Key(xb1-****)");
    }

    proptest! {
        #[test]
        fn every_key_is_read_back(bytes: [u8; 16]) {
            let read = Key::new(bytes).reveal().parse::<Key>();
            prop_assert_eq!(read.map(|key| *key.as_bytes()), Ok(bytes));
        }

        #[test]
        fn every_single_wrong_character_is_found(bytes: [u8; 16]) {
            let text = Key::new(bytes).reveal();
            for (at, right) in text.char_indices().skip(PREFIX.len()).filter(|(_, right)| *right != '-') {
                for wrong in ALPHABET.iter().map(|byte| char::from(*byte)).filter(|wrong| *wrong != right) {
                    let mut mistyped = text.clone();
                    mistyped.replace_range(at..=at, &wrong.to_string());
                    prop_assert_eq!(refusal(&mistyped), KeyError::CheckDigits);
                }
            }
        }

        #[test]
        fn every_swap_of_neighbours_is_found(bytes: [u8; 16]) {
            let text = Key::new(bytes).reveal().replace('-', "");
            for at in PREFIX.len()..text.len() - 1 {
                let mut swapped = text.clone().into_bytes();
                swapped.swap(at, at + 1);
                let swapped = String::from_utf8(swapped).expect("ASCII");
                if swapped != text {
                    prop_assert_eq!(refusal(&swapped), KeyError::CheckDigits);
                }
            }
        }

        #[test]
        fn no_text_makes_reading_panic(text in "(xb1)?.{0,40}") {
            let _ = text.parse::<Key>();
        }
    }
}
