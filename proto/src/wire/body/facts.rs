//! The facts of a backup within a receipt.

use super::super::codec::{Reader, WireError, Writer};
use crate::backup::{BackupFacts, BackupKind, FactText};

pub(super) fn write(facts: &BackupFacts, writer: Writer) -> Writer {
    let lsns = writer.text(facts.kind.as_ref().map_or("", BackupKind::backup_type));
    let lsns = lsns.optional_u64(facts.from_lsn).optional_u64(facts.to_lsn).optional_u64(facts.last_lsn);
    let texts: [&Option<FactText>; 6] = [
        &facts.tool,
        &facts.tool_version,
        &facts.server_version,
        &facts.backup_uuid,
        &facts.server_uuid,
        &facts.binlog_position,
    ];
    let texts = texts.into_iter().fold(lsns, |writer, text| writer.fact(text.as_ref()));
    texts.optional_bool(facts.compressed).optional_bool(facts.encrypted)
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<BackupFacts, WireError> {
    Ok(BackupFacts {
        kind: reader.fact("backup type")?.map(BackupKind::of),
        from_lsn: reader.optional_u64("from LSN")?,
        to_lsn: reader.optional_u64("to LSN")?,
        last_lsn: reader.optional_u64("last LSN")?,
        tool: reader.fact("tool")?,
        tool_version: reader.fact("tool version")?,
        server_version: reader.fact("server version")?,
        backup_uuid: reader.fact("backup uuid")?,
        server_uuid: reader.fact("server uuid")?,
        binlog_position: reader.fact("binlog position")?,
        compressed: reader.optional_bool("compressed")?,
        encrypted: reader.optional_bool("encrypted")?,
    })
}
