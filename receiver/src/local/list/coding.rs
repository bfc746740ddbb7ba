//! How a file is compressed and encrypted, as the suffixes of its name say. The backup tools append them, and nothing else
//! in a stream tells.

use xbproto::xbstream::StreamPath;

/// Suffixes of the backup tools, and what made them.
const SUFFIXES: [(&[u8], &str); 4] =
    [(b".qp", "qpress"), (b".zst", "zstd"), (b".lz4", "lz4"), (b".xbcrypt", "xbcrypt")];

/// What was done to a file, in the order in which it was done.
pub(super) fn codings(path: &StreamPath) -> Vec<&'static str> {
    let (mut name, mut codings) = (path.as_bytes(), Vec::new());
    while let Some((rest, coding)) =
        SUFFIXES.iter().find_map(|(suffix, coding)| Some((name.strip_suffix(*suffix)?, *coding)))
    {
        codings.insert(0, coding);
        name = rest;
    }
    codings
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
        ] {
            assert_eq!(codings(&StreamPath::from(name)), expected, "{name}");
        }
    }
}
