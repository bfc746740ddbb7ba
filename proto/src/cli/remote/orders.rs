//! What a program that is started over ssh is told, and the form it is told in. Pure.
//!
//! The command line on the far host is the same for everybody, so that no login shell can make anything else of it. What
//! there is to say, the key included, comes over the standard input:
//!
//! | bytes | meaning |
//! |---|---|
//! | 8 | `xborders` |
//! | 1 | version of this form, 1 |
//! | 4 | length of the rest, at most 2 MiB |
//! | 16 | the one-time key |
//! | for each argument: 4 | its length |
//! | … | the argument, any bytes but NUL |
//!
//! Numbers are unsigned and big-endian. Nothing follows: an end of the input says that whoever gave the orders is gone.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use zeroize::Zeroizing;

use crate::key::Key;

/// What orders begin with.
const MAGIC: &[u8; 8] = b"xborders";

/// The version of the form.
const VERSION: u8 = 1;

/// Bytes before the part whose length they tell.
const HEADER: usize = MAGIC.len() + 1 + 4;

/// Bytes of the key.
const KEY: usize = 16;

/// The longest body, in bytes: as much as a command line may have.
const MAX_BODY: usize = 2 << 20;

/// What the far program is to do.
#[derive(Clone, Debug)]
pub struct Orders {
    /// What both sides prove to have.
    pub key: Key,
    /// Its arguments, without its name.
    pub arguments: Vec<OsString>,
}

/// Options of both programs for what is done once the backup is committed.
const AFTERWARDS: [&str; 5] = ["--prepare", "--owner", "--then", "--receipt", "--checksum-file"];

/// What the far program is to do once the backup is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// Nothing that matters here.
    Nothing,
    /// Something, of which it has to be known how it came out.
    Work,
}

/// Orders cannot be given or taken.
#[derive(Debug, thiserror::Error)]
pub enum OrdersError {
    /// They do not begin as orders do.
    #[error("the standard input has no orders of xbsend or xbrecv --ssh; does the login shell of this host read it?")]
    NotOrders,
    /// A newer form.
    #[error("the orders have version {found}, expected {VERSION}: bring both hosts to the same version")]
    Version {
        /// Theirs.
        found: u8,
    },
    /// More than may be.
    #[error("the orders have {found} bytes, and {MAX_BODY} at most are taken; give fewer arguments")]
    TooLong {
        /// Their length.
        found: usize,
    },
    /// An argument that no command line can have.
    #[error("argument {index} of the orders has a NUL byte")]
    Nul {
        /// Its place, from 1.
        index: usize,
    },
    /// Lengths that do not fit together.
    #[error("the orders are damaged: at byte {at} of {len} a field does not fit")]
    Damaged {
        /// Where the field begins.
        at: usize,
        /// The length of the body.
        len: usize,
    },
    /// They cannot be read to their end.
    #[error("reading the orders: {0}")]
    Read(io::Error),
}

impl Orders {
    /// The orders as bytes.
    ///
    /// # Errors
    /// [`OrdersError::TooLong`]
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, OrdersError> {
        let len = KEY + self.arguments.iter().map(|argument| 4 + argument.len()).sum::<usize>();
        if len > MAX_BODY {
            return Err(OrdersError::TooLong { found: len });
        }
        // With all its room from the start: a buffer that grows leaves copies of the key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + len));
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&(len as u32).to_be_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        for argument in &self.arguments {
            bytes.extend_from_slice(&(argument.len() as u32).to_be_bytes());
            bytes.extend_from_slice(argument.as_bytes());
        }
        Ok(bytes)
    }

    /// What they ask for after the commit. The words behind `--` are another program's.
    pub(super) fn afterwards(&self) -> Afterwards {
        let options = self.arguments.iter().map(|word| word.as_bytes()).take_while(|word| *word != b"--");
        let mut names = options.map(|word| word.split(|byte| *byte == b'=').next().unwrap_or(word));
        match names.any(|name| AFTERWARDS.iter().any(|option| option.as_bytes() == name)) {
            true => Afterwards::Work,
            false => Afterwards::Nothing,
        }
    }

    /// Reads orders, and nothing after them.
    ///
    /// # Errors
    /// [`OrdersError`]
    pub fn read(from: &mut impl Read) -> Result<Orders, OrdersError> {
        let mut header = [0; HEADER];
        from.read_exact(&mut header).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => OrdersError::NotOrders,
            _ => OrdersError::Read(error),
        })?;
        let mut body = Zeroizing::new(vec![0; body_len(&header)?]);
        from.read_exact(&mut body).map_err(OrdersError::Read)?;
        decode(&body)
    }
}

/// The length of the body that follows a header.
fn body_len(header: &[u8; HEADER]) -> Result<usize, OrdersError> {
    let [magic @ .., version, a, b, c, d] = header;
    match (magic == MAGIC, *version) {
        (false, _) => Err(OrdersError::NotOrders),
        (true, VERSION) => match u32::from_be_bytes([*a, *b, *c, *d]) as usize {
            found if found > MAX_BODY => Err(OrdersError::TooLong { found }),
            len => Ok(len),
        },
        (true, found) => Err(OrdersError::Version { found }),
    }
}

