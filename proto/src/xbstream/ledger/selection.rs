//! Which names a rename or remove is about.

use std::ops::Bound;

use crate::xbstream::StreamPath;

/// The files that a rename or remove is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The file of this name, or all below the directory of this name.
    Tree(&'a [u8]),
    /// Files whose name begins so, none in a directory further down.
    Files(&'a [u8]),
}

/// The part of ordered names that begins at one.
pub type StartingAt<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

impl<'a> Selection<'a> {
    /// What a removal of `path` is about.
    pub fn removed_by(path: &'a StreamPath) -> Selection<'a> {
        match path.as_bytes().strip_suffix(b"*") {
            Some(prefix) => Selection::Files(prefix),
            None => Selection::Tree(path.as_bytes()),
        }
    }

    /// Finds the selected among ordered names, looking only at the ranges that can hold them.
    pub fn pick<'n, I>(&self, names: impl Fn(StartingAt<'_>) -> I) -> impl Iterator<Item = &'n StreamPath>
    where
        I: Iterator<Item = &'n StreamPath>,
    {
        let (name, prefix, below) = match self {
            Selection::Tree(name) => (Some(*name), [*name, b"/"].concat(), Below::Included),
            Selection::Files(prefix) => (None, prefix.to_vec(), Below::Excluded),
        };
        let starting_at = |start| names((Bound::Included(start), Bound::Unbounded));
        let named = name.and_then(|name| starting_at(name).next().filter(|first| first.as_bytes() == name));
        let prefixed =
            starting_at(&prefix).map_while(move |path| Some((path, path.as_bytes().strip_prefix(&prefix[..])?)));
        let wanted = move |rest: &[u8]| below == Below::Included || !rest.contains(&b'/');
        named.into_iter().chain(prefixed.filter(move |(_, rest)| wanted(rest)).map(|(path, _)| path))
    }
}

/// Whether directories further down belong to a selection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Included,
    Excluded,
}
