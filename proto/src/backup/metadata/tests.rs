//! The files as the vendors' tools write them.

use proptest::prelude::*;

use super::*;

const CHECKPOINTS: &str = "backup_type = incremental\nfrom_lsn = 45678\nto_lsn = 56789\nlast_lsn = 56801\n";

const MARIADB_INFO: &str = "uuid = 1c0ff6b4-cb2a-11f0-9d1e-0242ac110002
name = 
tool_name = mariadb-backup
tool_command = --backup --password=... --stream=xbstream
tool_version = 10.11.19-MariaDB
ibbackup_version = 10.11.19-MariaDB
server_version = 10.11.19-MariaDB-log
start_time = 2026-11-29 02:00:00
binlog_pos = filename 'binlog.000002', position '342', GTID of the last change '0-1-23'
innodb_from_lsn = 0
innodb_to_lsn = 45678
partial = N
incremental = N
format = mbstream
compressed = N
";

fn text(text: &str) -> Option<FactText> {
    FactText::new(text)
}

#[test]
fn checkpoints_say_how_far_it_goes() {
    let facts = MetadataFile::Checkpoints.read(CHECKPOINTS.as_bytes());
    let expected = BackupFacts {
        kind: Some(BackupKind::Incremental),
        from_lsn: Some(45_678),
        to_lsn: Some(56_789),
        last_lsn: Some(56_801),
        ..BackupFacts::default()
    };
    assert_eq!(facts, expected);
}

#[test]
fn the_information_says_who_made_it() {
    let facts = MetadataFile::Info.read(MARIADB_INFO.as_bytes());
    assert_eq!((facts.kind, facts.from_lsn, facts.to_lsn), (Some(BackupKind::Full), Some(0), Some(45_678)));
    assert_eq!((facts.tool, facts.tool_version), (text("mariadb-backup"), text("10.11.19-MariaDB")));
    assert_eq!(facts.server_version, text("10.11.19-MariaDB-log"));
    assert_eq!(facts.backup_uuid, text("1c0ff6b4-cb2a-11f0-9d1e-0242ac110002"));
    let position = "filename 'binlog.000002', position '342', GTID of the last change '0-1-23'";
    assert_eq!(facts.binlog_position, text(position));
    assert_eq!((facts.compressed, facts.encrypted), (Some(false), None));
}

#[test]
fn percona_has_more_to_say() {
    let info = "binlog_pos = filename 'b.01', position '4', GTID of the last change 'a:1-5,\nb:1-9'\n\
                compressed = compressed\nencrypted = Y\nunheard_of = 1\n";
    let facts = MetadataFile::Info.read(info.as_bytes());
    assert_eq!(facts.binlog_position, text("filename 'b.01', position '4', GTID of the last change 'a:1-5,b:1-9'"));
    assert_eq!((facts.compressed, facts.encrypted), (Some(true), Some(true)));
    let config = "# This options file was generated\n\n[mysqld]\nserver_uuid=6c1f7a2e-0000-11ef-8000-0242ac110003\n";
    let facts = MetadataFile::Config.read(config.as_bytes());
    assert_eq!(facts.server_uuid, text("6c1f7a2e-0000-11ef-8000-0242ac110003"));
}

#[test]
fn what_is_not_as_it_should_be_says_nothing() {
    let facts = MetadataFile::Checkpoints.read(b"backup_type =\nfrom_lsn = -1\nto_lsn = 99999999999999999999\n");
    assert!(facts.is_empty(), "{facts:?}");
    assert!(MetadataFile::Checkpoints.read(b"to_lsn = 1\n\xff").is_empty());
    let long = [CHECKPOINTS.as_bytes(), &[b'\n'; MAX_METADATA]].concat();
    assert!(MetadataFile::Checkpoints.read(&long).is_empty());
    let prepared = MetadataFile::Checkpoints.read(b"backup_type = full-prepared");
    assert_eq!(prepared.kind.map(|kind| kind.to_string()).as_deref(), Some("full-prepared"));
}

#[test]
fn files_are_known_by_name_and_in_the_top_directory_only() {
    let of = |path: &'static str| MetadataFile::of(path.as_bytes());
    assert_eq!(of("xtrabackup_info"), Some((MetadataFile::Info, &b""[..])));
    assert_eq!(of("mariadb_backup_checkpoints"), Some((MetadataFile::Checkpoints, &b""[..])));
    assert_eq!(of("xtrabackup_info.zst.xbcrypt"), Some((MetadataFile::Info, &b".zst.xbcrypt"[..])));
    for other in ["shop/xtrabackup_info", "xtrabackup_info2", "xtrabackup_info.d/a", "xtrabackup_binlog_info"] {
        assert_eq!(of(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn any_bytes_say_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        crate::backup::fuzz::metadata(&bytes);
    }

    #[test]
    fn values_of_any_form_survive_a_receipt(values in prop::collection::vec("\\PC{0,20}", 9)) {
        let keys = ["uuid", "tool_name", "tool_version", "server_version", "binlog_pos", "backup_type", "to_lsn", "encrypted", "server_uuid"];
        let text: String = keys.iter().zip(&values).map(|(key, value)| format!("{key} = {value}\n")).collect();
        crate::backup::fuzz::metadata(text.as_bytes());
    }
}
