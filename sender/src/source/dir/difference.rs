//! What has happened to a directory between two looks at it. Pure.

use std::fmt;

use super::inventory::Entry;

/// What has happened to a file since it was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// It was not there.
    Appeared,
    /// It was removed, or got another name.
    Vanished,
    /// It was written to, or is another file.
    Changed,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Happened::Appeared => "was not there",
            Happened::Vanished => "is not there any more, as it was",
            Happened::Changed => "is not any more what it was",
        })
    }
}

/// The path of the first file that is not the same in both lists, which have the order of an inventory.
pub(super) fn first_difference<'a>(before: &'a [Entry], now: &'a [Entry]) -> Option<(&'a [u8], Happened)> {
    let is_same = |before: &Entry, now: &Entry| before.path == now.path && before.stamp == now.stamp;
    let same = before.iter().zip(now).take_while(|(before, now)| is_same(before, now)).count();
    match (before.get(same), now.get(same)) {
        (None, None) => None,
        (Some(gone), None) => Some((&gone.path, Happened::Vanished)),
        (None, Some(new)) => Some((&new.path, Happened::Appeared)),
        (Some(before), Some(now)) => Some(match names(&before.path).cmp(names(&now.path)) {
            std::cmp::Ordering::Less => (&before.path, Happened::Vanished),
            std::cmp::Ordering::Equal => (&before.path, Happened::Changed),
            std::cmp::Ordering::Greater => (&now.path, Happened::Appeared),
        }),
    }
}

/// The order of an inventory is that of the names, one after the other.
fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Happened::{Appeared, Changed, Vanished};
    use super::*;
    use crate::source::dir::inventory::Inventory;

    /// What is found after `change` was made to a directory of three files.
    fn found(change: &str) -> Option<(String, Happened)> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        ["a-1", "a/b", "c"].iter().for_each(|name| fs::write(dir.path().join(name), name).unwrap());
        let before = Inventory::of(dir.path()).unwrap();
        let status = std::process::Command::new("sh").args(["-ec", change]).current_dir(dir.path()).status();
        assert!(status.unwrap().success());
        let now = Inventory::of(dir.path()).unwrap();
        let found = first_difference(&before.files, &now.files);
        found.map(|(path, happened)| (String::from_utf8(path.to_vec()).unwrap(), happened))
    }

    #[test]
    fn the_first_file_that_differs_is_named() {
        let expected = |path: &str, happened| Some((path.to_owned(), happened));
        assert_eq!(found("mkdir empty"), None);
        assert_eq!(found("echo more >> c"), expected("c", Changed));
        assert_eq!(found("touch -r c kept; echo X > c; touch -r kept c; rm kept"), expected("c", Changed));
        assert_eq!(found("rm a/b"), expected("a/b", Vanished));
        assert_eq!(found("rm a-1 c"), expected("a-1", Vanished));
        assert_eq!(found("rm -r a a-1 c"), expected("a/b", Vanished));
        assert_eq!(found("touch a/a a/c"), expected("a/a", Appeared));
        assert_eq!(found("touch d"), expected("d", Appeared));
        assert_eq!(found("mv a-1 b"), expected("a-1", Vanished));
        assert_eq!(found("mv c a/c"), expected("a/c", Appeared));
        assert_eq!(found("cp -p c new; mv new c"), expected("c", Changed));
    }
}
