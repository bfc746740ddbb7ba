//! The bytes of every message, pinned, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::backup::{BackupFacts, BackupKind, FactText};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn sum(byte: u8) -> Sha1Sum {
    Sha1Sum([byte; 20])
}

fn fact(text: &str) -> Option<FactText> {
    FactText::new(text)
}

/// All that may be known.
fn facts() -> BackupFacts {
    BackupFacts {
        kind: Some(BackupKind::Incremental),
        from_lsn: Some(1),
        to_lsn: Some(2),
        last_lsn: None,
        tool: fact("xtrabackup"),
        tool_version: fact("8"),
        server_version: fact("9"),
        backup_uuid: fact("u"),
        server_uuid: fact("s"),
        binlog_position: fact("at 4"),
        compressed: Some(true),
        encrypted: Some(false),
    }
}

fn facts_bytes() -> Vec<u8> {
    let lsns = hex("01 0000000000000001 01 0000000000000002 00");
    let texts = [&b"\0\x0axtrabackup\0\x018\0\x019\0\x01u\0\x01s\0\x04at 4"[..]].concat();
    [b"\0\x0bincremental".to_vec(), lsns, texts, hex("02 01")].concat()
}

/// One message of every kind, with its bytes.
fn samples() -> Vec<(Message, Vec<u8>)> {
    let lane_sum = LaneSum { lane: LaneId(1), len: 5, sum: sum(0xaa) };
    vec![
        (
            Message::Knock(Knock { versions: vec![2, 1], features: 0, role: Party::Receiver, proof: Proof([7; 32]) }),
            [hex("01 0000002f 0002 0002 0001 0000000000000000 01"), vec![7; 32]].concat(),
        ),
        (
            Message::Admit(Admit { version: 1, features: 0, proof: Proof([9; 32]) }),
            [hex("02 0000002a 0001 0000000000000000"), vec![9; 32]].concat(),
        ),
        (
            Message::Hello(Hello {
                session: SessionId([3; 16]),
                purpose: Purpose::Check,
                lanes: 1,
                window: 1 << 26,
                retry_for: Duration::from_secs(300),
                size: Some(9),
            }),
            [hex("03 0000002c"), vec![3; 16], hex("01 0001 0000000004000000 00000000000493e0 01 0000000000000009")]
                .concat(),
        ),
        (
            Message::Welcome(Welcome {
                window: 1 << 26,
                lanes: vec![Resume { offset: 7, sum: sum(1) }],
                target: "/d".into(),
                free: None,
            }),
            [hex("04 0000002b 0000000004000000 0001 0000000000000007"), vec![1; 20], hex("0002 2f64 00")].concat(),
        ),
        (
            Message::Ack(Ack { lane: LaneId(1), written: 4, durable: 2 }),
            hex("05 00000012 0001 0000000000000004 0000000000000002"),
        ),
        (Message::LaneEnd(lane_sum), [hex("06 0000001e 0001 0000000000000005"), vec![0xaa; 20]].concat()),
        (
            Message::Receipt(Receipt::of(Reached::Consumed, vec![lane_sum])),
            [hex("07 00000035 01 0001 0001 0000000000000005"), vec![0xaa; 20], vec![0; 20]].concat(),
        ),
        (
            Message::Receipt(Receipt {
                files: Some(3),
                facts: facts(),
                ..Receipt::of(Reached::Synced, vec![lane_sum])
            }),
            [
                hex("07 0000006a 00 0001 0001 0000000000000005"),
                vec![0xaa; 20],
                hex("01 0000000000000003"),
                facts_bytes(),
            ]
            .concat(),
        ),
        (Message::Seen, hex("08 00000000")),
        (
            Message::Abort(Failure::new(Cause::Sink, Party::Receiver, "full")),
            [hex("09 00000008 07 01 0004"), b"full".to_vec()].concat(),
        ),
        (Message::Joined, hex("0a 00000000")),
        (Message::Pulse(Pulse { waiting: Waiting::Disk }), hex("80 00000001 03")),
        (Message::RateLimit(Some(Rate::MIN)), hex("81 00000009 01 0000000000000400")),
        (Message::RateLimit(None), hex("81 00000001 00")),
    ]
}

fn decode(bytes: &[u8]) -> Result<Option<Message>, WireError> {
    let (head, body) = bytes.split_first_chunk().expect("a head");
    let (kind, len) = Message::decode_head(*head)?;
    assert_eq!(body.len(), len);
    Message::decode_body(kind, body)
}

