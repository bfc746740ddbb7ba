//! A confirmed session as one JSON object, to be kept.
//!
//! | field | meaning |
//! |---|---|
//! | `v` | the version of this form, 1; within a version, fields are only added |
//! | `time` | when it was written, UTC |
//! | `session` | its identifier, 32 hexadecimal digits; the first 8 stand in both sides' lines |
//! | `reached`, `files`, `elapsed` | as in the event `finished` |
//! | `lanes` | for each its number `lane`, its length `bytes`, its `sha1` |
//! | `backup` | what the backup says of itself, as in the event `backup` |

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::json::{Field, backup, object};
use crate::wire::{LaneSum, Receipt, SessionId};

/// What of a confirmed session is worth keeping.
#[derive(Clone, Copy, Debug)]
pub struct StoredReceipt<'a> {
    /// Its identifier.
    pub session: SessionId,
    /// What the receiver has said, completed by what the sender knows.
    pub receipt: &'a Receipt,
    /// From the welcome to the receipt.
    pub elapsed: Duration,
}

impl StoredReceipt<'_> {
    /// The object, written at `now`, as one line with its end.
    pub fn to_json(&self, now: Timestamp) -> String {
        let Receipt { reached, lanes, files, facts } = self.receipt;
        let session: String = self.session.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let fields = [
            ("v", json!(1)),
            ("time", json!(format!("{now:.3}"))),
            ("session", json!(session)),
            ("reached", json!(reached.to_string())),
            ("files", json!(files)),
            ("elapsed", json!(self.elapsed.as_secs_f64())),
            ("lanes", lanes.iter().map(lane).collect()),
            ("backup", nested(backup(facts))),
        ];
        object(fields.into_iter())
    }
}

fn lane(sum: &LaneSum) -> Value {
    json!({ "lane": sum.lane.0, "bytes": sum.len, "sha1": sum.sum.to_string() })
}

fn nested(fields: Vec<Field>) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{BackupFacts, FactText};
    use crate::lane::{LaneId, Sha1Sum};
    use crate::wire::Reached;

    #[test]
    fn all_that_was_agreed_on_is_kept_in_one_line() {
        let lanes = vec![LaneSum { lane: LaneId(0), len: 7, sum: Sha1Sum([0xab; 20]) }];
        let facts = BackupFacts { to_lsn: Some(42), tool: FactText::new("a\u{202e}\"b"), ..BackupFacts::default() };
        let receipt = Receipt { files: Some(3), facts, ..Receipt::of(Reached::Synced, lanes) };
        let elapsed = Duration::from_millis(1500);
        let text = StoredReceipt { session: SessionId([0x1a; 16]), receipt: &receipt, elapsed }
            .to_json(Timestamp::from_millisecond(1_795_443_526_789).expect("a date"));
        assert_eq!(text.lines().count(), 1);
        assert!(text.ends_with("}\n") && !text.contains('\u{202e}'), "{text}");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["time"], "2026-11-23T14:18:46.789Z");
        assert_eq!(value["session"], "1a".repeat(16));
        assert_eq!((&value["reached"], &value["files"], &value["elapsed"]), (&json!("synced"), &json!(3), &json!(1.5)));
        assert_eq!(value["lanes"], json!([{ "lane": 0, "bytes": 7, "sha1": "ab".repeat(20) }]));
        assert_eq!((&value["backup"]["to_lsn"], &value["backup"]["tool"]), (&json!(42), &json!("a\u{202e}\"b")));
    }
}
