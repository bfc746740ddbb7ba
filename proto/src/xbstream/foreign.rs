//! What the bytes are that stand where a chunk should begin.

use std::fmt;

/// How many bytes of a foreign stream an error quotes.
const QUOTED: usize = 48;

/// A few of the offending bytes, kept to be shown to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    bytes: Box<[u8]>,
    cut: bool,
}

impl Quote {
    /// Keeps the first 48 of `bytes`.
    pub fn new(bytes: &[u8]) -> Quote {
        let kept = &bytes[..bytes.len().min(QUOTED)];
        Quote { bytes: kept.into(), cut: kept.len() < bytes.len() }
    }

    /// The bytes that were kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// In double quotes and safe on a terminal; `…` follows if there was more in hand.
impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match text_of(&self.bytes) {
            Some(text) => write!(f, "{text:?}")?,
            None => write!(f, "\"{}\"", self.bytes.escape_ascii())?,
        }
        f.write_str(if self.cut { "…" } else { "" })
    }
}

impl fmt::Debug for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Formats that are piped into a backup's place by mistake, or on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// A tar archive.
    Tar,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
    /// The lz4 frame format.
    Lz4,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// `openssl enc` with a salt.
    OpenSsl,
    /// qpress.
    Qpress,
    /// xbcrypt around a whole stream.
    Xbcrypt,
    /// None of these.
    Unknown,
}

impl Foreign {
    /// The formats with a magic at byte 0.
    const MAGICS: [(&'static [u8], Foreign); 8] = [
        (b"\x1f\x8b", Foreign::Gzip),
        (b"\x28\xb5\x2f\xfd", Foreign::Zstd),
        (b"\x04\x22\x4d\x18", Foreign::Lz4),
        (b"\xfd7zXZ\0", Foreign::Xz),
        (b"BZh", Foreign::Bzip2),
        (b"Salted__", Foreign::OpenSsl),
        (b"qpress10", Foreign::Qpress),
        (b"XBCRYP", Foreign::Xbcrypt),
    ];

    /// Names the format of a stream by its first bytes, as many as are in hand.
    pub fn recognise(start: &[u8]) -> Foreign {
        let known = Self::MAGICS.iter().find(|(magic, _)| start.starts_with(magic));
        match known {
            Some((_, format)) => *format,
            None if start.get(257..262) == Some(b"ustar") => Foreign::Tar,
            None => Foreign::Unknown,
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Foreign::Tar => "a tar archive",
            Foreign::Gzip => "gzip data",
            Foreign::Zstd => "zstd data",
            Foreign::Lz4 => "lz4 data",
            Foreign::Xz => "xz data",
            Foreign::Bzip2 => "bzip2 data",
            Foreign::OpenSsl => "data encrypted by openssl",
            Foreign::Qpress => "a qpress archive",
            Foreign::Xbcrypt => "data encrypted by xbcrypt",
            Foreign::Unknown => "data of an unknown format",
        })
    }
}

/// Whether these bytes were meant to be read by a person.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x1b');
    text_of(bytes).is_some_and(|text| text.chars().all(readable))
}

/// The bytes as UTF-8, less a last character that the cut went through.
fn text_of(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised_by_their_magics() {
        let mut tar = vec![0; 512];
        tar[..4].copy_from_slice(b"ibda");
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(Foreign::recognise(&tar), Foreign::Tar);
        assert_eq!(Foreign::recognise(&tar[..261]), Foreign::Unknown);
        for (magic, format) in Foreign::MAGICS {
            assert_eq!(Foreign::recognise(magic), format);
            assert_eq!(Foreign::recognise(&magic[1..]), Foreign::Unknown);
        }
    }

    #[test]
    fn a_quote_is_cut_and_escaped() {
        let shown = |bytes: &[u8]| Quote::new(bytes).to_string();
        assert_eq!(shown(b"can't \"b\"\n\x1b[1m"), r#""can't \"b\"\n\u{1b}[1m""#);
        assert_eq!(shown("Schlüssel".as_bytes()), "\"Schlüssel\"");
        assert_eq!(shown(b"\x1f\x8b\x08\0"), r#""\x1f\x8b\x08\x00""#);
        assert_eq!(shown(&[b'x'; 49]), format!("\"{}\"…", "x".repeat(48)));
        assert_eq!(shown(&[b'x'; 48]), format!("\"{}\"", "x".repeat(48)));
    }

    #[test]
    fn text_may_be_cut_inside_a_character() {
        assert!(is_text(&"Schlüssel".as_bytes()[..5]));
        assert!(!is_text(b"Schl\xff\xffssel"));
        assert!(!is_text(b"ibdata1\0\0"));
    }
}
