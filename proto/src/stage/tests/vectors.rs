//! Files from elsewhere.

use super::support::{hex, original};
use crate::stage::{Decompress, StageKind, Stages};

/// As mariabackup wrote it: `xtrabackup_binlog_info.qp`.
pub(super) const BINLOG_INFO_QP: &str = "7170726573733130 0000010000000000 46 16000000 \
    787472616261636b75705f62696e6c6f675f696e666f 00 4e4557424e455742 0000000000000000 a507569c \
    45 25 1e 00000080 62696e6c6f672e303030303031093431353130363335 09302d312d31310a 454e4453454e4453 0000000000000000";

#[test]
fn a_file_of_mariabackup_is_unpacked() {
    let stages = Stages { decompress: Decompress::Yes, decrypt: None };
    let out = original(&stages, &[StageKind::Qpress], &hex(BINLOG_INFO_QP));
    assert_eq!(out, b"binlog.000001\t41510635\t0-1-11\n");
}
