//! How a file is compressed and encrypted, as the suffixes of its name say. The backup tools append them, and nothing else
//! in a stream tells.

use xbproto::stage::StageKind;
use xbproto::xbstream::StreamPath;

/// What was done to a file, in the order in which it was done.
pub(super) fn codings(path: &StreamPath) -> Vec<String> {
    StageKind::of_name(path.as_bytes()).into_iter().rev().map(|kind| kind.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_told_in_the_order_of_their_making() {
        for (name, expected) in [
            ("ibdata1", &[][..]),
            ("a.ibd.qp", &["qpress"]),
            ("a.ibd.zst.xbcrypt", &["zstd", "xbcrypt"]),
            ("a.ibd.lz4", &["lz4"]),
            ("a.zst/b.ibd", &[]),
            // As unpacking takes them.
            ("a.zst.zst", &["zstd"]),
            (".zst", &[]),
        ] {
            assert_eq!(codings(&StreamPath::from(name)), expected, "{name}");
        }
    }
}