/// The orders in a body.
fn decode(body: &[u8]) -> Result<Orders, OrdersError> {
    let damaged = |at| OrdersError::Damaged { at, len: body.len() };
    let (key, mut rest) = body.split_first_chunk::<KEY>().ok_or(damaged(0))?;
    let mut arguments = Vec::new();
    while !rest.is_empty() {
        let at = body.len() - rest.len();
        let (len, after) = rest.split_first_chunk::<4>().ok_or(damaged(at))?;
        let (argument, after) = after.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or(damaged(at))?;
        if argument.contains(&0) {
            return Err(OrdersError::Nul { index: arguments.len() + 1 });
        }
        arguments.push(OsString::from_vec(argument.to_vec()));
        rest = after;
    }
    Ok(Orders { key: Key::new(*key), arguments })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn orders(arguments: &[&[u8]]) -> Orders {
        let arguments = arguments.iter().map(|bytes| OsString::from_vec(bytes.to_vec())).collect();
        Orders { key: Key::new([7; KEY]), arguments }
    }

    fn read(mut bytes: &[u8]) -> Result<Orders, OrdersError> {
        Orders::read(&mut bytes)
    }

    #[test]
    fn the_documented_bytes_are_what_is_written() {
        let bytes = orders(&[b"-o", b""]).encode().unwrap();
        let expected = [b"xborders\x01\0\0\0\x1a".as_slice(), &[7; 16], b"\0\0\0\x02-o", b"\0\0\0\0"].concat();
        assert_eq!(*bytes, expected);
    }

    #[test]
    fn what_follows_is_left_where_it_is() {
        let bytes = [orders(&[b"-x"]).encode().unwrap().as_slice(), b"more"].concat();
        let mut rest = bytes.as_slice();
        assert_eq!(Orders::read(&mut rest).unwrap().arguments, ["-x"]);
        assert_eq!(rest, b"more");
    }

    #[test]
    fn what_is_not_orders_is_told_apart() {
        let good = orders(&[b"-x", b"--"]).encode().unwrap();
        let changed = |at: usize, byte| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            read(&bytes).unwrap_err()
        };
        assert!(matches!(read(b"").unwrap_err(), OrdersError::NotOrders));
        assert!(matches!(read(b"Last login: Mon Nov 23\n").unwrap_err(), OrdersError::NotOrders));
        assert!(matches!(changed(0, b'X'), OrdersError::NotOrders));
        assert!(matches!(changed(8, 2), OrdersError::Version { found: 2 }));
        assert!(matches!(changed(9, 1), OrdersError::TooLong { .. }));
        assert!(matches!(changed(HEADER + KEY + 3, 200), OrdersError::Damaged { at: KEY, .. }));
        assert!(matches!(changed(HEADER + KEY + 4, 0), OrdersError::Nul { index: 1 }));
        assert!(matches!(read(&good[..good.len() - 1]).unwrap_err(), OrdersError::Read(_)));
    }

    #[test]
    fn more_than_may_be_is_not_sent() {
        let long = vec![b'x'; MAX_BODY];
        assert!(matches!(orders(&[&long]).encode().unwrap_err(), OrdersError::TooLong { .. }));
        assert!(orders(&[&long[..MAX_BODY - KEY - 4]]).encode().is_ok());
    }

    #[test]
    fn work_after_the_commit_is_seen() {
        let afterwards = |words: &[&[u8]]| orders(words).afterwards();
        for word in [b"--then=echo".as_slice(), b"--then", b"--prepare", b"--owner=mysql", b"--receipt=/r"] {
            assert_eq!(afterwards(&[b"-o", b"f", word]), Afterwards::Work);
        }
        assert_eq!(afterwards(&[b"-o", b"f", b"--thence", b"--no-direct"]), Afterwards::Nothing);
        assert_eq!(afterwards(&[b"-v", b"--", b"tool", b"--prepare"]), Afterwards::Nothing);
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", orders(&[])).contains('7'), "{:?}", orders(&[]));
    }

    proptest! {
        #[test]
        fn arguments_arrive_byte_for_byte(arguments in vec(vec(1..=255_u8, 0..40), 0..20)) {
            let slices: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
            let given = orders(&slices);
            let taken = read(&given.encode().unwrap()).unwrap();
            prop_assert_eq!(taken.arguments, given.arguments);
            prop_assert_eq!(taken.key.as_bytes(), given.key.as_bytes());
        }

        #[test]
        fn no_bytes_make_reading_panic(body in vec(any::<u8>(), 0..200)) {
            let _ = decode(&body);
            let header = [MAGIC.as_slice(), &[VERSION], &(body.len() as u32).to_be_bytes()].concat();
            // Whatever is taken for orders is what would be written for them.
            if let Ok(taken) = read(&[header.as_slice(), &body].concat()) {
                prop_assert_eq!(&taken.encode().unwrap()[HEADER..], body.as_slice());
            }
        }
    }
}
