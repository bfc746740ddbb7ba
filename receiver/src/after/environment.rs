//! What the command of `--then` is told in its environment.

use std::ffi::OsString;
use std::path::PathBuf;

use xbproto::backup::FactText;
use xbproto::wire::Receipt;

/// Where a committed backup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Unpacked in this directory.
    Directory(PathBuf),
    /// In this file, or behind this device or FIFO.
    File(PathBuf),
    /// Wherever a command or a reader has put it.
    Elsewhere,
}

/// The variables about a backup; those without a value are not known, and not to be set.
pub(super) fn variables(receipt: &Receipt, place: &Place) -> Vec<(String, Option<OsString>)> {
    let facts = &receipt.facts;
    let text = |text: &Option<FactText>| text.as_deref().map(str::to_owned);
    let yes = |told: Option<bool>| told.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let bytes: u64 = receipt.lanes.iter().map(|lane| lane.len).sum();
    let (dir, file) = match place {
        Place::Directory(path) => (Some(path.into()), None),
        Place::File(path) => (None, Some(path.into())),
        Place::Elsewhere => (None, None),
    };
    let known = [
        ("XB_REACHED", Some(receipt.reached.to_string())),
        ("XB_BYTES", Some(bytes.to_string())),
        ("XB_FILES", number(receipt.files)),
        ("XB_BACKUP_TYPE", facts.kind.as_ref().map(ToString::to_string)),
        ("XB_FROM_LSN", number(facts.from_lsn)),
        ("XB_TO_LSN", number(facts.to_lsn)),
        ("XB_LAST_LSN", number(facts.last_lsn)),
        ("XB_TOOL", text(&facts.tool)),
        ("XB_TOOL_VERSION", text(&facts.tool_version)),
        ("XB_SERVER_VERSION", text(&facts.server_version)),
        ("XB_SERVER_UUID", text(&facts.server_uuid)),
        ("XB_BACKUP_UUID", text(&facts.backup_uuid)),
        ("XB_BINLOG_POSITION", text(&facts.binlog_position)),
        ("XB_COMPRESSED", yes(facts.compressed)),
        ("XB_ENCRYPTED", yes(facts.encrypted)),
    ];
    let known = known.map(|(name, value)| (name.to_owned(), value.map(OsString::from)));
    let place = [("XB_DIR".to_owned(), dir), ("XB_FILE".to_owned(), file)];
    place.into_iter().chain(known).chain(sums(receipt)).collect()
}

/// `XB_SHA1` of a single lane; `XB_SHA1_0` and so on of several.
fn sums(receipt: &Receipt) -> Vec<(String, Option<OsString>)> {
    let sum = |index: usize| receipt.lanes.get(index).map(|lane| lane.sum.to_string().into());
    match receipt.lanes.len() {
        1 => vec![("XB_SHA1".to_owned(), sum(0))],
        several => {
            let each = (0..several).map(|index| (format!("XB_SHA1_{index}"), sum(index)));
            std::iter::once(("XB_SHA1".to_owned(), None)).chain(each).collect()
        }
    }
}

fn number(value: Option<u64>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use xbproto::backup::{BackupFacts, BackupKind};
    use xbproto::lane::{LaneId, Sha1Sum};
    use xbproto::wire::{LaneSum, Reached};

    use super::*;

    fn lane(number: u16) -> LaneSum {
        LaneSum { lane: LaneId(number), len: 5, sum: Sha1Sum([number as u8; 20]) }
    }

    fn set(receipt: &Receipt, place: &Place) -> Vec<String> {
        let set = variables(receipt, place).into_iter().filter_map(|(name, value)| Some((name, value?)));
        set.map(|(name, value)| format!("{name}={}", value.display())).collect()
    }

    #[test]
    fn what_is_known_is_set() {
        let facts = BackupFacts {
            kind: Some(BackupKind::Full),
            from_lsn: Some(0),
            to_lsn: Some(42),
            tool: FactText::new("mariadb-backup"),
            compressed: Some(false),
            ..BackupFacts::default()
        };
        let receipt = Receipt { files: Some(3), facts, ..Receipt::of(Reached::Synced, vec![lane(0)]) };
        let sum = "00".repeat(20);
        assert_eq!(
            set(&receipt, &Place::Directory("/restore".into())),
            [
                "XB_DIR=/restore",
                "XB_REACHED=synced",
                "XB_BYTES=5",
                "XB_FILES=3",
                "XB_BACKUP_TYPE=full",
                "XB_FROM_LSN=0",
                "XB_TO_LSN=42",
                "XB_TOOL=mariadb-backup",
                "XB_COMPRESSED=no",
                &format!("XB_SHA1={sum}"),
            ]
        );
    }

    #[test]
    fn several_lanes_have_a_sum_each() {
        let receipt = Receipt::of(Reached::Consumed, vec![lane(0), lane(1)]);
        let sums = [format!("XB_SHA1_0={}", "00".repeat(20)), format!("XB_SHA1_1={}", "01".repeat(20))];
        let expected = [&["XB_REACHED=consumed".to_owned(), "XB_BYTES=10".to_owned()][..], &sums].concat();
        assert_eq!(set(&receipt, &Place::Elsewhere), expected);
    }
}
