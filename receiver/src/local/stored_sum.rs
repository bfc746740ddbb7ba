//! The SHA-1 that stands beside a stored stream, in `FILE.sha1`, as `sha1sum` and `xbrecv -o` write it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use xbproto::lane::Sha1Sum;

use super::LocalError;
use crate::disk::shown;

/// The longest file of sums that is read, in bytes: some hundred lines.
const LONGEST: u64 = 64 << 10;

/// What a stream should come to, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredSum {
    /// The file it stands in.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) sum: Sha1Sum,
}

impl StoredSum {
    /// The sum beside the stream in the file `stream`, if there is one.
    ///
    /// # Errors
    /// When there is a file for it that cannot be read, or has none in it.
    pub(super) fn beside(stream: &Path) -> Result<Option<StoredSum>, LocalError> {
        let path = place(stream);
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LocalError::Open { name: shown(&path).to_string(), error }),
        };
        match find(&text, stream.file_name().unwrap_or_default()) {
            Some(sum) => Ok(Some(StoredSum { path, sum })),
            None => Err(LocalError::NoSum { path, name: shown(stream).to_string() }),
        }
    }
}

/// Where the sum of a stream is looked for.
pub(super) fn place(stream: &Path) -> PathBuf {
    let mut name = stream.as_os_str().to_owned();
    name.push(".sha1");
    name.into()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

/// The sum of the file `name` among lines of `sha1sum`. A single line is its own, whatever it names: a stream may have
/// been renamed together with its sum.
fn find(text: &[u8], name: &OsStr) -> Option<Sha1Sum> {
    let lines: Vec<(Sha1Sum, &[u8])> = text.split(|byte| *byte == b'\n').filter_map(parse).collect();
    match lines[..] {
        [(sum, _)] => Some(sum),
        _ => {
            let is_its = |named: &[u8]| Path::new(OsStr::from_bytes(named)).file_name() == Some(name);
            lines.iter().find(|(_, named)| is_its(named)).map(|(sum, _)| *sum)
        }
    }
}

/// Sum and name of a line: 40 hexadecimal digits, a space, a space or `*`, the name. A `\` in front says that the name
/// is escaped.
fn parse(line: &[u8]) -> Option<(Sha1Sum, &[u8])> {
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    let (digits, rest) = line.split_first_chunk::<40>()?;
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    let mut sum = [0; 20];
    for (byte, pair) in sum.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (hex(pair[0])? << 4) | hex(pair[1])?;
    }
    Some((Sha1Sum(sum), name))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    fn found(text: &str, name: &str) -> Option<String> {
        find(text.as_bytes(), OsStr::new(name)).map(|sum| sum.to_string())
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        for form in ["{}  b.xb\n", "{} *b.xb", "\\{}  b\\\\.xb\n", "{}  elsewhere/other.xb\n"] {
            assert_eq!(found(&form.replace("{}", LINE), "b.xb").as_deref(), Some(LINE), "{form}");
        }
        assert_eq!(found(&format!("{}  b.xb", LINE.to_uppercase()), "b.xb").as_deref(), Some(LINE));
    }

    #[test]
    fn of_many_lines_its_own_counts() {
        let other = "0".repeat(40);
        let text = format!("{other}  a.xb\n{LINE}  /backup/b.xb\n");
        assert_eq!(found(&text, "b.xb").as_deref(), Some(LINE));
        assert_eq!(found(&text, "c.xb"), None);
    }

    #[test]
    fn what_is_no_sum_is_none() {
        for text in ["", "\n", "sum", &LINE[1..], &format!("{}g  b.xb", &LINE[1..]), LINE] {
            assert_eq!(found(text, "b.xb"), None, "{text:?}");
        }
    }

    #[test]
    fn it_stands_beside_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let stream = dir.path().join("b.xb");
        assert_eq!(StoredSum::beside(&stream).unwrap(), None);
        std::fs::write(place(&stream), "nothing").unwrap();
        assert!(matches!(StoredSum::beside(&stream), Err(LocalError::NoSum { .. })));
        std::fs::write(place(&stream), format!("{LINE}  b.xb\n")).unwrap();
        let stored = StoredSum::beside(&stream).unwrap().unwrap();
        assert_eq!((stored.sum.to_string().as_str(), stored.path), (LINE, dir.path().join("b.xb.sha1")));
    }
}
