//! Option files, as MySQL reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// Files that are made up.
#[derive(Default)]
struct Made(BTreeMap<PathBuf, Vec<u8>>);

impl Made {
    fn with(mut self, path: &str, content: &str) -> Made {
        self.0.insert(path.into(), content.into());
        self
    }

    /// `group name value line` of every entry of `/my.cnf`.
    fn entries(mut self) -> Result<Vec<String>, ReadError<String>> {
        let shown = |entry: &Entry| {
            let value = entry.value.as_ref().map_or("-".to_owned(), |value| format!("{value:?}"));
            format!("{} {} {value} {}", entry.group, entry.name, entry.position)
        };
        Ok(read(Path::new("/my.cnf"), &mut self)?.iter().map(shown).collect())
    }
}

impl Files for Made {
    type Error = String;

    fn content(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| format!("no {}", path.display()))
    }

    fn option_files(&mut self, dir: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self.0.keys().filter(|path| path.parent() == Some(dir)).cloned().collect())
    }
}

/// The value of `name = VALUE`.
fn value(text: &str) -> String {
    let entries = Made::default().with("/my.cnf", &format!("[xb]\nname = {text}")).entries().expect("an entry");
    let shown = entries[0].strip_prefix("xb name ").expect("the entry").strip_suffix(" /my.cnf:2").expect("its line");
    shown.to_owned()
}

#[test]
fn groups_names_and_values_are_found_with_their_lines() {
    let text = "# a comment\n; another\n\n[ xb ] # trailing\n\twait = 5m  \r\nraw\nwindow=\n[mysqld]\nport=3306";
    let expected = ["xb wait \"5m\" /my.cnf:5", "xb raw - /my.cnf:6", "xb window \"\" /my.cnf:7"];
    let entries = Made::default().with("/my.cnf", text).entries().expect("entries");
    assert_eq!(entries[..3], expected);
    assert_eq!(entries[3..], ["mysqld port \"3306\" /my.cnf:9"]);
}

#[test]
fn comments_quotes_and_escapes_are_as_in_mysql() {
    for (written, meant) in [
        ("5m # of patience", r#""5m""#),
        ("5m;6m", r#""5m;6m""#),
        ("'a # b'", r#""a # b""#),
        ("\"it's\" # quoted", r#""it's""#),
        (r##""a\"#b" # c"##, r##""a\"#b""##),
        ("'open", r#""'open""#),
        ("'", r#""'""#),
        (r"a\sb\tc\\d\'", r#""a b\tc\\d'""#),
        (r"C:\dir\", r#""C:\\dir\\""#),
        ("a = b", r#""a = b""#),
        ("größer", r#""größer""#),
    ] {
        assert_eq!(value(written), meant, "{written}");
    }
}

#[test]
fn what_is_included_comes_where_it_is_named_and_leaves_the_group_as_it_was() {
    let files = Made::default()
        .with("/my.cnf", "[xb]\na=1\n!include sub/one.cnf\nb=2\n!includedir /conf.d\n")
        .with("/sub/one.cnf", "[other]\nc=3")
        .with("/conf.d/b.cnf", "[xb]\ne=5")
        .with("/conf.d/a.cnf", "[xb]\nd=4");
    let expected = [
        "xb a \"1\" /my.cnf:2",
        "other c \"3\" /sub/one.cnf:2",
        "xb b \"2\" /my.cnf:4",
        "xb d \"4\" /conf.d/a.cnf:2",
        "xb e \"5\" /conf.d/b.cnf:2",
    ];
    assert_eq!(files.entries().expect("entries"), expected);
}

#[test]
fn files_that_include_each_other_end() {
    for text in ["!include my.cnf", "!include my.cnf\n!include my.cnf\n!include my.cnf"] {
        let error = Made::default().with("/my.cnf", text).entries().expect_err("no end");
        assert!(matches!(error, ReadError::TooMany(_)), "{error:?}");
    }
    // Wide, and not deep.
    let many = "!include other.cnf\n".repeat(250);
    let error = Made::default().with("/my.cnf", &many).with("/other.cnf", "").entries().expect_err("too many");
    assert!(matches!(error, ReadError::TooMany(Position { line: 200, .. })), "{error:?}");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, wrong, line) in [
        ("\n[xb", LineError::OpenGroup, 2),
        ("!includes x", LineError::Directive, 1),
        ("!include", LineError::Directive, 1),
        ("[xb]\n = 5", LineError::NoName, 2),
        ("wait = 5", LineError::NoGroup, 1),
    ] {
        let error = Made::default().with("/my.cnf", text).entries().expect_err("wrong");
        assert_eq!(error, ReadError::Line(Position { file: Path::new("/my.cnf").into(), line }, wrong), "{text}");
    }
    let error = Made::default().with("/my.cnf", "\n!include lost").entries().expect_err("lost");
    let position = Position { file: Path::new("/my.cnf").into(), line: 2 };
    assert_eq!(error, ReadError::Included(position, "no /lost".to_owned()));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(content: Vec<u8>) {
        let mut files = Made::default();
        files.0.insert("/my.cnf".into(), content);
        let _ = read(Path::new("/my.cnf"), &mut files);
    }
}
