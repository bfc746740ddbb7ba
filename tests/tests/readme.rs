//! The documents say what is: their commands work, their tables are the programs' own, their links lead somewhere.
//!
//! Every ```` ```sh ```` block of a document begins with a comment that says where it is run:
//!
//! * `# on the destination`, directly followed by a block `# on the source`: both are run, and both must end with 0. With
//!   `, waits on` at the end, the first is still waiting when the second has ended.
//! * `# on the source, listens`, directly followed by a block `# on the destination`: the same, the other way round.
//! * `# on the destination` alone: it is run. So is `# on the source` alone. What has `--ssh` is always
//!   alone; any host leads to this one then.
//! * `# in the source tree`: what it names must be there. Building takes minutes, and is done elsewhere.
//!
//! The blocks are run by `bash -eu -o pipefail` in a [`Scene`]: `/backup`, `/restore` and `/etc/xb` are folders of it,
//! `desthost:9999` or `sourcehost:9999` is where the other side really listens, `mysql:mysql` is who runs the test, and the tools on the path are
//! made up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use xbproto::cli::EXIT_CODES;
use xbtests::certificates::like_mysql;
use xbtests::skip::skip;
use xbtests::{Backup, FakeSsh, FakeTool, FifoTool, Program, Scene, program_path};

/// The documents whose commands are run.
const DOCUMENTS: [&str; 11] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/certificates.md",
    "docs/faults.md",
    "docs/listing.md",
    "docs/operations.md",
    "docs/performance.md",
    "docs/progress-json.md",
    "docs/settings.md",
    "docs/ssh.md",
    "docs/unpacking.md",
];

impl Block {
    /// Whether it does the whole, over ssh.
    fn starts_the_other_side(&self) -> bool {
        self.text.contains(" --ssh ")
    }
}

/// Where a block is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Destination,
    /// The receiver is still waiting when the sender has ended.
    DestinationWaitsOn,
    Source,
    /// The sender is started first, and the receiver dials.
    SourceListens,
    SourceTree,
}

impl Place {
    /// Whether a block of the other place is run when this one listens.
    fn is_answered_by(self, other: Place) -> bool {
        match self {
            Place::Destination | Place::DestinationWaitsOn => other == Place::Source,
            Place::SourceListens => other == Place::Destination,
            Place::Source | Place::SourceTree => false,
        }
    }
}

/// A block of commands.
#[derive(Debug)]
struct Block {
    /// Document and line.
    origin: String,
    place: Place,
    text: String,
}

#[test]
fn the_commands_work() {
    for document in DOCUMENTS {
        let blocks = blocks(document);
        let mut rest = &blocks[..];
        while let Some((block, others)) = rest.split_first() {
            rest = others;
            match (block.place, others.first()) {
                (Place::SourceTree, _) => block.text.lines().skip(1).for_each(check_that_it_is_there),
                (place, Some(other)) if place.is_answered_by(other.place) && !block.starts_the_other_side() => {
                    run_pair(block, other);
                    rest = &others[1..];
                }
                (Place::Destination | Place::Source, _) => run_alone(block),
                (place, _) => panic!("{}: a block of {place:?} stands alone", block.origin),
            }
        }
    }
}

#[test]
fn the_tables_have_the_options_of_the_help() {
    let tables = tables("README.md", "| option | meaning |");
    assert_eq!(tables.len(), 2);
    for (program, table) in ["xbsend", "xbrecv"].into_iter().zip(&tables) {
        let (help, mut offered) = help(program);
        let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).expect("a usage");
        assert!(read("README.md").contains(&format!("`{usage}`")), "the usage of {program}: {usage}");
        let mut written: Vec<String> = table.iter().map(|row| row[0].replace('`', "")).collect();
        written.sort();
        offered.sort();
        assert_eq!(written, offered, "the options of {program}");
    }
}

#[test]
fn the_tables_have_the_exit_codes() {
    let expected: Vec<[String; 2]> =
        EXIT_CODES.iter().map(|(code, _, meaning)| [code.to_string(), (*meaning).to_owned()]).collect();
    let heads = [("README.md", "| code | meaning |"), ("docs/operations.md", "| code | meaning | what to do |")];
    for (document, head) in heads {
        let rows = tables(document, head).concat();
        let written: Vec<[String; 2]> = rows.iter().map(|row| [row[0].clone(), row[1].clone()]).collect();
        assert_eq!(written, expected, "the exit codes of {document}");
    }
    for program in ["xbsend", "xbrecv"] {
        let (help, _) = help(program);
        for (code, _, meaning) in EXIT_CODES {
            assert!(help.contains(&format!("\n{code:>5}  {meaning}")), "code {code} in the help of {program}");
        }
    }
}

