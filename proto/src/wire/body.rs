//! The bodies of the control messages: how each is written and read.

mod facts;

use std::time::Duration;

use super::codec::{Reader, WireError, Writer};
use super::message::{
    Ack, Admit, Hello, Knock, LaneSum, Message, Proof, Pulse, Purpose, Reached, Receipt, Resume, SessionId, Waiting,
    Welcome,
};
use super::{MAX_LANES, MAX_MESSAGE};
use crate::failure::{Cause, Failure, Party};
use crate::lane::{LaneId, Sha1Sum};
use crate::quantity::Rate;

impl Message {
    /// As it stands on the wire: kind, length, body.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Message::Knock(knock) => (0x01, knock.body()),
            Message::Admit(admit) => (0x02, admit.body()),
            Message::Hello(hello) => (0x03, hello.body()),
            Message::Welcome(welcome) => (0x04, welcome.body()),
            Message::Ack(ack) => (0x05, ack.body()),
            Message::LaneEnd(sum) => (0x06, sum.write(Writer::default())),
            Message::Receipt(receipt) => (0x07, receipt.body()),
            Message::Seen => (0x08, Writer::default()),
            Message::Abort(failure) => (0x09, abort_body(failure)),
            Message::Joined => (0x0a, Writer::default()),
            Message::Pulse(pulse) => (0x80, Writer::default().u8(position(&Waiting::ALL, pulse.waiting))),
            Message::RateLimit(rate) => (0x81, Writer::default().optional_u64(rate.map(Rate::bytes_per_second))),
        };
        Writer::default().u8(kind).u32(body.0.len() as u32).raw(&body.0).0
    }

    /// Splits the 5 bytes before a body into kind and length.
    ///
    /// # Errors
    /// [`WireError::TooLong`], before memory is taken for the body.
    pub fn decode_head(head: [u8; 5]) -> Result<(u8, usize), WireError> {
        let [kind, len @ ..] = head;
        let len = u32::from_be_bytes(len);
        if len as usize > MAX_MESSAGE { Err(WireError::TooLong { len }) } else { Ok((kind, len as usize)) }
    }

    /// Reads a body. `None` for an unknown message that may be skipped.
    ///
    /// # Errors
    /// [`WireError`] for anything a peer of this version does not write.
    pub fn decode_body(kind: u8, body: &[u8]) -> Result<Option<Message>, WireError> {
        let message = match kind {
            0x01 => read("Knock", body, Knock::read).map(Message::Knock)?,
            0x02 => read("Admit", body, Admit::read).map(Message::Admit)?,
            0x03 => read("Hello", body, Hello::read).map(Message::Hello)?,
            0x04 => read("Welcome", body, Welcome::read).map(Message::Welcome)?,
            0x05 => read("Ack", body, Ack::read).map(Message::Ack)?,
            0x06 => read("LaneEnd", body, LaneSum::read).map(Message::LaneEnd)?,
            0x07 => read("Receipt", body, Receipt::read).map(Message::Receipt)?,
            0x08 => read("Seen", body, |_| Ok(Message::Seen))?,
            0x09 => read("Abort", body, read_abort).map(Message::Abort)?,
            0x0a => read("Joined", body, |_| Ok(Message::Joined))?,
            0x80 => read("Pulse", body, Pulse::read).map(Message::Pulse)?,
            0x81 => read("RateLimit", body, read_rate_limit).map(Message::RateLimit)?,
            0x82.. => return Ok(None),
            kind => return Err(WireError::Kind { kind }),
        };
        Ok(Some(message))
    }
}

