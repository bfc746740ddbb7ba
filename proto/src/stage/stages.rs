//! What is to be undone, and for which names.

use std::sync::Arc;

use super::{Chain, FileKey, StageKind};

/// Whether compressed files are unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decompress {
    /// They stay as they are.
    #[default]
    No,
    /// They are unpacked.
    Yes,
}

/// What is to be undone in all files of a backup. By default, nothing.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Compression.
    pub decompress: Decompress,
    /// Encryption, with this key.
    pub decrypt: Option<Arc<FileKey>>,
}

impl Stages {
    /// Whether nothing is to be undone.
    pub fn is_idle(&self) -> bool {
        self.decompress == Decompress::No && self.decrypt.is_none()
    }

    /// The name without the suffixes of what is undone, and the formats in the order in which they are.
    ///
    /// Only the end of the last component of `path` counts, and the outermost format must be undone before the next:
    /// `x.zst.xbcrypt` stays as it is where only compression is to be undone. At most one encryption and one compression
    /// are; a component that is nothing but a suffix keeps it.
    pub fn of<'p>(&self, path: &'p [u8]) -> (&'p [u8], Vec<StageKind>) {
        undone(path, [self.encryptions(), self.compressions()])
    }

    /// Fresh decoders for a file that is in these formats, the first being the outermost.
    pub fn chain(&self, kinds: &[StageKind]) -> Chain {
        Chain::new(kinds, self.decrypt.as_deref())
    }

    fn encryptions(&self) -> &'static [StageKind] {
        if self.decrypt.is_some() { &StageKind::ENCRYPTIONS } else { &[] }
    }

    fn compressions(&self) -> &'static [StageKind] {
        match self.decompress {
            Decompress::Yes => &StageKind::COMPRESSIONS,
            Decompress::No => &[],
        }
    }
}

impl StageKind {
    /// The formats that the name of the file `path` tells of, the outermost first: those that [`Stages::of`] gives where all
    /// of them are undone.
    pub fn of_name(path: &[u8]) -> Vec<StageKind> {
        undone(path, [&StageKind::ENCRYPTIONS, &StageKind::COMPRESSIONS]).1
    }
}

/// The name without a suffix of each of these sets of formats in turn, and the formats.
fn undone<'p>(path: &'p [u8], sets: [&[StageKind]; 2]) -> (&'p [u8], Vec<StageKind>) {
    let (mut name, mut kinds) = (path, Vec::new());
    for candidates in sets {
        let found = candidates.iter().find_map(|kind| Some((without_suffix(name, *kind)?, *kind)));
        if let Some((shorter, kind)) = found {
            name = shorter;
            kinds.push(kind);
        }
    }
    (name, kinds)
}

/// The path less the suffix, if it has it and something of a name besides.
fn without_suffix(path: &[u8], kind: StageKind) -> Option<&[u8]> {
    let shorter = path.strip_suffix(kind.suffix().as_bytes())?;
    (!shorter.is_empty() && !shorter.ends_with(b"/")).then_some(shorter)
}

#[cfg(test)]
mod tests {
    use super::StageKind::{Lz4, Qpress, Xbcrypt, Zstd};
    use super::*;
    use crate::stage::Cipher;

    fn stages(decompress: Decompress, decrypt: bool) -> Stages {
        let key = || Arc::new(FileKey::new(Cipher::Aes128, &[7; 16]).expect("a key"));
        Stages { decompress, decrypt: decrypt.then(key) }
    }

    fn told(stages: &Stages, path: &'static str) -> (&'static str, Vec<StageKind>) {
        let (name, kinds) = stages.of(path.as_bytes());
        (std::str::from_utf8(name).expect("UTF-8"), kinds)
    }

    #[test]
    fn suffixes_are_undone_from_the_end() {
        let both = stages(Decompress::Yes, true);
        assert_eq!(told(&both, "d/x.ibd.zst.xbcrypt"), ("d/x.ibd", vec![Xbcrypt, Zstd]));
        assert_eq!(told(&both, "d/x.ibd.lz4.xbcrypt"), ("d/x.ibd", vec![Xbcrypt, Lz4]));
        assert_eq!(told(&both, "d/x.ibd.xbcrypt"), ("d/x.ibd", vec![Xbcrypt]));
        assert_eq!(told(&both, "d/x.ibd.qp"), ("d/x.ibd", vec![Qpress]));
        assert_eq!(told(&both, "d/x.ibd"), ("d/x.ibd", vec![]));
    }

    #[test]
    fn what_is_not_to_be_undone_stays_in_the_name() {
        let path = "x.zst.xbcrypt";
        assert_eq!(told(&stages(Decompress::Yes, false), path), (path, vec![]));
        assert_eq!(told(&stages(Decompress::No, true), path), ("x.zst", vec![Xbcrypt]));
        assert_eq!(told(&stages(Decompress::No, false), path), (path, vec![]));
        assert!(stages(Decompress::No, false).is_idle() && !stages(Decompress::Yes, false).is_idle());
        assert!(!stages(Decompress::No, true).is_idle());
    }

    #[test]
    fn at_most_one_of_each_is_undone() {
        let both = stages(Decompress::Yes, true);
        assert_eq!(told(&both, "x.qp.zst"), ("x.qp", vec![Zstd]));
        assert_eq!(told(&both, "x.xbcrypt.zst"), ("x.xbcrypt", vec![Zstd]));
        assert_eq!(told(&both, "x.xbcrypt.xbcrypt"), ("x.xbcrypt", vec![Xbcrypt]));
    }

    #[test]
    fn only_the_last_component_counts_and_keeps_a_name() {
        let both = stages(Decompress::Yes, true);
        for path in ["a.xbcrypt/x", "a.zst/b.qp/x.ibd", ".zst", "d/.xbcrypt", "d/.qp", "", "x.ZST", "xzst", "d.zst/"] {
            assert_eq!(told(&both, path), (path, vec![]));
        }
        assert_eq!(told(&both, "d/.zst.xbcrypt"), ("d/.zst", vec![Xbcrypt]));
        assert_eq!(told(&both, "a.xbcrypt/x.qp"), ("a.xbcrypt/x", vec![Qpress]));
    }
}
