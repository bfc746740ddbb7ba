//! Giving what was unpacked to its owner.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, fsync, openat, syncfs};

use super::{ExtractError, Extraction};
use crate::disk::{At, DIR_FLAGS, DiskError, Ownership, entry, is_dir, is_file, names, open_dir};

/// Whose the target directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// Nothing was in it: it is given away with the backup.
    Sole,
    /// There is something else in it: it stays as it is.
    Shared,
}

impl Extraction {
    /// Gives every unpacked file and directory its owner and permissions, before the commit gives it its name. All lanes have
    /// finished and everything is synced. The target directory itself stays as it is.
    ///
    /// # Errors
    /// When one of them could not be changed.
    pub fn give_away(&self, ownership: &Ownership) -> Result<(), ExtractError> {
        if ownership.is_nothing() {
            return Ok(());
        }
        let root = self.staging.tree()?.into_root();
        give_contents(&root, Path::new(""), ownership)?;
        Ok(sync(&root, &self.target.path)?)
    }

    /// Gives the target directory its owner and permissions, and nothing in it. For after the commit: a session that fails
    /// leaves a directory that was there as it was.
    ///
    /// # Errors
    /// When it could not be changed. What was committed stays so.
    pub fn give_directory(&self, ownership: &Ownership) -> Result<(), DiskError> {
        give_itself(&self.target.fd, &self.target.path, ownership)
    }
}

/// Gives the directory `dir`, and nothing in it, its owner and permissions, as far as it has not got them.
///
/// # Errors
/// When it could not be changed.
pub fn give_directory(dir: &Path, ownership: &Ownership) -> Result<(), DiskError> {
    if ownership.is_nothing() {
        return Ok(());
    }
    give_itself(&open_dir(dir).at("opening", dir)?, dir, ownership)
}

fn give_itself(fd: &OwnedFd, dir: &Path, ownership: &Ownership) -> Result<(), DiskError> {
    if ownership.is_nothing() {
        return Ok(());
    }
    ownership.give(fd).and_then(|()| Ok(fsync(fd)?)).at("giving away", dir)
}

/// Gives the directory `dir` and all in it its owner and permissions, as far as it has not got them.
///
/// # Errors
/// When something in it could not be changed.
pub fn give_away(dir: &Path, ownership: &Ownership) -> Result<(), DiskError> {
    if ownership.is_nothing() {
        return Ok(());
    }
    let root = open_dir(dir).at("opening", dir)?;
    give_contents(&root, Path::new(""), ownership)?;
    ownership.give(&root).at("giving away", dir)?;
    sync(&root, dir)
}

/// Goes through the directory `dir`, called `path` in errors, and all below it. Each is reached from the one above it by its
/// own name, so no link leads out, whoever plants one.
fn give_contents(dir: &OwnedFd, path: &Path, ownership: &Ownership) -> Result<(), DiskError> {
    for name in names(dir).at("reading", path)? {
        let below = path.join(&name);
        let Some(stat) = entry(dir, &name).at("looking at", &below)? else { continue };
        let flags = match (is_dir(&stat), is_file(&stat)) {
            (true, _) => DIR_FLAGS,
            (_, true) => OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
            _ => continue,
        };
        let opened = openat(dir, &name, flags, Mode::empty()).at("opening", &below)?;
        if is_dir(&stat) {
            give_contents(&opened, &below, ownership)?;
        }
        ownership.give(&opened).at("giving away", below)?;
    }
    Ok(())
}

/// Makes the changes durable, all at once. The bytes of the files are already, so nothing but the changes can fail here.
fn sync(dir: impl AsFd, path: &Path) -> Result<(), DiskError> {
    syncfs(dir).at("syncing", path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn all_below_is_given_away_and_no_link_is_followed() {
        let room = tempfile::tempdir().unwrap();
        let (inside, outside) = (room.path().join("in"), room.path().join("out"));
        fs::create_dir_all(inside.join("shop/deep")).unwrap();
        fs::write(inside.join("shop/deep/t.ibd"), "t").unwrap();
        fs::write(inside.join("ibdata1"), "i").unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("foreign"), "f").unwrap();
        symlink(&outside, inside.join("shop/link")).unwrap();
        symlink(outside.join("foreign"), inside.join("file")).unwrap();
        let before = (mode(&outside), mode(&outside.join("foreign")));
        let ownership = Ownership {
            file_mode: Some(Mode::from_raw_mode(0o604)),
            dir_mode: Some(Mode::from_raw_mode(0o705)),
            ..Ownership::default()
        };
        give_away(&inside, &ownership).unwrap();
        for (name, expected) in
            [("", 0o705), ("shop", 0o705), ("shop/deep", 0o705), ("shop/deep/t.ibd", 0o604), ("ibdata1", 0o604)]
        {
            assert_eq!(mode(&inside.join(name)), expected, "{name}");
        }
        assert_eq!((mode(&outside), mode(&outside.join("foreign"))), before);
    }
}
