//! What the programs and the README say about themselves is the same.

use std::collections::BTreeSet;
use std::fs;

use xbproto::cli::EXIT_CODES;
use xbtests::Scene;

fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of the README's tables whose head's first cell is this word, as cells.
fn rows(readme: &str, head: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let (mut rows, mut inside) = (Vec::new(), false);
    for line in readme.lines() {
        match (line.starts_with('|'), inside) {
            (true, true) => rows.push(cells(line)),
            (true, false) => inside = cells(line)[0] == head,
            (false, _) => inside = false,
        }
    }
    rows.retain(|row| !row[0].starts_with("--") || row[0].chars().any(|c| c.is_alphabetic()));
    rows
}

/// The options (`-x`, `--extract`) in a text.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let is_option = |word: &&str| {
        let name = word.trim_start_matches('-');
        word.starts_with('-') && word.len() - name.len() <= 2 && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    words.filter(is_option).map(str::to_owned).collect()
}

/// The options that a program's help lists, each at the beginning of its line.
fn listed(program: &str) -> BTreeSet<String> {
    let scene = Scene::new();
    let program = if program == "xbsend" { scene.xbsend(["--help"]) } else { scene.xbrecv(["--help"]) };
    let ended = program.start().wait();
    assert_eq!(ended.code, 0);
    let help = String::from_utf8(ended.stdout).expect("UTF-8");
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines.flat_map(|line| options(line.split("  ").next().unwrap_or_default())).collect()
}

#[test]
fn the_readme_has_every_option_and_no_other() {
    let readme = readme();
    let described: BTreeSet<String> = rows(&readme, "option").iter().flat_map(|row| options(&row[0])).collect();
    let all: BTreeSet<String> = listed("xbsend").union(&listed("xbrecv")).cloned().collect();
    let own: BTreeSet<String> = ["-h", "--help", "-V", "--version"].map(str::to_owned).into();
    let all: BTreeSet<String> = all.difference(&own).cloned().collect();
    let described: BTreeSet<String> = described.difference(&own).cloned().collect();
    assert_eq!(described.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "only in the README");
    // Where an option has two forms, the README may show one.
    let missing: Vec<_> = all.difference(&described).filter(|option| option.starts_with("--")).collect();
    assert_eq!(missing, Vec::<&String>::new(), "not in the README");
}

#[test]
fn the_readme_has_the_table_of_exit_codes() {
    let codes: Vec<u8> =
        rows(&readme(), "code").iter().filter_map(|row| row[0].trim_matches('`').parse().ok()).collect();
    assert_eq!(codes, EXIT_CODES.iter().map(|(code, _, _)| *code).collect::<Vec<_>>());
}

#[test]
fn the_help_has_the_table_of_exit_codes() {
    let scene = Scene::new();
    for program in [scene.xbsend(["--help"]), scene.xbrecv(["--help"])] {
        let help = String::from_utf8(program.start().wait().stdout).expect("UTF-8");
        for (code, _, meaning) in EXIT_CODES {
            assert!(help.contains(&format!("{code:>5}  {meaning}")), "{code} is missing in {help}");
        }
    }
}

#[test]
fn every_program_tells_its_version() {
    let scene = Scene::new();
    for (program, name) in [(scene.xbsend(["--version"]), "xbsend"), (scene.xbrecv(["--version"]), "xbrecv")] {
        let ended = program.start().wait();
        assert_eq!(String::from_utf8_lossy(&ended.stdout).trim_end(), format!("{name} {}", env!("CARGO_PKG_VERSION")));
    }
}