#[test]
fn the_table_of_faults_has_every_test() {
    let rows =
        tables("docs/faults.md", "| what happens | sender exits | receiver exits | what one sees | test |").concat();
    let mut named: Vec<String> = rows.iter().map(|row| row[4].replace('`', "")).collect();
    named.sort();
    let mut there: Vec<String> = fault_tests();
    there.sort();
    assert_eq!(named, there);
}

#[test]
fn the_links_lead_somewhere() {
    for document in DOCUMENTS.into_iter().chain(["CHANGELOG.md", "examples/README.md"]) {
        for link in read(document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let file = if file.is_empty() { Path::new(document).file_name().expect("a name") } else { file.as_ref() };
            let target = root().join(document).parent().expect("a folder").join(file);
            let is_there =
                target.exists() && heading.is_none_or(|heading| headings(&target).iter().any(|h| h == heading));
            assert!(link.starts_with("https://") || is_there, "{document} links to {link}");
        }
    }
}

/// Runs what the side runs that listens, and then what the other one runs.
fn run_pair(listening: &Block, dialing: &Block) {
    if !is_possible(dialing) {
        return;
    }
    let scene = Scene::new();
    let listener = program(&scene, listening, "").start();
    let dialer = program(&scene, dialing, &listener.address()).start().wait();
    assert_eq!(dialer.code, 0, "{}", dialing.origin);
    let waits_on = listening.place == Place::DestinationWaitsOn;
    if waits_on {
        listener.signal(Signal::TERM);
    }
    assert_eq!(listener.wait().code, if waits_on { 143 } else { 0 }, "{}", listening.origin);
    scene.expect_nobody_left();
}

fn run_alone(block: &Block) {
    if !is_possible(block) {
        return;
    }
    let scene = Scene::new();
    let ended = program(&scene, block, "").start().wait();
    assert_eq!(ended.code, 0, "{}", block.origin);
}

/// Whether all that a block needs is installed.
fn is_possible(block: &Block) -> bool {
    let lacks_jq = block.text.contains("jq ") && !Path::new("/usr/bin/jq").exists();
    if lacks_jq {
        skip("the_commands_work", "jq is not installed (Debian: jq)");
    }
    !lacks_jq
}

/// A block as a program of a scene.
fn program(scene: &Scene, block: &Block, address: &str) -> Program {
    let bin = furnish(scene, &block.text);
    let owner = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let mut text = block.text.replace("desthost:9999", address).replace("sourcehost:9999", address);
    text = text.replace("mysql:mysql", &owner).replace("xbsend --listen 9999", "xbsend --listen 127.0.0.1:0");
    for folder in ["/backup/", "/restore/", "/etc/xb/"] {
        text = text.replace(folder, &format!("{}{folder}", scene.folder().display()));
    }
    let shell = scene.program(&block.origin, "bash").args(["-eu", "-o", "pipefail", "-c", &text]);
    shell.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("XB_KEY", scene.key().reveal())
}

