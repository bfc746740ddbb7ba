//! Files through chains.

use std::sync::Arc;

use crate::stage::{Cipher, Decompress, FileKey, StageError, StageKind, Stages, fuzz};

/// What a file is undone with in these tests.
pub(super) fn stages(cipher: Cipher, key: &[u8]) -> Stages {
    let key = FileKey::new(cipher, key).expect("a key");
    Stages { decompress: Decompress::Yes, decrypt: Some(Arc::new(key)) }
}

/// The bytes in hexadecimal digits, between which there may be spaces.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// What comes out of a file that is fed in pieces of `piece` bytes, and how it ended.
pub(super) fn undo(
    stages: &Stages,
    kinds: &[StageKind],
    file: &[u8],
    piece: usize,
) -> (Vec<u8>, Result<(), StageError>) {
    fuzz::undo(stages, kinds, file, &[piece])
}

/// The original of a file, the same however it is fed.
pub(super) fn original(stages: &Stages, kinds: &[StageKind], file: &[u8]) -> Vec<u8> {
    let whole = undo(stages, kinds, file, file.len());
    assert_eq!(whole.1, Ok(()));
    for piece in [1, 7, 4096] {
        assert_eq!(undo(stages, kinds, file, piece), whole);
    }
    whole.0
}

/// Why a file is refused, the same however it is fed.
pub(super) fn refusal(stages: &Stages, kinds: &[StageKind], file: &[u8]) -> StageError {
    let error = undo(stages, kinds, file, file.len()).1.expect_err("an error");
    assert_eq!(undo(stages, kinds, file, 1).1, Err(error.clone()));
    error
}
