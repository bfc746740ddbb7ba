//! Files that others made: a tool of MariaDB, and the encoders in `tests/encoders`, which share no code with this.

use super::support::{hex, original, stages};
use crate::stage::{Cipher, StageKind};

/// As mariabackup wrote it: `xtrabackup_binlog_info.qp`.
pub(super) const BINLOG_INFO_QP: &str = "7170726573733130 0000010000000000 46 16000000 \
    787472616261636b75705f62696e6c6f675f696e666f 00 4e4557424e455742 0000000000000000 a507569c \
    45 25 1e 00000080 62696e6c6f672e303030303031093431353130363335 09302d312d31310a 454e4453454e4453 0000000000000000";

/// Three chunks of 5, 0 and 47 bytes, AES-128.
pub(super) const XBCRYPT_1: &str = "584243525950303100000000000000000500000000000000050000000000000088530ca3b2ce1b55e2584243525950303100000000000000 \
    000000000000000000000000000000000000000000584243525950303100000000000000002f000000000000002f00000000000000532423 \
    cee6ce4917e9e02fa21b20a100c4e4f80d1b2767b5fcb3946a211e9d9210915e7e20b9e97fb9efc9ac81ec5a1b15f3d5";

/// The same in version 2, AES-192.
pub(super) const XBCRYPT_2: &str = "58424352595030320000000000000000050000000000000005000000000000007c5fe8f61000000000000000ffffffffffffffffffffffff \
    fffffffee50d71e0795842435259503032000000000000000000000000000000000000000000000000000000001000000000000000ffffff \
    fffffffffffffffffffffffffe584243525950303200000000000000002f000000000000002f0000000000000004127af710000000000000 \
    00fffffffffffffffffffffffffffffffeb10d23a2721cd102b7f9f6455d2db673212f4c7a224c8fc37b8fccd97d071463b26c7ca797394b \
    0ce127625582b840";

/// The same in version 3, AES-256. The counter runs over from the lowest bits to the highest.
pub(super) const XBCRYPT_3: &str = "584243525950303300000000000000002500000000000000250000000000000037f91a5e1000000000000000ffffffffffffffffffffffff \
    fffffffe178a9460d014b9fd840744cb1fbee866aaf1c1abfb70950e292dc98b3f556c1e9656f7972d584243525950303300000000000000 \
    00200000000000000020000000000000008676ad1e1000000000000000fffffffffffffffffffffffffffffffe805570402de254c960160d \
    1600a39e60ce37a5f9283ce396f712886025ddefbb584243525950303300000000000000004f000000000000004f000000000000004b7e41 \
    4e1000000000000000fffffffffffffffffffffffffffffffe438ac622db713cfd8e82d9bcfce0073081f8903d25d450ae3be2310a28ea24 \
    9a9bff6e9a0a3df0f0cb96ba19a85c12916f704441afe08450e70b6f13d66ea1e747eb163a2f6a24128d676c8a3f173c";

/// A frame of 52 bytes, an empty one, one to be skipped, one of 1040 bytes.
pub(super) const ZSTD: &str = "28b52ffd0448a10100746f206265206f72206e6f7420746f2062652c207468617420697320746865207175657374696f6e2c20746f206265 \
    2073757265a694d0d328b52ffd240001000099e9d851532a4d180300000061626328b52ffd0448ed01004403746f206265206f72206e6f74 \
    20746f2062652c207468617420697320746865207175657374696f6e2c20746f2062652073757265010094fd560a0a688d9c50";

/// Frames of 156 and 52 bytes, as xtrabackup's.
pub(super) const LZ4: &str = "04224d186c409c00000000000000823d000000d1746f206265206f72206e6f74200d00f2082c207468617420697320746865207175657374 \
    696f6e2c1d0051207375726527000f34004b502073757265000000006bfede8104224d186c403400000000000000ab34000000d1746f2062 \
    65206f72206e6f74200d00f0132c207468617420697320746865207175657374696f6e2c20746f2062652073757265000000006988590b";