/// Makes the folders, the files and the tools that a block may expect. Returns where the tools are.
fn furnish(scene: &Scene, text: &str) -> PathBuf {
    for folder in ["backup/prepared", "restore", "etc/xb"] {
        fs::create_dir_all(scene.path(folder)).expect("a folder");
    }
    let stream = scene.file("backup/stored.xbstream", Backup::small().stream()).display().to_string();
    scene.file("backup/stored-tuesday.xbstream", Backup::small().stream());
    scene.file("backup/prepared/ibdata1", "prepared");
    scene.file("etc/xb/backup.key", [7; 32]);
    if text.contains("/etc/xb/ca.pem") && !scene.path("etc/xb/ca.pem").exists() {
        like_mysql(&scene.path("etc/xb"));
    }
    if text.contains("jq ") {
        scene.file("backup/monday.json", r#"{"backup":{"to_lsn":42}}"#);
    }
    tools(scene, text, &stream)
}

/// Makes the tools; those for backups send the file `stream`.
fn tools(scene: &Scene, text: &str, stream: &str) -> PathBuf {
    let bin = scene.path("bin");
    let path = format!("PATH={}:$PATH; export PATH", bin.display());
    let xbrecv = program_path("xbrecv").display().to_string();
    let tool = FakeTool::new(scene, "mariadb-backup", &prepare_or_send(stream))
        .and("mariadb-dump", "echo 'CREATE TABLE t (a INT);'")
        // Stores its input where it is told to: enough of a consumer.
        .and("gpg", "while [ \"$1\" != --output ]; do shift; done; exec cat > \"$2\"")
        .and("systemctl", "[ \"$*\" = 'start mariadb' ]")
        // On a free port, whichever the documents show; neither a stored stream nor a key needs one, and over ssh it is told.
        .and(
            "xbrecv",
            &format!("{path}; case $* in *--from*|*--generate-key*|*--connect*|*--ssh*|*--by-ssh*) ;; *) set -- -l 127.0.0.1:0 \"$@\";; esac; exec {xbrecv} \"$@\""),
        )
        .and("xbsend", &format!("{path}; exec {} \"$@\"", program_path("xbsend").display()));
    FakeSsh::install(scene);
    // Only where it is named: with the tools of both vendors, xbsend asks which.
    if text.contains("--fifo-streams") {
        scene.file("stream.0", Backup::small().stream());
        FifoTool::new().install(scene, "xtrabackup");
    } else if text.contains("xtrabackup") {
        tool.and("xtrabackup", &prepare_or_send(stream));
    }
    bin
}

/// A backup tool: prepares a directory that is there, or sends the file `stream`.
fn prepare_or_send(stream: &str) -> String {
    let prepare = "for word in \"$@\"; do case $word in --target-dir=*) [ -d \"${word#*=}\" ] || exit 1;; esac; done";
    format!("case $* in *--prepare*) {prepare};; *) cat {stream};; esac; echo 'completed OK!' >&2")
}

/// What a command of the source tree names is in the source tree.
fn check_that_it_is_there(command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let named = match words[..] {
        ["cargo", "install", "--locked", "--path", member] => format!("{member}/src/main.rs"),
        ["cargo", "run", "--release", "--example", example] => format!("examples/{example}.rs"),
        [script] if !script.is_empty() => script.to_owned(),
        _ => panic!("nobody has said how to check {command:?}"),
    };
    assert!(root().join(&named).is_file(), "{command:?} needs {named}");
}

fn blocks(document: &str) -> Vec<Block> {
    let (text, mut blocks, mut current) = (read(document), Vec::new(), None::<Block>);
    for (number, line) in text.lines().enumerate() {
        match (line, &mut current) {
            ("```", Some(_)) => blocks.extend(current.take()),
            (line, Some(block)) => block.text += &format!("{line}\n"),
            ("```sh", None) => {
                let origin = format!("{document}:{}", number + 1);
                let comment = text.lines().nth(number + 1).unwrap_or_default();
                let place = place(comment).unwrap_or_else(|| panic!("{origin}: where is this run? {comment:?}"));
                current = Some(Block { origin, place, text: String::new() });
            }
            (_, None) => {}
        }
    }
    blocks
}

fn place(comment: &str) -> Option<Place> {
    match comment {
        "# on the destination" => Some(Place::Destination),
        "# on the destination, waits on" => Some(Place::DestinationWaitsOn),
        "# on the source" => Some(Place::Source),
        "# on the source, listens" => Some(Place::SourceListens),
        "# in the source tree" => Some(Place::SourceTree),
        _ => None,
    }
}

/// The cells of the tables with this head.
fn tables(document: &str, head: &str) -> Vec<Vec<Vec<String>>> {
    let text = read(document);
    let (mut lines, mut found) = (text.lines(), Vec::new());
    while lines.by_ref().any(|line| line == head) {
        let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        found.push(rows.map(cells).collect());
    }
    found
}

/// The names of the tests in `tests/tests/faults_*.rs`.
fn fault_tests() -> Vec<String> {
    let files = fs::read_dir(root().join("tests/tests")).expect("a folder").map(|entry| entry.expect("a file").path());
    let texts = files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("faults_")));
    let names = |path: PathBuf| {
        let text = fs::read_to_string(path).expect("a file of tests");
        let tests = text.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next());
        tests.map(str::to_owned).collect::<Vec<_>>()
    };
    texts.flat_map(names).collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The short help of a program, and the options in it as the documents write them: `-i, --input FILE`.
fn help(program: &str) -> (String, Vec<String>) {
    let output = Command::new(program_path(program)).arg("-h").output().expect("a program");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    // Deeper lines go on with a description.
    let options = help.lines().filter(|line| line.starts_with("  -") || line.starts_with("      -"));
    let named = options.filter_map(|line| line.trim_start().split("  ").next());
    let options = named.map(|option| option.replace(['<', '>'], "")).collect();
    (help, options)
}

/// The headings of a document as links name them: in small letters, words joined by hyphens.
fn headings(document: &Path) -> Vec<String> {
    let text = fs::read_to_string(document).unwrap_or_default();
    let named = |line: &str| {
        let kept = line.chars().filter(|c| c.is_alphanumeric() || [' ', '-'].contains(c));
        kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
    };
    text.lines().filter(|line| line.starts_with('#')).map(named).collect()
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("reading {document}: {error}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}