/// Runs `fields` over the whole of `body`.
fn read<T>(
    message: &'static str,
    body: &[u8],
    fields: impl FnOnce(&mut Reader<'_>) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let mut reader = Reader::new(message, body);
    let value = fields(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The number of an enumerated value: its place in the list of all.
fn position<T: PartialEq>(all: &[T], value: T) -> u8 {
    all.iter().position(|each| *each == value).unwrap_or(0) as u8
}

/// The value behind a number.
fn at<T: Copy>(all: &[T], reader: &mut Reader<'_>, field: &'static str) -> Result<T, WireError> {
    let number = reader.u8(field)?;
    all.get(usize::from(number)).copied().ok_or_else(|| reader.bad(field, number.into()))
}

/// A `u16` count between `least` and `most`.
fn count(reader: &mut Reader<'_>, field: &'static str, least: u16, most: u16) -> Result<u16, WireError> {
    let count = reader.u16(field)?;
    if (least..=most).contains(&count) { Ok(count) } else { Err(reader.bad(field, count.into())) }
}

const PARTIES: [Party; 2] = [Party::Sender, Party::Receiver];
const PURPOSES: [Purpose; 4] = [Purpose::Transfer, Purpose::Check, Purpose::Resume, Purpose::Join];

impl Knock {
    fn body(&self) -> Writer {
        let head = Writer::default().u16(self.versions.len() as u16);
        let versions = self.versions.iter().fold(head, |writer, version| writer.u16(*version));
        versions.u64(self.features).u8(position(&PARTIES, self.role)).raw(&self.proof.0)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Knock, WireError> {
        let versions = count(reader, "versions", 1, 16)?;
        Ok(Knock {
            versions: (0..versions).map(|_| reader.u16("versions")).collect::<Result<_, _>>()?,
            features: reader.u64("features")?,
            role: at(&PARTIES, reader, "role")?,
            proof: Proof(reader.array("proof")?),
        })
    }
}

impl Admit {
    fn body(&self) -> Writer {
        Writer::default().u16(self.version).u64(self.features).raw(&self.proof.0)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Admit, WireError> {
        Ok(Admit {
            version: reader.u16("version")?,
            features: reader.u64("features")?,
            proof: Proof(reader.array("proof")?),
        })
    }
}

impl Hello {
    fn body(&self) -> Writer {
        let retry_ms = u64::try_from(self.retry_for.as_millis()).unwrap_or(u64::MAX);
        let head = Writer::default().raw(&self.session.0).u8(position(&PURPOSES, self.purpose)).u16(self.lanes);
        head.u64(self.window).u64(retry_ms).optional_u64(self.size)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Hello, WireError> {
        Ok(Hello {
            session: SessionId(reader.array("session")?),
            purpose: at(&PURPOSES, reader, "purpose")?,
            lanes: count(reader, "lanes", 1, MAX_LANES)?,
            window: reader.u64("window")?,
            retry_for: Duration::from_millis(reader.u64("retry")?),
            size: reader.optional_u64("size")?,
        })
    }
}

impl Welcome {
    fn body(&self) -> Writer {
        let head = Writer::default().u64(self.window).u16(self.lanes.len() as u16);
        let lanes = self.lanes.iter().fold(head, |writer, lane| writer.u64(lane.offset).raw(&lane.sum.0));
        lanes.text(&self.target).optional_u64(self.free)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Welcome, WireError> {
        let window = reader.u64("window")?;
        let lanes = count(reader, "lanes", 1, MAX_LANES)?;
        let resume = |reader: &mut Reader<'_>| {
            Ok(Resume { offset: reader.u64("offset")?, sum: Sha1Sum(reader.array("SHA-1")?) })
        };
        Ok(Welcome {
            window,
            lanes: (0..lanes).map(|_| resume(reader)).collect::<Result<_, _>>()?,
            target: reader.text("target")?,
            free: reader.optional_u64("free")?,
        })
    }
}

impl Ack {
    fn body(&self) -> Writer {
        Writer::default().u16(self.lane.0).u64(self.written).u64(self.durable)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Ack, WireError> {
        Ok(Ack { lane: LaneId(reader.u16("lane")?), written: reader.u64("written")?, durable: reader.u64("durable")? })
    }
}

impl LaneSum {
    fn write(&self, writer: Writer) -> Writer {
        writer.u16(self.lane.0).u64(self.len).raw(&self.sum.0)
    }

    fn read(reader: &mut Reader<'_>) -> Result<LaneSum, WireError> {
        Ok(LaneSum {
            lane: LaneId(reader.u16("lane")?),
            len: reader.u64("length")?,
            sum: Sha1Sum(reader.array("SHA-1")?),
        })
    }
}

impl Receipt {
    fn body(&self) -> Writer {
        let head = Writer::default().u8(position(&Reached::ALL, self.reached)).u16(self.lanes.len() as u16);
        let lanes = self.lanes.iter().fold(head, |writer, lane| lane.write(writer));
        facts::write(&self.facts, lanes.optional_u64(self.files))
    }

    fn read(reader: &mut Reader<'_>) -> Result<Receipt, WireError> {
        let reached = at(&Reached::ALL, reader, "reached")?;
        let lanes = count(reader, "lanes", 1, MAX_LANES)?;
        Ok(Receipt {
            reached,
            lanes: (0..lanes).map(|_| LaneSum::read(reader)).collect::<Result<_, _>>()?,
            files: reader.optional_u64("files")?,
            facts: facts::read(reader)?,
        })
    }
}

impl Pulse {
    fn read(reader: &mut Reader<'_>) -> Result<Pulse, WireError> {
        Ok(Pulse { waiting: at(&Waiting::ALL, reader, "waiting")? })
    }
}

fn read_rate_limit(reader: &mut Reader<'_>) -> Result<Option<Rate>, WireError> {
    let Some(bytes) = reader.optional_u64("rate")? else { return Ok(None) };
    Rate::new(bytes).map(Some).map_err(|_| reader.bad("rate", bytes))
}

fn abort_body(failure: &Failure) -> Writer {
    Writer::default().u8(failure.cause.code()).u8(position(&PARTIES, failure.party)).text(&failure.reason)
}

fn read_abort(reader: &mut Reader<'_>) -> Result<Failure, WireError> {
    let cause = Cause::from_code(reader.u8("cause")?);
    let party = at(&PARTIES, reader, "party")?;
    Ok(Failure::new(cause, party, reader.text("reason")?))
}

#[cfg(any(test, fuzzing))]
/// Decoding never panics, and what decodes survives encoding and decoding.
pub fn message(bytes: &[u8]) {
    if let Some((head, body)) = bytes.split_first_chunk()
        && let Ok((kind, len)) = Message::decode_head(*head)
        && let Some(body) = body.get(..len)
        && let Ok(Some(message)) = Message::decode_body(kind, body)
    {
        let again = message.encode();
        assert_eq!(Message::decode_body(kind, &again[5..]), Ok(Some(message)));
    }
}

#[cfg(test)]
mod tests;
