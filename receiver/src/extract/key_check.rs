//! Whether decrypting made sense of the files. The oldest formats of xbcrypt (1 and 2) hold no proof of the key: by a wrong
//! one they become rubbish. What is known of the files themselves has to tell. Pure.

use xbproto::backup::{MAX_METADATA, MetadataFile};
use xbproto::stage::StageKind;
use xbproto::xbstream::StreamPath;

use super::ExtractError;

/// What the decrypted files say of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyCheck {
    /// Whether any of them would have taken another key.
    any_key: bool,
    /// Whether the key has made sense of one.
    proven: bool,
    /// The file it has made rubbish of.
    rubbish: Option<StreamPath>,
}

/// What is known of the key in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyProof {
    /// It is right, or nothing was decrypted.
    Right,
    /// Nothing tells.
    Missing,
}

impl KeyProof {
    /// What is to be said of it.
    pub(crate) fn warning(self) -> Option<&'static str> {
        (self == KeyProof::Missing).then_some(
            "nothing in these files proves that the key of --decrypt is right, and in their format a wrong one makes rubbish \
             of them: look into one of them before you rely on them",
        )
    }
}

impl KeyCheck {
    /// The most that is looked at of a file, in bytes: one more than a metadata file may have.
    pub(crate) const LOOKED_AT: usize = MAX_METADATA + 1;

    /// A file was decrypted in a format that takes any key.
    pub(crate) fn takes_any_key(&mut self) {
        self.any_key = true;
    }

    /// Takes note of the file `path`, by its name on disk, which was decoded from `kinds` and begins with `start`: up to
    /// [`LOOKED_AT`](Self::LOOKED_AT) bytes, or the first few if it is no metadata file.
    pub(crate) fn look(&mut self, path: &StreamPath, kinds: &[StageKind], start: &[u8]) {
        if start.is_empty() || !kinds.contains(&StageKind::Xbcrypt) {
            return;
        }
        // What a wrong key leaves cannot be decompressed.
        match is_metadata(path) && !is_text(start) {
            true => self.rubbish = self.rubbish.take().or_else(|| Some(path.clone())),
            false => self.proven |= is_metadata(path) || kinds.len() > 1,
        }
    }

    /// Whether it is known that the key is right.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }

    /// What all of them come to.
    ///
    /// # Errors
    /// `WrongKey` when a file that always is text is none.
    pub(crate) fn verdict(&self) -> Result<KeyProof, ExtractError> {
        match (&self.rubbish, self.any_key, self.proven) {
            (_, false, _) => Ok(KeyProof::Right),
            (Some(path), ..) => Err(ExtractError::WrongKey { path: path.clone() }),
            (None, _, true) => Ok(KeyProof::Right),
            (None, _, false) => Ok(KeyProof::Missing),
        }
    }
}

/// Whether `path` is the name, on disk, of a file that always is text.
pub(crate) fn is_metadata(path: &StreamPath) -> bool {
    MetadataFile::names().any(|(name, _)| name.as_bytes() == path.as_bytes())
}

fn is_text(bytes: &[u8]) -> bool {
    // What was read may end within a character.
    let cut = |error: std::str::Utf8Error| error.error_len().is_none() && bytes.len() > MAX_METADATA;
    !bytes.contains(&0) && std::str::from_utf8(bytes).map_or_else(cut, |_| true)
}

#[cfg(test)]
mod tests {
    use xbproto::stage::StageKind::{Xbcrypt, Zstd};

    use super::*;

    fn verdict(files: &[(&str, &[StageKind], &[u8])]) -> Result<KeyProof, String> {
        let mut check = KeyCheck::default();
        check.takes_any_key();
        files.iter().for_each(|(path, kinds, start)| check.look(&StreamPath::from(*path), kinds, start));
        check.verdict().map_err(|error| error.to_string())
    }

    #[test]
    fn metadata_that_is_text_and_what_was_decompressed_prove_the_key() {
        for right in [
            ("xtrabackup_info", &[Xbcrypt][..], "tool_name = xtrabackup\n".as_bytes()),
            ("db/t.ibd", &[Xbcrypt, Zstd], &[0]),
        ] {
            assert_eq!(verdict(&[("db/other.ibd", &[Xbcrypt], &[0]), right]), Ok(KeyProof::Right), "{right:?}");
        }
        let cut = ["é".repeat(MAX_METADATA / 2).as_bytes(), &"é".as_bytes()[..1]].concat();
        assert_eq!(verdict(&[("xtrabackup_info", &[Xbcrypt], &cut)]), Ok(KeyProof::Right));
    }

    #[test]
    fn rubbish_is_a_wrong_key() {
        for rubbish in [&b"a\xffb"[..], b"a\0b", b"\xc3"] {
            let files = [("backup-my.cnf", &[Xbcrypt][..], rubbish), ("xtrabackup_info", &[Xbcrypt], b"text")];
            assert!(verdict(&files).unwrap_err().starts_with("backup-my.cnf: decrypted, it is no text"));
        }
    }

    #[test]
    fn other_files_prove_nothing() {
        let nothing: [(&str, &[StageKind], &[u8]); 5] = [
            ("db/t.ibd", &[Xbcrypt], b"text"),
            ("db/xtrabackup_info", &[Xbcrypt], b"\xff"),
            ("xtrabackup_info", &[Xbcrypt], b""),
            ("xtrabackup_info", &[], b"text"),
            ("db/t.ibd", &[Zstd], b"x"),
        ];
        assert_eq!(verdict(&nothing), Ok(KeyProof::Missing));
        assert!(KeyProof::Missing.warning().is_some() && KeyProof::Right.warning().is_none());
        assert_eq!(KeyCheck::default().verdict().unwrap(), KeyProof::Right);
    }
}
