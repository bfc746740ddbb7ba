//! `--progress json` writes what `docs/progress-json.md` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Map, Value};
use xbproto::key::Key;
use xbtests::{Backup, Ended, Scene};

/// What every object has.
const HEAD: [&str; 5] = ["v", "time", "program", "session", "event"];

/// Rows of the document for events that a short session has no occasion for.
const RARE: [&str; 1] = ["detail"];

#[test]
fn every_event_has_the_documented_fields() {
    let documented = documented();
    let mut seen = BTreeSet::new();
    for object in a_story().iter().flat_map(objects) {
        let event = object["event"].as_str().expect("a name").to_owned();
        let fields: Vec<&str> = object.keys().map(String::as_str).filter(|field| !HEAD.contains(field)).collect();
        let mut expected = documented.get(&event).cloned().unwrap_or_else(|| panic!("{event} is not documented"));
        expected.sort();
        assert_eq!(fields, expected, "the fields of {event}");
        assert!(HEAD.iter().all(|field| object.contains_key(*field)), "{object:?}");
        seen.insert(event);
    }
    let documented: BTreeSet<String> = documented.into_keys().filter(|event| !RARE.contains(&event.as_str())).collect();
    assert_eq!(seen, documented);
}

/// A stranger with another key is turned away; then a slow backup, made by a command, arrives, though its receiver is
/// stopped for a while. Returns all that was said.
fn a_story() -> [Ended; 3] {
    let (scene, backup) = (Scene::new(), Backup::new(2, 1 << 20));
    let command = format!("echo copying >&2; cat {}", scene.file("in.xb", backup.stream()).display());
    let key_file = scene.file("key", scene.key().reveal());
    fs::set_permissions(&key_file, PermissionsExt::from_mode(0o644)).expect("a mode to be warned of");

    let receiver = scene.receiver(["--progress", "json", "-o", "out.xb"]).start();
    let listening = receiver.log().wait_for_line("\"listening\"");
    let port = serde_json::from_str::<Value>(&listening).expect("JSON")["port"].clone();
    let address = format!("127.0.0.1:{port}");
    let wrong = Key::new([7; 16]).reveal();
    let stranger = scene.sender(&address, ["--progress", "json", "-i", "in.xb"]).env("XB_KEY", wrong).start().wait();
    stranger.expect_failure(4);
    let args = ["--progress", "json", "--peer-timeout", "1s", "-L", "500k", "--key-file", "key"];
    let sender = scene.sender(&address, args).args(["--", "sh", "-c", &command]).start();
    sender.log().wait_for_line("\"progress\"");
    sender.signal(Signal::USR1);
    receiver.signal(Signal::USR1);
    receiver.log().wait_for_line("\"status\"");
    receiver.signal(Signal::STOP);
    sender.log().wait_for_line("\"interrupted\"");
    receiver.signal(Signal::CONT);
    let sender = sender.wait();
    assert_eq!(sender.code, 0);
    [stranger, sender, receiver.wait()]
}

fn objects(ended: &Ended) -> Vec<Map<String, Value>> {
    ended.log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The rows of the document's table of events.
fn documented() -> BTreeMap<String, Vec<String>> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/progress-json.md");
    let text = fs::read_to_string(document).expect("a document");
    let (_, table) = text.split_once("| event | fields |\n|---|---|\n").expect("a table");
    table.lines().take_while(|line| line.starts_with('|')).map(row).collect()
}

fn row(line: &str) -> (String, Vec<String>) {
    let mut words = line.split('`').skip(1).step_by(2).map(str::to_owned);
    (words.next().expect("a name"), words.collect())
}
