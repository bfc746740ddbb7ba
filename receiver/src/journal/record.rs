//! One record of a journal: what it says, and how it is written and read.
//!
//! | what | bytes |
//! |---|---|
//! | kind | `u8` |
//! | length of the body, at most [`MAX_BODY`] | `u32` |
//! | body | |
//! | CRC-32 of all of the above | `u32` |
//!
//! Integers are big-endian. What is said on the wire too is kept as it is said there.

use std::net::SocketAddr;

use xbproto::key::Key;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::tls::Identity;
use xbproto::wire::{Hello, LaneSum, Message, Receipt};

/// The largest body, in bytes: room for a receipt with the most lanes a session has, and with the longest facts.
pub(super) const MAX_BODY: usize = 64 << 10;

/// Bytes before and after a body.
const HEAD_LEN: usize = 5;
const CRC_LEN: usize = 4;

/// What a receiver needs in order to be found again by the sender it was found by.
#[derive(Clone, Debug)]
pub struct Presence {
    /// The key both sides prove to have, if they have one.
    pub key: Option<Key>,
    /// The certificate it shows, if that was made for the occasion. Any other is given again, and its private key is not
    /// written down a second time.
    pub identity: Option<Identity>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What is said in one record.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// Kind 1. Body: `u8` 0, or 1 and 16 bytes key; `u8` length of the address, the address as text, the identity as it is
    /// kept, if there is one.
    Presence(Presence),
    /// Kind 2: a session begins. Body: the `Hello`.
    Session(Hello),
    /// Kind 3: so much of a lane is durable. Body: `u16` lane, [`LaneDigest::state`].
    Progress(LaneId, LaneDigest),
    /// Kind 4: everything is durable and agreed on, and is about to get its final name. Body: a `LaneEnd` per lane.
    Committing(Vec<LaneSum>),
    /// Kind 5: it has its final name. Body: the `Receipt`.
    Committed(Receipt),
}

impl Record {
    /// The record as it stands in a journal.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Record::Presence(presence) => (1, presence.body()),
            Record::Session(hello) => (2, Message::Hello(hello.clone()).encode()),
            Record::Progress(lane, digest) => (3, [lane.0.to_be_bytes().as_slice(), &digest.state()].concat()),
            Record::Committing(sums) => (4, sums.iter().flat_map(|sum| Message::LaneEnd(*sum).encode()).collect()),
            Record::Committed(receipt) => (5, Message::Receipt(receipt.clone()).encode()),
        };
        frame(kind, &body)
    }

    /// The first record of `bytes`, and what follows it; `None` if what stands there is not certainly a record.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Record, &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>()?;
        let [kind, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).ok().filter(|length| *length <= MAX_BODY)?;
        let (body, rest) = rest.split_at_checked(length)?;
        let (crc, rest) = rest.split_first_chunk::<CRC_LEN>()?;
        let covered = bytes.get(..HEAD_LEN + length)?;
        (u32::from_be_bytes(*crc) == crc32fast::hash(covered)).then_some(())?;
        Some((Record::read(kind, body)?, rest))
    }

    fn read(kind: u8, body: &[u8]) -> Option<Record> {
        match kind {
            1 => Presence::read(body).map(Record::Presence),
            2 => match only_message(body)? {
                Message::Hello(hello) => Some(Record::Session(hello)),
                _ => None,
            },
            3 => {
                let (lane, state) = body.split_first_chunk()?;
                Some(Record::Progress(LaneId(u16::from_be_bytes(*lane)), LaneDigest::restore(state).ok()?))
            }
            4 => lane_sums(body).map(Record::Committing),
            5 => match only_message(body)? {
                Message::Receipt(receipt) => Some(Record::Committed(receipt)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A record of `kind`, whatever its body means.
pub(super) fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = [[kind].as_slice(), &(body.len() as u32).to_be_bytes(), body].concat();
    record.extend(crc32fast::hash(&record).to_be_bytes());
    record
}

impl Presence {
    fn body(&self) -> Vec<u8> {
        // At most 58 characters, with the longest scope there is.
        let address = self.address.to_string();
        let key = self.key.as_ref().map(Key::as_bytes);
        let mut body = vec![u8::from(key.is_some())];
        body.extend(key.into_iter().flatten());
        body.push(address.len() as u8);
        body.extend(address.as_bytes());
        body.extend(self.identity.iter().map(Identity::keep).flat_map(|kept| kept.as_bytes().to_vec()));
        body
    }

    fn read(body: &[u8]) -> Option<Presence> {
        let (key, rest) = match body.split_first()? {
            (0, rest) => (None, rest),
            (1, rest) => rest.split_first_chunk().map(|(key, rest)| (Some(Key::new(*key)), rest))?,
            _ => return None,
        };
        let (length, rest) = rest.split_first()?;
        let (address, identity) = rest.split_at_checked(usize::from(*length))?;
        Some(Presence {
            key,
            identity: match identity {
                [] => None,
                kept => Some(Identity::restore(kept).ok()?),
            },
            address: std::str::from_utf8(address).ok()?.parse().ok()?,
        })
    }
}

/// The message that `bytes` are, and nothing but it.
fn only_message(bytes: &[u8]) -> Option<Message> {
    let (message, rest) = first_message(bytes)?;
    rest.is_empty().then_some(message)
}

fn first_message(bytes: &[u8]) -> Option<(Message, &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    let (kind, length) = Message::decode_head(*head).ok()?;
    let (body, rest) = rest.split_at_checked(length)?;
    Some((Message::decode_body(kind, body).ok()??, rest))
}

fn lane_sums(mut bytes: &[u8]) -> Option<Vec<LaneSum>> {
    let mut sums = Vec::new();
    while !bytes.is_empty() {
        let (Message::LaneEnd(sum), rest) = first_message(bytes)? else { return None };
        sums.push(sum);
        bytes = rest;
    }
    Some(sums)
}
