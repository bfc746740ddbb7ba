//! The files of a stream as the simplest reader would leave them.

use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a stream is not asked.
#[derive(Debug)]
pub(super) struct Refused;

/// A tree of files.
#[derive(Debug, Default)]
pub(super) struct Model {
    files: BTreeMap<String, File>,
    dirs: BTreeSet<String>,
}

#[derive(Debug)]
struct File {
    content: Vec<u8>,
    suffix: String,
    /// The lane it comes on, until it has ended.
    open_on: Option<u16>,
    /// Where its next chunk belongs.
    next: u64,
    /// Encoded bytes so far.
    encoded: u64,
}

/// The file that a chunk is about: what the stream calls it is `disk` and `suffix`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) disk: &'a str,
    pub(super) suffix: &'a str,
    pub(super) lane: u16,
}

impl Model {
    /// A payload, or with `encoded` bytes what becomes of them. Where it belongs is said by the chunk.
    pub(super) fn payload(
        &mut self,
        subject: Subject<'_>,
        replaces: bool,
        offset: u64,
        encoded: u64,
        plain: &[u8],
    ) -> Result<(), Refused> {
        let file = self.opened(subject, replaces)?;
        if file.next != offset || !file.suffix.is_empty() && file.encoded != offset {
            return Err(Refused);
        }
        file.next += encoded;
        file.encoded += encoded;
        let at = if file.suffix.is_empty() { offset as usize } else { file.content.len() };
        file.put(at, plain);
        Ok(())
    }

    /// A hole and a piece, `runs` times, and a hole at the end.
    pub(super) fn sparse(&mut self, subject: Subject<'_>, offset: u64, runs: &[(u32, Vec<u8>)]) -> Result<(), Refused> {
        let file = self.opened(subject, false)?;
        if file.next != offset || !file.suffix.is_empty() {
            return Err(Refused);
        }
        for (skip, piece) in runs {
            file.next += u64::from(*skip);
            file.put(file.next as usize, piece);
            file.next += piece.len() as u64;
        }
        let end = file.content.len().max(file.next as usize);
        file.content.resize(end, 0);
        Ok(())
    }

    pub(super) fn seek(&mut self, subject: Subject<'_>, offset: u64) -> Result<(), Refused> {
        self.opened(subject, false)?.next = offset;
        Ok(())
    }

    pub(super) fn end(&mut self, subject: Subject<'_>) -> Result<(), Refused> {
        self.opened(subject, true)?.open_on = None;
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        if self.is_busy(|name| is_in(name, from) || is_in(name, to)) {
            return Err(Refused);
        }
        if !self.is_reached(from)? {
            return Ok(());
        }
        if self.dirs.contains(from) {
            return Err(Refused);
        }
        if !self.files.contains_key(from) {
            return Ok(());
        }
        self.make_way(to)?;
        let file = self.files.remove(from).ok_or(Refused)?;
        self.files.insert(to.to_owned(), file);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) -> Result<(), Refused> {
        let gone = |name: &str| match path.strip_suffix('*') {
            Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/')),
            None => is_in(name, path),
        };
        if self.is_busy(gone) {
            return Err(Refused);
        }
        if self.is_reached(path)? {
            self.files.retain(|name, _| !gone(name));
            self.dirs.retain(|name| path.ends_with('*') || !gone(name));
        }
        Ok(())
    }

    /// All files with their contents, and directories with none.
    pub(super) fn finish(self) -> Result<BTreeMap<String, Option<Vec<u8>>>, Refused> {
        if self.is_busy(|_| true) {
            return Err(Refused);
        }
        let files = self.files.into_iter().map(|(name, file)| (name, Some(file.content)));
        Ok(files.chain(self.dirs.into_iter().map(|name| (name, None))).collect())
    }

    /// Where the next chunk of a file belongs.
    pub(super) fn next(&self, disk: &str) -> u64 {
        self.files.get(disk).filter(|file| file.open_on.is_some()).map_or(0, |file| file.next)
    }

    fn opened(&mut self, subject: Subject<'_>, replaces: bool) -> Result<&mut File, Refused> {
        let Subject { disk, suffix, lane } = subject;
        match self.files.get(disk) {
            Some(file) if file.suffix != suffix => return Err(Refused),
            Some(File { open_on: Some(other), .. }) if *other != lane => return Err(Refused),
            Some(File { open_on: None, .. }) if !replaces => return Err(Refused),
            Some(File { open_on: Some(_), .. }) => {}
            _ => {
                self.make_way(disk)?;
                let suffix = suffix.to_owned();
                let file = File { content: Vec::new(), suffix, open_on: Some(lane), next: 0, encoded: 0 };
                self.files.insert(disk.to_owned(), file);
            }
        }
        self.files.get_mut(disk).ok_or(Refused)
    }

    /// Makes the directories of a file.
    fn make_way(&mut self, path: &str) -> Result<(), Refused> {
        let parents: Vec<String> = parents(path).map(str::to_owned).collect();
        if self.dirs.contains(path) || parents.iter().any(|parent| self.files.contains_key(parent)) {
            return Err(Refused);
        }
        self.dirs.extend(parents);
        Ok(())
    }

    /// Whether the directories of a file are there.
    fn is_reached(&self, path: &str) -> Result<bool, Refused> {
        if parents(path).any(|parent| self.files.contains_key(parent)) {
            return Err(Refused);
        }
        Ok(parents(path).all(|parent| self.dirs.contains(parent)))
    }

    fn is_busy(&self, selected: impl Fn(&str) -> bool) -> bool {
        self.files.iter().any(|(name, file)| file.open_on.is_some() && selected(name))
    }
}

impl File {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = self.content.len().max(at + bytes.len());
        self.content.resize(end, 0);
        self.content[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// Whether `name` is `path` or below it.
fn is_in(name: &str, path: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directories that a path leads through, the first one first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}
