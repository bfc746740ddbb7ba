//! Files of settings on the disk: where they are, and whether they can be trusted.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::environment::{Environment, said};
use super::error::FileError;
use super::option_file::Files;

/// The system's file.
pub(super) const SYSTEM_FILE: &str = "/etc/xb/xb.conf";

/// The most that is read of one file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What the names of files in an included directory end with.
const EXTENSION: &str = "cnf";

/// The files of this host. Keeps what there is to warn of.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// Words for the user.
    pub(super) warnings: Vec<String>,
    /// The file of ours that is read, if one is.
    pub(super) config: Option<PathBuf>,
    /// The files that the user has named. He may trust their owners; nobody has asked him about the others.
    pub(super) named: Vec<PathBuf>,
}

impl Files for Disk {
    type Error = FileError;

    fn content(&mut self, path: &Path) -> Result<Vec<u8>, FileError> {
        let failed = |error| FileError::read(path, error);
        let file = File::open(path).map_err(failed)?;
        self.trust(path, &file.metadata().map_err(failed)?)?;
        let mut content = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(failed)?;
        match content.len() as u64 > MAX_FILE {
            true => Err(FileError::Long { path: path.to_owned(), limit: MAX_FILE }),
            false => Ok(content),
        }
    }

    fn option_files(&mut self, dir: &Path) -> Result<Vec<PathBuf>, FileError> {
        self.trust(dir, &dir.metadata().map_err(|error| FileError::read(dir, error))?)?;
        let paths: io::Result<Vec<PathBuf>> =
            dir.read_dir().and_then(|all| all.map(|entry| Ok(entry?.path())).collect());
        let mut paths = paths.map_err(|error| FileError::read(dir, error))?;
        paths.retain(|path| path.extension().is_some_and(|end| end == EXTENSION));
        paths.sort();
        Ok(paths)
    }
}

impl Disk {
    /// Refuses what others may write, a file or a directory of files: settings name commands that are run.
    fn trust(&mut self, path: &Path, metadata: &Metadata) -> Result<(), FileError> {
        // What comes through a pipe, as in `--config <(...)`, is nobody else's to write.
        let is_pipe = !metadata.is_file() && !metadata.is_dir();
        match is_pipe && self.is_named(path) {
            true => Ok(()),
            false => self.trust_rights(path, metadata.mode() & 0o7777, metadata.uid()),
        }
    }

    /// Warns of what the users of a group may write, and of a file of somebody else that the user has named.
    fn trust_rights(&mut self, path: &Path, mode: u32, owner: u32) -> Result<(), FileError> {
        if mode & 0o002 != 0 {
            return Err(FileError::Exposed { path: path.to_owned(), mode });
        }
        let (is_ours, name) = (owner == 0 || owner == rustix::process::geteuid().as_raw(), path.display());
        if !is_ours && !self.is_named(path) {
            return Err(FileError::Foreign { path: path.to_owned(), owner });
        }
        if mode & 0o020 != 0 {
            let words = "the users of its group may write it, and settings name commands to run";
            self.warnings.push(format!("the settings in {name} have mode {mode:04o}: {words}; run chmod g-w {name}"));
        }
        if !is_ours {
            let words = "who may change what is run here";
            self.warnings.push(format!("the settings in {name} belong to the user with number {owner}, {words}"));
        }
        Ok(())
    }

    fn is_named(&self, path: &Path) -> bool {
        self.named.iter().any(|named| named == path)
    }

    /// The first of the user's and the system's file that is there.
    ///
    /// # Errors
    /// When one is there and cannot be looked at. Where a folder above it cannot be entered, as with the HOME of somebody else,
    /// nobody knows whether it is there: that is warned of.
    pub(super) fn find(&mut self, environment: &Environment, system_file: &Path) -> Result<Option<PathBuf>, FileError> {
        for path in user_file(environment).into_iter().chain([system_file.to_owned()]) {
            match path.symlink_metadata() {
                Ok(_) => return Ok(Some(path)),
                Err(error) if is_absent(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    self.warnings.push(format!("looking for settings in {}: {error}", path.display()));
                }
                Err(error) => return Err(FileError::read(&path, error)),
            }
        }
        Ok(None)
    }
}

