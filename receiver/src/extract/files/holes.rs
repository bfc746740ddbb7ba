//! Which blocks of a tablespace are holes, where the stream does not tell. Pure.
//!
//! A server that compresses pages writes the shorter page and punches a hole behind it. Streams of MariaDB, and those that
//! the tool has compressed, bring the zeros instead. InnoDB's pages say what they are:
//!
//! | what | where |
//! |---|---|
//! | flags of the tablespace | `u32` at 54 of the first page, big-endian as all of InnoDB |
//! | page size | in the flags: `512 << n`, n in bits 6 to 9 (0: 16 KiB); in MariaDB's `full_crc32` format (bit 4) in bits 0 to 3 |
//! | all pages compressed (MariaDB) | bit 16; in `full_crc32`, bits 5 to 7 not zero |
//! | type of a page | `u16` at 24: 14 and 16 compressed (MySQL), 34354 and 37401 (MariaDB) |
//!
//! MySQL has the flag in its dictionary only, so that there each page has to tell for itself. The zeros at the end of such a
//! page are left out; in any other file nothing is, for its holes would cost its server more than they save.

/// Where a page has its type, and how long that is.
const TYPE_AT: u64 = 24;
/// Where a tablespace has its flags, and how long they are.
const FLAGS_AT: u64 = 54;
/// The types of compressed pages.
const COMPRESSED: [u16; 4] = [14, 16, 34_354, 37_401];

/// Leaves out the holes of a tablespace.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Thinning {
    flags: Field<4>,
    page_type: Field<2>,
    space: Space,
    /// Which page the type was read of.
    page: u64,
    /// How many zeros of that page came last, which are not written: they are a hole if nothing else comes.
    held: usize,
    any: bool,
}

/// What the flags have told.
#[derive(Clone, Copy, Debug)]
struct Space {
    page_size: u64,
    all_compressed: bool,
}

/// A number of a page, collected as its bytes pass.
#[derive(Clone, Copy, Debug)]
struct Field<const N: usize> {
    at: u64,
    bytes: [u8; N],
    have: usize,
}

impl<const N: usize> Field<N> {
    fn new(at: u64) -> Field<N> {
        Field { at, bytes: [0; N], have: 0 }
    }

    /// Takes what of it is in `bytes`, which begin at `offset`. Whether it is complete now, and was not before.
    fn pass(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let missing = self.at + self.have as u64;
        let Some(skip) = missing.checked_sub(offset).and_then(|skip| usize::try_from(skip).ok()) else { return false };
        let before = self.have;
        for byte in bytes.iter().skip(skip).take(N - before) {
            self.bytes[self.have] = *byte;
            self.have += 1;
        }
        before < N && self.have == N
    }
}

impl Space {
    fn of(flags: u32) -> Space {
        let full_crc32 = flags & 0x10 != 0;
        let (size, all_compressed) = match full_crc32 {
            true => (flags & 0xf, flags >> 5 & 7 != 0),
            false => (flags >> 6 & 0xf, flags >> 16 & 1 != 0),
        };
        // 4 to 64 KiB; what is none of them is no tablespace, or one of the default size.
        let page_size = if (3..=7).contains(&size) { 512 << size } else { 16 << 10 };
        Space { page_size, all_compressed }
    }
}

impl Thinning {
    /// Whether the file `path` may have such pages.
    pub(in crate::extract) fn may_be_for(path: &[u8]) -> bool {
        path.ends_with(b".ibd")
    }

    /// For a new tablespace.
    pub(in crate::extract) fn new() -> Thinning {
        let space = Space { page_size: 16 << 10, all_compressed: false };
        let (flags, page_type) = (Field::new(FLAGS_AT), Field::new(TYPE_AT));
        Thinning { flags, page_type, space, page: 0, held: 0, any: false }
    }

    /// Whether something was left out, or is likely to be.
    pub(in crate::extract) fn is_thin(&self) -> bool {
        self.any
    }

    /// Gives `write` what of `bytes`, which begin at `offset`, is to be written, in order.
    ///
    /// # Errors
    /// The first one of `write`.
    pub(in crate::extract) fn put<E>(
        &mut self,
        offset: u64,
        bytes: &[u8],
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut at, end) = (offset, offset + bytes.len() as u64);
        let slice = |from: u64, to: u64| &bytes[(from - offset) as usize..(to - offset) as usize];
        // What is to be written and was not yet.
        let mut begin = at;
        while at < end {
            let (next, ends_in) = self.look(at, end, slice(at, end));
            if ends_in == EndsIn::Hole {
                let part = slice(at, next);
                let full = part.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                if full > 0 && self.held > 0 {
                    write(at - self.held as u64, &vec![0; self.held])?;
                    self.held = 0;
                }
                if full < part.len() {
                    write_some(&mut write, begin, slice(begin, at + full as u64))?;
                    self.held += part.len() - full;
                    begin = next;
                }
            }
            at = next;
        }
        write_some(&mut write, begin, slice(begin, end))
    }

    /// How far from `at` the bytes belong to one page, and what zeros at its end are.
    fn look(&mut self, at: u64, end: u64, bytes: &[u8]) -> (u64, EndsIn) {
        if self.flags.pass(at, bytes) {
            self.space = Space::of(u32::from_be_bytes(self.flags.bytes));
            self.any |= self.space.all_compressed;
        }
        let size = self.space.page_size;
        let page = at / size;
        if page != self.page {
            self.page = page;
            self.page_type = Field::new(page * size + TYPE_AT);
            self.held = 0;
        }
        self.page_type.pass(at, bytes);
        let own = self.page_type.have == 2 && COMPRESSED.contains(&u16::from_be_bytes(self.page_type.bytes));
        self.any |= own;
        let ends_in = if own || self.space.all_compressed { EndsIn::Hole } else { EndsIn::Zeros };
        (((page + 1) * size).min(end), ends_in)
    }
}

/// What zeros at the end of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndsIn {
    /// Left out.
    Hole,
    /// Content.
    Zeros,
}

fn write_some<E>(write: &mut impl FnMut(u64, &[u8]) -> Result<(), E>, at: u64, bytes: &[u8]) -> Result<(), E> {
    if bytes.is_empty() { Ok(()) } else { write(at, bytes) }
}

#[cfg(test)]
mod tests;