#[test]
fn bytes_are_pinned() {
    for (message, bytes) in samples() {
        assert_eq!(message.encode(), bytes, "{}", message.name());
        assert_eq!(decode(&bytes), Ok(Some(message)));
    }
}

#[test]
fn a_cut_body_names_the_field() {
    for (message, bytes) in samples() {
        for len in 5..bytes.len() {
            let error = Message::decode_body(bytes[0], &bytes[5..len]).expect_err("cut");
            assert!(matches!(error, WireError::Short { message: name, .. } if name == message.name()), "{error}");
        }
    }
}

#[test]
fn bytes_left_over_are_refused() {
    for (message, mut bytes) in samples() {
        bytes.push(0);
        let error = Message::decode_body(bytes[0], &bytes[5..]).expect_err("left over");
        assert_eq!(error, WireError::Trailing { message: message.name(), extra: 1 });
    }
}

#[test]
fn unknown_kinds_are_skipped_only_from_0x80() {
    assert_eq!(Message::decode_body(0x0b, b""), Err(WireError::Kind { kind: 0x0b }));
    assert_eq!(Message::decode_body(0xfe, b"anything"), Ok(None));
}

#[test]
fn a_rate_below_the_lowest_is_refused() {
    for rate in [0, 1023] {
        let body = [&[1], &u64::to_be_bytes(rate)[..]].concat();
        let refused = WireError::Value { message: "RateLimit", field: "rate", value: rate };
        assert_eq!(Message::decode_body(0x81, &body), Err(refused));
    }
}

#[test]
fn a_long_body_is_refused_by_its_head() {
    assert_eq!(Message::decode_head([5, 0, 1, 0, 1]), Err(WireError::TooLong { len: 65_537 }));
    assert_eq!(Message::decode_head([5, 0, 1, 0, 0]), Ok((5, 65_536)));
}

#[test]
fn the_largest_welcome_fits() {
    let lanes = vec![Resume { offset: 0, sum: sum(0) }; MAX_LANES.into()];
    let welcome = Welcome { window: 0, lanes, target: "x".repeat(100_000), free: Some(1) };
    let bytes = Message::Welcome(welcome).encode();
    assert!(decode(&bytes).is_ok());
}

#[test]
fn the_largest_receipt_fits() {
    let longest = FactText::new(&"x".repeat(FactText::MAX));
    let facts = BackupFacts {
        kind: longest.clone().map(BackupKind::Other),
        from_lsn: Some(1),
        to_lsn: Some(2),
        last_lsn: Some(3),
        tool: longest.clone(),
        tool_version: longest.clone(),
        server_version: longest.clone(),
        backup_uuid: longest.clone(),
        server_uuid: longest.clone(),
        binlog_position: longest,
        compressed: Some(true),
        encrypted: Some(true),
    };
    let lanes = vec![LaneSum { lane: LaneId(0), len: 0, sum: sum(0) }; MAX_LANES.into()];
    let receipt = Message::Receipt(Receipt { files: Some(1), facts, ..Receipt::of(Reached::Synced, lanes) });
    assert_eq!(decode(&receipt.encode()), Ok(Some(receipt)));
}

#[test]
fn facts_that_are_no_text_are_refused() {
    let mut bytes = Message::Receipt(Receipt { facts: facts(), ..Receipt::of(Reached::Synced, Vec::new()) }).encode();
    bytes[5..8].copy_from_slice(&[0, 0, 1]);
    bytes.splice(8..8, [0; 30]);
    let control = bytes.windows(4).position(|window| window == b"at 4").expect("a binlog position");
    let refused = |byte: u8| {
        let mut bytes = bytes.clone();
        bytes[control] = byte;
        Message::decode_body(7, &bytes[5..])
    };
    for byte in [b' ', b'\n', 0x1b, 0xff] {
        assert_eq!(refused(byte), Err(WireError::Text { message: "Receipt", field: "binlog position" }), "{byte}");
    }
    assert!(refused(b'b').is_ok());
}

#[test]
fn a_long_reason_is_cut_at_a_character() {
    let failure = Failure::new(Cause::Sink, Party::Receiver, "ä".repeat(10_000));
    let Ok(Some(Message::Abort(cut))) = decode(&Message::Abort(failure).encode()) else { panic!("not an Abort") };
    assert!(cut.reason.chars().all(|c| c == 'ä') && cut.reason.len() == 8192);
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(kind: u8, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&body);
        message(&bytes);
    }

    #[test]
    fn receipts_with_a_wrong_byte_never_panic(at: prop::sample::Index, byte: u8) {
        for (receipt, mut bytes) in samples() {
            if matches!(receipt, Message::Receipt(_)) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                message(&bytes);
            }
        }
    }
}