/// A frame of 9 bytes that cannot be compressed.
pub(super) const LZ4_STORED: &str = "04224d186c400900000000000000ad0a00000090fd3feb3c9250b7978b000000004733599f";

/// Two blocks of 67600 bytes in all, the second referring to the first; each with its checksum.
pub(super) const LZ4_LINKED: &str = "04224d185440ae3d010000d1746f206265206f72206e6f74200d00f2082c207468617420697320746865207175657374696f6e2c1d005120 \
    7375726527000f3400ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff \
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff \
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff \
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff \
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffaf507420746f20df03ecd612000000 \
    0ff0ffffffffffffffffff00502073757265a238f5cf00000000dafb0368";

/// Blocks of 400 and 108 bytes in chunks of 400, of which two are shorter.
pub(super) const QPRESS: &str = "717072657373313090010000000000004605000000742e4d5944004e4557424e4557420000000000000000011752a9453f4500208080746f \
    206265206f72206e6f742023d72c2074686174206973712a6520717565737418060080696f6ee176d3647375726523d76680746f20624e45 \
    57424e4557424500000000000000ec1ba07847560000009001000000042080652c2074686174206973712a65207175657374696f6ee1766f \
    2062652073757265028e038074d3646f72206e6f742023d7e176e0621f0000000000ff00002a23d7206f72206e6f74204e4557424e455742 \
    d501000000000000470e5725442a27746f2062652c207468617420697320746865207175657374696f6e2c20746f2062652073757265454e \
    4453454e44530000000000000000";

/// What was encoded, once or several times.
pub(super) const TEXT: &[u8] = b"to be or not to be, that is the question, to be sure";

/// The longest key; shorter ones are its beginning.
pub(super) const KEY: [u8; 32] = {
    let mut key = [0; 32];
    let mut at = 0;
    while at < key.len() {
        key[at] = at as u8;
        at += 1;
    }
    key
};

/// A file, what is undone in it, and its original.
pub(super) struct Vector {
    pub(super) cipher: Cipher,
    pub(super) kind: StageKind,
    pub(super) file: Vec<u8>,
    pub(super) original: Vec<u8>,
}

/// All of them.
pub(super) fn all() -> Vec<Vector> {
    use StageKind::{Lz4, Qpress, Xbcrypt, Zstd};
    let vector =
        |cipher, kind, file, original: &[&[u8]]| Vector { cipher, kind, file: hex(file), original: original.concat() };
    let of = |kind, file, original: &[&[u8]]| vector(Cipher::Aes256, kind, file, original);
    vec![
        vector(Cipher::Aes128, Xbcrypt, XBCRYPT_1, &[TEXT]),
        vector(Cipher::Aes192, Xbcrypt, XBCRYPT_2, &[TEXT]),
        vector(Cipher::Aes256, Xbcrypt, XBCRYPT_3, &[TEXT]),
        of(Zstd, ZSTD, &[TEXT, &TEXT.repeat(20)]),
        of(Lz4, LZ4, &[&TEXT.repeat(3), TEXT]),
        of(Lz4, LZ4_STORED, &[&hex("fd3feb3c9250b7978b")]),
        of(Lz4, LZ4_LINKED, &[&TEXT.repeat(1300)]),
        of(Qpress, QPRESS, &[&TEXT.repeat(3), &[0; 300], TEXT]),
        of(Qpress, BINLOG_INFO_QP, &[b"binlog.000001\t41510635\t0-1-11\n"]),
    ]
}

#[test]
fn what_others_made_is_undone() {
    for vector in all() {
        let stages = stages(vector.cipher, &KEY[..vector.cipher.key_len()]);
        assert_eq!(original(&stages, &[vector.kind], &vector.file), vector.original, "{}", vector.kind);
    }
}
