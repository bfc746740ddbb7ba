//! Who is unpacking: kept in the staging folder, so that the sender of a receiver that was killed finds the next one at
//! once and hears that it must begin anew.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::fstat;

use super::staging::Staging;
use crate::disk::{DiskError, is_private};
use crate::journal::{Presence, Replayed, replay};

/// Its name in the staging folder; the content is a journal of one record.
const PRESENCE: &str = "presence";

/// How much of it is read, in bytes; it has about one KiB.
const MAX_PRESENCE: u64 = 128 << 10;

impl Staging {
    /// Keeps whose this folder is; it lasts.
    pub(super) fn write_presence(&self, presence: &Presence) -> Result<(), DiskError> {
        self.write(PRESENCE, &Replayed { presence: Some(presence.clone()), session: None }.encode())
    }

    /// Whose this folder was, if that is known for certain.
    pub(super) fn read_presence(&self) -> Option<Presence> {
        // Nothing is lost but time if it cannot be read: the sender gives up after a while.
        let file = self.open(PRESENCE).ok()??;
        replay(&read(file).ok()??).0.presence
    }
}

/// The content of a file of ours.
fn read(file: File) -> io::Result<Option<Vec<u8>>> {
    if !file.metadata()?.is_file() || !is_private(&fstat(&file)?) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MAX_PRESENCE).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use crate::extract::{Extraction, Unpacking};
    use crate::journal::sample::presence;

    /// A directory that a receiver at port 9 was unpacking into when it was killed, and where it kept that.
    fn killed() -> (tempfile::TempDir, std::path::PathBuf) {
        let room = tempfile::tempdir().unwrap();
        let (mut extraction, _) = Extraction::create(room.path(), 7, Unpacking::default()).unwrap();
        extraction.remember(&presence(8)).unwrap();
        extraction.remember(&presence(9)).unwrap();
        extraction.staging.lose_lock();
        std::mem::forget(extraction);
        let kept = room.path().join(".xbrecv-0000000000000007/presence");
        (room, kept)
    }

    fn found(room: &tempfile::TempDir) -> Option<u16> {
        let (_, recovered) = Extraction::create(room.path(), 8, Unpacking::default()).unwrap();
        assert_eq!(recovered.notices.len(), 1);
        recovered.presence.map(|presence| presence.address.port())
    }

    #[test]
    fn it_outlives_its_folder_once() {
        let (room, kept) = killed();
        assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(found(&room), Some(9));
        assert!(!kept.exists());
        let (_, recovered) = Extraction::create(room.path(), 9, Unpacking::default()).unwrap();
        assert!(recovered.presence.is_none());
    }

    #[test]
    fn one_that_others_could_read_is_not_believed() {
        let (room, kept) = killed();
        fs::set_permissions(kept, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(found(&room), None);
    }

    #[test]
    fn a_link_is_not_followed() {
        let (room, kept) = killed();
        let elsewhere = room.path().join("elsewhere");
        fs::rename(&kept, &elsewhere).unwrap();
        symlink(&elsewhere, kept).unwrap();
        assert_eq!(found(&room), None);
    }

    #[test]
    fn damage_is_seen() {
        let (room, kept) = killed();
        let mut bytes = fs::read(&kept).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(kept, bytes).unwrap();
        assert_eq!(found(&room), None);
    }
}
