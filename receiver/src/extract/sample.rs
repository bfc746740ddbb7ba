//! A file that is encrypted in a format that takes any key, for tests.

/// Its key, of AES-128.
pub(crate) const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Three chunks of version 1, as proto's tests have them.
const XBCRYPT_1: &str = "\
    584243525950303100000000000000000500000000000000050000000000000088530ca3b2ce1b55e25842435259503031000000\
    00000000000000000000000000000000000000000000000000584243525950303100000000000000002f000000000000002f0000\
    0000000000532423cee6ce4917e9e02fa21b20a100c4e4f80d1b2767b5fcb3946a211e9d9210915e7e20b9e97fb9efc9ac81ec5a\
    1b15f3d5";

/// Its bytes.
pub(crate) fn xbcrypt_1() -> Vec<u8> {
    let digits: Vec<u32> = XBCRYPT_1.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}
