//! Which files of a backup stay, by their final names.

use std::path::Path;
use std::str::FromStr;

use globset::{Glob, GlobBuilder, GlobMatcher};

/// What is wanted of a backup: by default, all of it.
#[derive(Clone, Debug, Default)]
pub struct Wanted(Vec<Pattern>);

/// One pattern of file names below the target directory.
///
/// `*` and `?` stand for anything but a slash, `**` for that too, `[…]` and `{…,…}` as in a shell. A pattern that
/// matches a directory is about all below it.
#[derive(Clone, Debug)]
pub struct Pattern(GlobMatcher);

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(#[from] globset::Error);

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(given: &str) -> Result<Pattern, PatternError> {
        let glob: Glob = GlobBuilder::new(given.trim_end_matches('/')).literal_separator(true).build()?;
        Ok(Pattern(glob.compile_matcher()))
    }
}

impl Wanted {
    /// What any of these patterns matches; everything, if there are none.
    pub fn only(patterns: Vec<Pattern>) -> Wanted {
        Wanted(patterns)
    }

    /// Whether everything is wanted.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the file `path` is.
    pub fn has(&self, path: &Path) -> bool {
        let matched = |part: &Path| self.0.iter().any(|pattern| pattern.0.is_match(part));
        self.is_all() || path.ancestors().any(|part| !part.as_os_str().is_empty() && matched(part))
    }

    /// The patterns, as they were given.
    pub(super) fn patterns(&self) -> String {
        let patterns: Vec<&str> = self.0.iter().map(|pattern| pattern.0.glob().glob()).collect();
        patterns.join(" --only ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(patterns: &[&str]) -> impl Fn(&str) -> bool + use<> {
        let wanted = Wanted::only(patterns.iter().map(|pattern| pattern.parse().unwrap()).collect());
        move |path| wanted.has(Path::new(path))
    }

    #[test]
    fn without_a_pattern_everything_is_wanted() {
        assert!(wanted(&[])("shop/orders.ibd"));
    }

    #[test]
    fn a_star_stays_in_its_directory() {
        let has = wanted(&["shop/orders.*"]);
        assert!(has("shop/orders.ibd") && has("shop/orders.frm"));
        assert!(!has("shop/orders2.ibd") && !has("old/shop/orders.ibd") && !has("shop/x/orders.ibd"));
        assert!(
            wanted(&["*.ibd"])("a.ibd") && !wanted(&["*.ibd"])("shop/a.ibd") && wanted(&["**/*.ibd"])("shop/a.ibd")
        );
    }

    #[test]
    fn a_directory_stands_for_all_below_it() {
        for pattern in ["shop", "shop/"] {
            let has = wanted(&[pattern, "ibdata1"]);
            assert!(has("shop/orders.ibd") && has("shop/deep/er") && has("ibdata1"));
            assert!(!has("shop2/orders.ibd") && !has("mysql/shop"));
        }
    }

    #[test]
    fn names_need_not_be_text() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        assert!(Wanted::only(vec!["shop/*".parse().unwrap()]).has(Path::new(OsStr::from_bytes(b"shop/\xff"))));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!("a[".parse::<Pattern>().is_err());
    }
}