/// The user's file. A relative `XDG_CONFIG_HOME` is to be ignored, says its specification.
fn user_file(environment: &Environment) -> Option<PathBuf> {
    let folder = |variable| said(environment, variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(config.join("xb/xb.conf"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn environment(variables: &[(&str, &Path)]) -> Environment {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn content(mode: u32) -> (Result<Vec<u8>, FileError>, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, mut disk) = (folder.path().join("xb.conf"), Disk::default());
        fs::write(&path, "[xb]").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("changed");
        (disk.content(&path), disk.warnings)
    }

    #[test]
    fn the_users_file_comes_before_the_systems() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, system) = (folder.path().join("home"), folder.path().join("system.conf"));
        let user = home.join(".config/xb/xb.conf");
        let found =
            |variables: &[(&str, &Path)]| Disk::default().find(&environment(variables), &system).expect("found");
        assert_eq!(found(&[("HOME", &home)]), None);
        fs::write(&system, "").expect("written");
        assert_eq!(found(&[("HOME", &home)]), Some(system.clone()));
        fs::create_dir_all(user.parent().expect("a folder")).expect("made");
        fs::write(&user, "").expect("written");
        assert_eq!(found(&[("HOME", &home)]), Some(user.clone()));
        assert_eq!(found(&[("XDG_CONFIG_HOME", &home.join(".config"))]), Some(user.clone()));
        assert_eq!(found(&[("XDG_CONFIG_HOME", Path::new("relative")), ("HOME", &home)]), Some(user));
        assert_eq!(found(&[("XDG_CONFIG_HOME", folder.path()), ("HOME", &home)]), Some(system.clone()));
        assert_eq!(found(&[]), Some(system.clone()));
    }

    #[test]
    fn a_file_that_others_may_write_is_warned_of_and_one_for_everybody_refused() {
        let (read, warnings) = content(0o644);
        assert_eq!((read.expect("read"), warnings), (b"[xb]".to_vec(), Vec::new()));
        let (read, warnings) = content(0o664);
        assert!(
            read.is_ok() && warnings[0].contains("have mode 0664") && warnings[0].contains("chmod g-w"),
            "{warnings:?}"
        );
        let error = content(0o646).0.expect_err("refused").to_string();
        assert!(error.contains("everybody may write there (mode 0646)"), "{error}");
    }

    #[test]
    fn what_belongs_to_somebody_else_is_read_only_where_it_is_named() {
        let (path, somebody) = (Path::new("/etc/xb/xb.conf"), 4_200_000_000);
        let error = Disk::default().trust_rights(path, 0o644, somebody).expect_err("refused").to_string();
        assert!(error.starts_with("the settings in /etc/xb/xb.conf are not read: "), "{error}");
        assert!(error.contains("the user with number 4200000000"), "{error}");
        let mut disk = Disk { named: vec![path.to_owned()], ..Disk::default() };
        disk.trust_rights(path, 0o644, somebody).expect("read");
        assert!(disk.warnings[0].contains("belong to the user with number 4200000000"), "{:?}", disk.warnings);
        assert!(disk.trust_rights(Path::new("/etc/xb/more.cnf"), 0o644, somebody).is_err(), "included");
        for trusted in [0, rustix::process::geteuid().as_raw()] {
            Disk::default().trust_rights(path, 0o644, trusted).expect("read");
        }
    }

    #[test]
    fn only_a_pipe_that_is_named_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, mode) = (folder.path().join("xb.conf"), Mode::from_raw_mode(0o666));
        mknodat(CWD, &path, FileType::Fifo, mode, 0).expect("made");
        fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("changed");
        let pipe = path.metadata().expect("a pipe");
        assert!(Disk::default().trust(&path, &pipe).is_err());
        Disk { named: vec![path.clone()], ..Disk::default() }.trust(&path, &pipe).expect("read");
    }

    #[test]
    fn a_folder_that_everybody_may_write_is_not_included() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).expect("changed");
        let error = Disk::default().option_files(folder.path()).expect_err("refused").to_string();
        assert!(error.contains("everybody may write there (mode 1777)"), "{error}");
    }

    #[test]
    fn what_is_no_file_of_settings_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Disk::default().content(folder.path()).expect_err("a folder").to_string();
        assert!(error.starts_with("reading the settings in /") && error.contains("Is a directory"), "{error}");
        let path = folder.path().join("long");
        fs::write(&path, vec![b'#'; MAX_FILE as usize + 1]).expect("written");
        let error = Disk::default().content(&path).expect_err("too long").to_string();
        assert!(error.contains("more than 1048576 bytes"), "{error}");
    }

    #[test]
    fn only_option_files_of_a_folder_are_included_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.cnf", "a.cnf", "a.cnf.dpkg-old", "README"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let found = Disk::default().option_files(folder.path()).expect("read");
        assert_eq!(found, [folder.path().join("a.cnf"), folder.path().join("b.cnf")]);
    }
}
