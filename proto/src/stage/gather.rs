//! Bytes that are needed together and may come one by one.

/// The longest header of all formats, in bytes.
const LONGEST: usize = 64;

/// A header being collected.
pub(super) struct Gather {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Gather {
    /// Nothing yet.
    pub(super) fn new() -> Gather {
        Gather { bytes: [0; LONGEST], len: 0 }
    }

    /// Takes from the front of `input` until there are `len` bytes, at most 64. All of the header once they are there.
    pub(super) fn fill(&mut self, input: &mut &[u8], len: usize) -> Option<&[u8]> {
        let missing = len.saturating_sub(self.len).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.bytes[self.len..self.len + missing].copy_from_slice(taken);
        self.len += missing;
        *input = rest;
        (self.len >= len).then_some(&self.bytes[..len])
    }

    /// The bytes that there are.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

/// Makes room for the next `coming` of the `missing` bytes of a body. It grows with what has come, to twice that at most,
/// and never beyond the whole.
pub(super) fn make_room(bytes: &mut Vec<u8>, coming: usize, missing: usize) {
    if bytes.capacity() - bytes.len() < coming {
        bytes.reserve_exact(missing.min(coming.max(bytes.len())));
    }
}

/// A body that is needed whole: taken from the input where it is whole there, otherwise collected.
#[derive(Default)]
pub(super) struct Whole {
    bytes: Vec<u8>,
    is_given: bool,
}

impl Whole {
    /// Takes `len` bytes from the front of `input`, together with what was taken before if that was not enough. Memory
    /// grows with what has come.
    pub(super) fn take<'b, 'i: 'b>(&'b mut self, input: &mut &'i [u8], len: usize) -> Option<&'b [u8]> {
        if std::mem::take(&mut self.is_given) {
            self.bytes.clear();
        }
        if self.bytes.is_empty()
            && let Some((body, rest)) = input.split_at_checked(len)
        {
            *input = rest;
            return Some(body);
        }
        let missing = len.saturating_sub(self.bytes.len());
        let (coming, rest) = input.split_at(missing.min(input.len()));
        *input = rest;
        make_room(&mut self.bytes, coming.len(), missing);
        self.bytes.extend_from_slice(coming);
        self.is_given = self.bytes.len() >= len;
        self.is_given.then_some(&self.bytes)
    }

    /// What it holds, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }
}

/// The little-endian number at `at`, of which the header must have been gathered.
pub(super) fn u32_at(header: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[at..at + 4]);
    u32::from_le_bytes(bytes)
}

/// As [`u32_at`], of 8 bytes.
pub(super) fn u64_at(header: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[at..at + 8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_gathered_from_any_pieces() {
        let mut header = Gather::new();
        let mut input = &b"ab"[..];
        assert_eq!(header.fill(&mut input, 4), None);
        assert_eq!((input, header.len()), (&b""[..], 2));
        input = b"cdef";
        assert_eq!(header.fill(&mut input, 4), Some(&b"abcd"[..]));
        assert_eq!(input, b"ef");
        assert_eq!(header.fill(&mut input, 5), Some(&b"abcde"[..]));
        header.clear();
        assert_eq!(header.fill(&mut input, 1), Some(&b"f"[..]));
    }

    #[test]
    fn a_body_is_taken_from_any_pieces() {
        let mut whole = Whole::default();
        for pieces in [&[&b"abcdef"[..]][..], &[b"ab", b"c", b"def"], &[b"", b"abcde", b"f"], &[b"abcd", b"ef"]] {
            let (mut body, mut rest) = (Vec::new(), Vec::new());
            for piece in pieces {
                let mut input = *piece;
                if body.is_empty() {
                    body.extend(whole.take(&mut input, 4).unwrap_or_default());
                }
                rest.extend(input);
            }
            assert_eq!((&body[..], &rest[..]), (&b"abcd"[..], &b"ef"[..]));
        }
        assert_eq!(whole.take(&mut &b"x"[..], 0), Some(&b""[..]));
    }

    #[test]
    fn memory_grows_with_what_has_come() {
        let mut bytes = Vec::new();
        for n in 1..=1000 {
            make_room(&mut bytes, 1, 1001 - n);
            bytes.push(b'x');
            assert!(bytes.capacity() <= (2 * n).min(1000), "{} for {n}", bytes.capacity());
        }
    }
}
