//! `--progress json` writes what `docs/progress-json.md` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Map, Value};
use xbproto::key::Key;
use xbtests::{Backup, Ended, Pace, Scene, Transfer, Verdict};

/// What every object has.
const HEAD: [&str; 5] = ["v", "time", "program", "session", "event"];

/// Rows of the document for events that a short session, without ssh, has no occasion for.
const RARE: [&str; 3] = ["detail", "far", "reachable"];

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

/// A stranger with another key is turned away; then a slow backup, made by a command, arrives although its link is lost
/// for a while. Returns all that was said.
fn a_story() -> [Ended; 3] {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), Backup::new(8, 1 << 20));
    let command = format!("echo copying >&2; cat {}", scene.file("in.xb", backup.stream()).display());
    let key_file = scene.file("key", scene.key().reveal());
    fs::set_permissions(&key_file, PermissionsExt::from_mode(0o644)).expect("a mode to be warned of");

    let receiver = scene.receiver(["--progress", "json", "-o", "out.xb"]).start();
    let address = receiver.listening();
    let wrong = Key::new([7; 16]).reveal();
    let stranger = scene.sender(&address.to_string(), ["--progress", "json", "-i", "in.xb"]).env("XB_KEY", wrong);
    let stranger = stranger.start().wait();
    stranger.expect_failure(4);
    let args = ["--progress", "json", "-L", "2m", "--key-file", "key", "--", "sh", "-c", &command];
    let transfer = Transfer::to(&scene, receiver, address, |to| scene.sender(to, args));
    transfer.wait_until_under_way();
    let sides = [&transfer.sender, &transfer.receiver];
    sides.iter().for_each(|side| side.ask_until("\"status\""));
    transfer.relay.down();
    sides.iter().for_each(|side| side.log().wait_for("\"interrupted\""));
    transfer.relay.up();
    let Verdict { sent, received, .. } = transfer.end();
    assert_eq!((sent.code, received.code), (0, 0));
    [stranger, sent, received]
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
