//! What the command of `--then` is told in its environment.

use std::ffi::OsString;
use std::path::PathBuf;

use xbproto::backup::FactText;
use xbproto::wire::{LaneSum, Receipt};

use crate::sink::part_path;

/// Where a committed backup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Unpacked in this directory.
    Directory(PathBuf),
    /// In this file, or behind this device or FIFO; of several streams, in files that begin so.
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
    let dir = match place {
        Place::Directory(path) => Some(path.into()),
        Place::File(_) | Place::Elsewhere => None,
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
    let dir = ("XB_DIR".to_owned(), dir);
    std::iter::once(dir).chain(files(receipt, place)).chain(known).chain(sums(receipt)).collect()
}

fn files(receipt: &Receipt, place: &Place) -> Vec<(String, Option<OsString>)> {
    let Place::File(path) = place else { return vec![("XB_FILE".to_owned(), None)] };
    let is_whole = receipt.lanes.len() == 1;
    each("XB_FILE", &receipt.lanes, |lane| if is_whole { path.into() } else { part_path(path, lane.lane).into() })
}

fn sums(receipt: &Receipt) -> Vec<(String, Option<OsString>)> {
    each("XB_SHA1", &receipt.lanes, |lane| lane.sum.to_string().into())
}

/// `NAME` of a single lane; `NAME_0` and so on of several, and no `NAME`.
fn each(name: &str, lanes: &[LaneSum], value: impl Fn(&LaneSum) -> OsString) -> Vec<(String, Option<OsString>)> {
    let values = lanes.iter().map(|lane| Some(value(lane)));
    match lanes.len() {
        1 => values.map(|value| (name.to_owned(), value)).collect(),
        _ => {
            let numbered = values.enumerate().map(|(index, value)| (format!("{name}_{index}"), value));
            std::iter::once((name.to_owned(), None)).chain(numbered).collect()
        }
    }
}

fn number(value: Option<u64>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use xbproto::backup::{BackupFacts, BackupKind};
    use xbproto::cli::settings::TOLD;
    use xbproto::lane::{LaneId, Sha1Sum};
    use xbproto::wire::Reached;

    use super::*;

    #[test]
    fn no_program_of_ours_takes_what_it_is_told_for_a_setting() {
        for lanes in [vec![lane(0)], vec![lane(0), lane(1)]] {
            for (name, _) in variables(&Receipt::of(Reached::Synced, lanes), &Place::File("f".into())) {
                let name = name.trim_end_matches("_0").trim_end_matches("_1");
                assert!(TOLD.contains(&name), "{name} is to be reserved");
            }
        }
    }

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

    #[test]
    fn the_file_is_what_there_is_of_the_backup() {
        let place = Place::File("/backups/full.xb".into());
        let told = |lanes: Vec<LaneSum>| {
            let all = variables(&Receipt::of(Reached::Synced, lanes), &place).into_iter();
            let of_files = all.filter(|(name, _)| name.starts_with("XB_FILE") && name != "XB_FILES");
            of_files.map(|(name, value)| (name, value.map(|v| v.into_string().unwrap()))).collect::<Vec<_>>()
        };
        let is = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(told(vec![lane(0)]), [is("XB_FILE", Some("/backups/full.xb"))]);
        let two = [
            is("XB_FILE", None),
            is("XB_FILE_0", Some("/backups/full.xb.0")),
            is("XB_FILE_1", Some("/backups/full.xb.1")),
        ];
        assert_eq!(told(vec![lane(0), lane(1)]), two);
    }
}
