//! What is done with a committed backup: options, and the words they are given in.

use std::ffi::OsString;

use clap::Args;
use nix::unistd::{Group, User};
use rustix::fs::{Gid, Mode, Uid};
use rustix::process::{getegid, geteuid, getgroups};

use super::{NO_BACKUP, NO_FILES, NO_UNPACKING};
use crate::disk::Ownership;

/// What is done with a committed backup.
#[derive(Args, Clone, Debug, Default)]
pub struct AfterArgs {
    /// Prepare the backup when it is committed, with the tool that made it; for a full backup in a new or empty directory
    #[arg(long, requires = "extract", conflicts_with_all = NO_UNPACKING, help_heading = "Afterwards")]
    pub prepare: bool,

    /// Run COMMAND by /bin/sh -c when the backup is committed; what is known of it is in XB_DIR, XB_SHA1, XB_TO_LSN ...
    ///
    /// It runs once the sender has its receipt, so that the source does not wait for it. If it fails, xbrecv ends with 9:
    /// the copy is good.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = NO_BACKUP, help_heading = "Afterwards")]
    pub then: Option<OsString>,

    /// Give what was written to USER, and to GROUP: names or numbers
    #[arg(long, value_name = "USER[:GROUP]", value_parser = Owner::parse, conflicts_with_all = NO_FILES, help_heading = "Afterwards")]
    owner: Option<Owner>,

    /// Permissions of what was written, as octal numbers: of files, and of directories
    #[arg(long, value_name = "FILEMODE[,DIRMODE]", value_parser = Modes::parse, conflicts_with_all = NO_FILES, help_heading = "Afterwards")]
    mode: Option<Modes>,
}

impl AfterArgs {
    /// What is to be changed of owners and permissions.
    pub fn ownership(&self) -> Ownership {
        let owner = self.owner.unwrap_or_default();
        let modes = self.mode.unwrap_or_default();
        Ownership { user: owner.user, group: owner.group, file_mode: modes.file, dir_mode: modes.dir }
    }
}

/// Whom files are given to.
#[derive(Clone, Copy, Debug, Default)]
struct Owner {
    user: Option<Uid>,
    group: Option<Gid>,
}

/// There is no such owner, or it cannot be given to.
#[derive(Debug, thiserror::Error)]
enum OwnerError {
    #[error("expected USER or USER:GROUP")]
    Form,
    #[error("there is no user {0} on this host")]
    NoUser(String),
    #[error("there is no group {0} on this host")]
    NoGroup(String),
    #[error("{what} {name} cannot be looked up: {error}")]
    LookUp { what: &'static str, name: String, error: nix::Error },
    #[error("only root may give files to another {what}; run xbrecv as root, or as that user")]
    NotAllowed { what: &'static str },
}

impl Owner {
    fn parse(given: &str) -> Result<Owner, OwnerError> {
        let (user, group) = given.split_once(':').map_or((given, None), |(user, group)| (user, Some(group)));
        if user.is_empty() || group == Some("") {
            return Err(OwnerError::Form);
        }
        let owner = Owner { user: Some(user_of(user)?), group: group.map(group_of).transpose()? };
        owner.check_allowed()?;
        Ok(owner)
    }

    /// Whether the kernel will let us: everything as root, else only what is ours already.
    fn check_allowed(&self) -> Result<(), OwnerError> {
        if geteuid().is_root() {
            return Ok(());
        }
        let own_group = |group: Gid| group == getegid() || getgroups().is_ok_and(|groups| groups.contains(&group));
        if self.user.is_some_and(|user| user != geteuid()) {
            return Err(OwnerError::NotAllowed { what: "user" });
        }
        match self.group {
            Some(group) if !own_group(group) => Err(OwnerError::NotAllowed { what: "group" }),
            _ => Ok(()),
        }
    }
}

fn user_of(name: &str) -> Result<Uid, OwnerError> {
    let found = User::from_name(name).map_err(|error| failed("user", name, error))?;
    let number = || id(name).ok_or_else(|| OwnerError::NoUser(name.to_owned()));
    found.map_or_else(number, |user| Ok(user.uid.as_raw())).map(Uid::from_raw)
}

fn group_of(name: &str) -> Result<Gid, OwnerError> {
    let found = Group::from_name(name).map_err(|error| failed("group", name, error))?;
    let number = || id(name).ok_or_else(|| OwnerError::NoGroup(name.to_owned()));
    found.map_or_else(number, |group| Ok(group.gid.as_raw())).map(Gid::from_raw)
}

fn failed(what: &'static str, name: &str, error: nix::Error) -> OwnerError {
    OwnerError::LookUp { what, name: name.to_owned(), error }
}

/// A user or group by its number; the highest one means nobody.
fn id(name: &str) -> Option<u32> {
    name.parse().ok().filter(|id| *id != u32::MAX)
}

/// Permissions of files and directories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Modes {
    file: Option<Mode>,
    dir: Option<Mode>,
}

/// These are no permissions, or none that a backup can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum ModeError {
    #[error("expected FILEMODE or FILEMODE,DIRMODE: octal numbers up to 777, such as 640,750")]
    Form,
    #[error("the owner of the files must be able to read them: 400 or more")]
    Unreadable,
    #[error("the owner of the directories must have all rights in them: 700 or more")]
    Unusable,
}

impl Modes {
    fn parse(given: &str) -> Result<Modes, ModeError> {
        let (file, dir) = given.split_once(',').map_or((given, None), |(file, dir)| (file, Some(dir)));
        let (file, dir) = (mode(file)?, dir.map(mode).transpose()?);
        if !file.contains(Mode::RUSR) {
            return Err(ModeError::Unreadable);
        }
        if dir.is_some_and(|dir| !dir.contains(Mode::RWXU)) {
            return Err(ModeError::Unusable);
        }
        Ok(Modes { file: Some(file), dir })
    }
}

fn mode(octal: &str) -> Result<Mode, ModeError> {
    let digits = octal.bytes().all(|digit| digit.is_ascii_digit());
    let bits = u32::from_str_radix(octal, 8).ok().filter(|bits| digits && *bits <= 0o777);
    bits.map(Mode::from_raw_mode).ok_or(ModeError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_and_leave_the_owner_his_rights() {
        let modes = |file, dir: Option<u32>| {
            Ok(Modes { file: Some(Mode::from_raw_mode(file)), dir: dir.map(Mode::from_raw_mode) })
        };
        assert_eq!(Modes::parse("640"), modes(0o640, None));
        assert_eq!(Modes::parse("0440,0750"), modes(0o440, Some(0o750)));
        for wrong in ["", "648", "4755", "640,", "+640", "u=rw", "640,750,1"] {
            assert_eq!(Modes::parse(wrong), Err(ModeError::Form), "{wrong}");
        }
        assert_eq!(Modes::parse("040"), Err(ModeError::Unreadable));
        assert_eq!(Modes::parse("640,640"), Err(ModeError::Unusable));
    }

    #[test]
    fn owners_are_names_or_numbers_of_this_host() {
        let (user, group) = (geteuid(), getegid());
        let owner = Owner::parse(&format!("{}:{}", user.as_raw(), group.as_raw())).unwrap();
        assert_eq!((owner.user, owner.group), (Some(user), Some(group)));
        assert_eq!(user_of("root").unwrap(), Uid::ROOT);
        for (wrong, words) in [
            ("", "expected USER"),
            (":root", "expected USER"),
            ("root:", "expected USER"),
            ("no such user", "there is no user no such user"),
            ("4294967295", "there is no user 4294967295"),
        ] {
            let error = Owner::parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with(words), "{wrong}: {error}");
        }
        let error = Owner::parse(&format!("{}:no such group", user.as_raw())).unwrap_err();
        assert_eq!(error.to_string(), "there is no group no such group on this host");
    }
}
