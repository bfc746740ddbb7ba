//! One JSON object per line, for programs.
//!
//! ```json
//! {"v":1,"time":"2026-11-23T14:18:46.789Z","program":"xbsend","session":"1a2b3c4d","event":"connected","peer":"192.0.2.7:9999"}
//! ```
//!
//! `v` is the version of this form: within a version fields are only added. `session` is null until
//! there is one. Bytes are integers, rates bytes per second as integers, times seconds. What is
//! unknown is null. The fields by `event`:
//!
//! | event | fields |
//! |---|---|
//! | `session` | |
//! | `listening` | `address`, `port` |
//! | `reachable` | `addresses` |
//! | `connecting` | `to` |
//! | `connected` | `peer` |
//! | `interrupted` | `reason`, `patience` |
//! | `resumed` | `offset`, `after` |
//! | `stranger` | `peer`, `why` |
//! | `notice`, `warning`, `detail` | `text` |
//! | `child` | `label`, `line` |
//! | `far` | `host`, `line` |
//! | `status` | `state`, `bytes`, `rate`, `average`, `bottleneck`, `window`, `window_limit`, `spool`, `spool_limit`, `peer_state`, `peer`, `links`, `rtt`, `mtu`, `congestion_window`, `sent`, `lost`, `original`, `encoded`, `effort`, `rate_limit`, `rate_limit_by` (`sender`, `receiver`), `limit`, `limit_percent`, `hint` |
//! | `progress` | `bytes`, `total`, `rate`, `average`, `eta`, `file`, `bottleneck` (`source`, `limiter`, `cpu`, `window`, `congestion`, `network`, `disk`), `note` |
//! | `checksum` | `name`, `sha1`, `lane` |
//! | `backup` | `type` (`full`, `incremental`, or the tool's own word), `from_lsn`, `to_lsn`, `last_lsn`, `tool`, `tool_version`, `server_version`, `uuid`, `server_uuid`, `binlog_position`, `compressed`, `encrypted` |
//! | `finished` | `bytes`, `elapsed`, `average`, `reached`, `files`, `original`, `encoded`, `effort`, `exit_code` (0), `limit`, `limit_percent`, `hint` |
//! | `failed` | `party` (`sender`, `receiver`), `reason`, `exit_code`, `meaning`, `left`, `advice` |
//!
//! The invitation, which holds the key, is never written. What a terminal would act on is escaped.
//! The words `completed OK!` never appear: the verdict is the event `finished`.

use std::fmt::Write as _;
use std::io::Write;

use serde_json::{Value, json};

use super::compressed::Compressed;
use super::escape::is_acted_on;
use super::event::{Event, Face, LastWords, Moment, SessionTag, Snapshot, program_name};
use super::exit::{advice, meaning};
use super::status::Status;
use super::words::without_verdict;
use crate::backup::{BackupFacts, BackupKind, FactText};
use crate::failure::Party;
use crate::limit::Limited;
use crate::wire::SessionId;

/// The face for programs.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    own: Party,
    session: Option<SessionTag>,
}

impl<W: Write + Send> Json<W> {
    /// Writes to `out` as the program of `own` party, each object in one piece.
    pub fn new(out: W, own: Party) -> Json<W> {
        Json { out, own, session: None }
    }
}

impl<W: Write + Send> Face for Json<W> {
    fn show(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Session(tag) => self.session = Some(*tag),
            Event::NoSession => self.session = None,
            _ => {}
        }
        let Some((name, fields)) = fields(event) else { return };
        let line = object(head(at, self.own, self.session, name).into_iter().chain(fields));
        let _ = self.out.write_all(line.as_bytes());
    }
}

/// The line of the event `status`, for whoever asks by another way.
pub(super) fn status_line(own: Party, session: Option<SessionId>, report: &Status) -> String {
    object(head(Moment::now(), own, session.map(SessionTag::from), "status").into_iter().chain(status(report)))
}

/// What every object begins with.
fn head(at: Moment, own: Party, session: Option<SessionTag>, event: &str) -> [Field; 5] {
    [
        ("v", json!(1)),
        ("time", json!(format!("{:.3}", at.wall))),
        ("program", json!(program_name(own))),
        ("session", json!(session.map(|tag| tag.to_string()))),
        ("event", json!(event)),
    ]
}

pub(super) type Field = (&'static str, Value);

/// One line with an object whose fields keep their order.
pub(super) fn object(fields: impl Iterator<Item = Field>) -> String {
    let members: Vec<String> = fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let mut line = String::from("{");
    for character in without_verdict(&members.join(",")).chars() {
        // JSON leaves some of these as they are. Outside of strings there are none, and in a
        // string the escape means the same.
        match character {
            acted_on if is_acted_on(acted_on) => {
                let _ = write!(line, "\\u{:04x}", u32::from(acted_on));
            }
            shown => line.push(shown),
        }
    }
    line.push_str("}\n");
    line
}

/// The name and the own fields of an event; `None` for what is not for programs.
fn fields(event: &Event) -> Option<(&'static str, Vec<Field>)> {
    Some(match event {
        Event::Invite { .. } | Event::Passed(_) | Event::NoSession => return None,
        Event::Session(_) => ("session", vec![]),
        Event::Listening { address } => {
            ("listening", vec![("address", json!(address.to_string())), ("port", json!(address.port()))])
        }
        Event::Reachable { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            ("reachable", vec![("addresses", json!(addresses))])
        }
        Event::Connecting { to } => ("connecting", vec![("to", json!(to))]),
        Event::Connected { peer } => ("connected", vec![("peer", json!(peer.to_string()))]),
        Event::Interrupted { reason, patience, .. } => {
            ("interrupted", vec![("reason", json!(reason)), ("patience", json!(patience.as_secs_f64()))])
        }
        Event::Resumed { offset, after } => {
            ("resumed", vec![("offset", json!(offset)), ("after", json!(after.as_secs_f64()))])
        }
        Event::Stranger { peer, why } => ("stranger", vec![("peer", json!(peer.to_string())), ("why", json!(why))]),
        Event::Notice(text) => ("notice", vec![("text", json!(text))]),
        Event::Warning(text) => ("warning", vec![("text", json!(text))]),
        Event::Detail(text) => ("detail", vec![("text", json!(text))]),
        Event::Child { label, line } => ("child", vec![("label", json!(label)), ("line", json!(line))]),
        Event::Far { host, line } => ("far", vec![("host", json!(host)), ("line", json!(line))]),
        Event::Status(report) => ("status", status(report)),
        Event::Progress(snapshot) => ("progress", progress(snapshot)),
        Event::Checksum { name, sum, lane } => {
            ("checksum", vec![("name", json!(name)), ("sha1", json!(sum.to_string())), ("lane", json!(lane.0))])
        }
        Event::Backup(facts) => ("backup", backup(facts)),
        Event::Finished(summary) => (
            "finished",
            [
                ("bytes", json!(summary.bytes)),
                ("elapsed", json!(summary.elapsed.as_secs_f64())),
                ("average", json!(summary.average)),
                ("reached", json!(summary.reached)),
                ("files", json!(summary.files)),
            ]
            .into_iter()
            .chain(compressed(summary.compressed.as_ref()))
            .chain([("exit_code", json!(0))])
            .chain(limited(summary.limited.as_ref()))
            .collect(),
        ),
        Event::Failed(LastWords { failure, left, setting }) => (
            "failed",
            vec![
                ("party", json!(failure.party.to_string())),
                ("reason", json!(failure.reason)),
                ("exit_code", json!(failure.cause.code())),
                ("meaning", json!(meaning(failure.cause.code()))),
                ("left", json!(left)),
                ("advice", json!(advice(failure.cause.code(), *setting))),
            ],
        ),
    })
}

fn status(report: &Status) -> Vec<Field> {
    let (snapshot, path) = (report.snapshot.as_ref(), report.path.as_ref());
    let packets = path.and_then(|path| path.packets);
    let fill = |name| report.fills.iter().find(|fill| fill.name == name);
    [
        ("state", json!(report.state)),
        ("bytes", json!(snapshot.map(|s| s.bytes))),
        ("rate", json!(snapshot.map(|s| s.now))),
        ("average", json!(snapshot.map(|s| s.average))),
        ("bottleneck", json!(snapshot.and_then(|s| s.bottleneck).map(|whom| whom.word()))),
        ("window", json!(fill("window").map(|fill| fill.held))),
        ("window_limit", json!(fill("window").map(|fill| fill.limit))),
        ("spool", json!(fill("spool").map(|fill| fill.held))),
        ("spool_limit", json!(fill("spool").map(|fill| fill.limit))),
        ("peer_state", json!(report.peer.map(|waiting| waiting.words()))),
        ("peer", json!(path.map(|p| p.peer.to_string()))),
        ("links", json!(path.map(|p| p.links))),
        ("rtt", json!(path.map(|p| p.round_trip.as_secs_f64()))),
        ("mtu", json!(packets.map(|p| p.mtu))),
        ("congestion_window", json!(path.map(|p| p.congestion_window))),
        ("sent", json!(packets.map(|p| p.sent))),
        ("lost", json!(packets.map(|p| p.lost))),
    ]
    .into_iter()
    .chain(compressed(report.compressed.as_ref()))
    .chain([
        ("rate_limit", json!(report.rate_limit.map(|limit| limit.rate.bytes_per_second()))),
        ("rate_limit_by", json!(report.rate_limit.map(|limit| limit.by.to_string()))),
    ])
    .chain(limited(snapshot.and_then(|s| s.limited.as_ref())))
    .collect()
}

/// What a backup says of itself.
pub(super) fn backup(facts: &BackupFacts) -> Vec<Field> {
    let text = |text: &Option<FactText>| json!(text.as_deref());
    vec![
        ("type", json!(facts.kind.as_ref().map(BackupKind::to_string))),
        ("from_lsn", json!(facts.from_lsn)),
        ("to_lsn", json!(facts.to_lsn)),
        ("last_lsn", json!(facts.last_lsn)),
        ("tool", text(&facts.tool)),
        ("tool_version", text(&facts.tool_version)),
        ("server_version", text(&facts.server_version)),
        ("uuid", text(&facts.backup_uuid)),
        ("server_uuid", text(&facts.server_uuid)),
        ("binlog_position", text(&facts.binlog_position)),
        ("compressed", json!(facts.compressed)),
        ("encrypted", json!(facts.encrypted)),
    ]
}

fn compressed(compressed: Option<&Compressed>) -> [Field; 3] {
    [
        ("original", json!(compressed.map(|c| c.original))),
        ("encoded", json!(compressed.map(|c| c.encoded))),
        ("effort", json!(compressed.map(Compressed::effort))),
    ]
}

fn limited(limited: Option<&Limited>) -> [Field; 3] {
    [
        ("limit", json!(limited.map(|limited| limited.by.word()))),
        ("limit_percent", json!(limited.map(|limited| limited.percent))),
        ("hint", json!(limited.and_then(|limited| limited.hint.as_ref()))),
    ]
}

fn progress(snapshot: &Snapshot) -> Vec<Field> {
    vec![
        ("bytes", json!(snapshot.bytes)),
        ("total", json!(snapshot.total)),
        ("rate", json!(snapshot.now)),
        ("average", json!(snapshot.average)),
        ("eta", json!(snapshot.eta.map(|left| left.as_secs()))),
        ("file", json!(snapshot.file)),
        ("bottleneck", json!(snapshot.bottleneck.map(|whom| whom.word()))),
        ("note", json!(snapshot.note)),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::event::Summary;
    use crate::failure::{Cause, Failure};
    use crate::key::Key;
    use crate::lane::{LaneId, Sha1Sum};
    use crate::limit::Limit;

    fn shown(events: &[Event]) -> String {
        let wall = jiff::Timestamp::from_millisecond(1_795_443_526_789).expect("a date");
        let mut face = Json::new(Vec::new(), Party::Sender);
        events.iter().for_each(|event| face.show(Moment { wall, running: Duration::ZERO }, event));
        String::from_utf8(face.out).expect("UTF-8")
    }

    /// The one line of an event, without what all lines have.
    fn fields_of(event: Event) -> String {
        let line = shown(&[event]);
        let head = r#"{"v":1,"time":"2026-11-23T14:18:46.789Z","program":"xbsend","session":null,"#;
        line.trim_end().strip_prefix(head).expect("the head").to_owned()
    }

    #[test]
    fn the_documented_line_is_what_is_written() {
        let connected = Event::Connected { peer: "192.0.2.7:9999".parse().expect("an address") };
        let text = shown(&[Event::Session(SessionTag(0x1a2b_3c4d)), connected]);
        let head = r#"{"v":1,"time":"2026-11-23T14:18:46.789Z","program":"xbsend","session":"1a2b3c4d","event":"#;
        assert_eq!(text, format!("{head}\"session\"}}\n{head}\"connected\",\"peer\":\"192.0.2.7:9999\"}}\n"));
    }

    #[test]
    fn progress_has_integers_and_nulls() {
        let snapshot = Snapshot { bytes: 1 << 60, now: 5, bottleneck: Some(Limit::Disk), ..Snapshot::default() };
        assert_eq!(
            fields_of(Event::Progress(snapshot)),
            r#""event":"progress","bytes":1152921504606846976,"total":null,"rate":5,"average":0,"eta":null,"file":null,"bottleneck":"disk","note":null}"#
        );
    }

    #[test]
    fn the_ends_carry_their_exit_code() {
        let summary = Summary {
            bytes: 7,
            elapsed: Duration::from_millis(1500),
            average: 4,
            reached: "synced".into(),
            files: None,
            compressed: Some(Compressed { original: 1000, encoded: 400, levels: Some(1..=3) }),
            limited: None,
        };
        assert_eq!(
            fields_of(Event::Finished(summary)),
            r#""event":"finished","bytes":7,"elapsed":1.5,"average":4,"reached":"synced","files":null,"original":1000,"encoded":400,"effort":"levels 1 to 3","exit_code":0,"limit":null,"limit_percent":null,"hint":null}"#
        );
        assert_eq!(
            fields_of(Event::Failed(Failure::new(Cause::Usage, Party::Receiver, "no such directory").into())),
            r#""event":"failed","party":"receiver","reason":"no such directory","exit_code":2,"meaning":"wrong usage","left":null,"advice":"--help shows what is possible"}"#
        );
    }

    #[test]
    fn the_checksum_is_in_hexadecimal() {
        let checksum = Event::Checksum { name: "-".into(), sum: Sha1Sum([1; 20]), lane: LaneId(3) };
        let expected = format!(r#""event":"checksum","name":"-","sha1":"{}","lane":3}}"#, "01".repeat(20));
        assert_eq!(fields_of(checksum), expected);
    }

    #[test]
    fn what_the_backup_says_is_passed_on_and_the_rest_is_null() {
        let facts = BackupFacts { kind: Some(BackupKind::Full), to_lsn: Some(42), ..BackupFacts::default() };
        assert_eq!(
            fields_of(Event::Backup(facts)),
            r#""event":"backup","type":"full","from_lsn":null,"to_lsn":42,"last_lsn":null,"tool":null,"tool_version":null,"server_version":null,"uuid":null,"server_uuid":null,"binlog_position":null,"compressed":null,"encrypted":null}"#
        );
    }

    #[test]
    fn lines_of_others_are_escaped_and_survive() {
        let line = "\u{1b}[2J \"quoted\" \\ \u{9b}31m\u{202e}\n{\"v\":1}";
        let text = shown(&[Event::Child { label: "backup", line: line.into() }]);
        assert_eq!(text.lines().count(), 1);
        assert!(text.trim_end().chars().all(|character| !is_acted_on(character)), "{text}");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["line"], line);
    }

    #[test]
    fn a_tools_own_verdict_is_not_passed_on() {
        let line = "2026-11-23 14:18:46 completed OK!".into();
        assert_eq!(
            fields_of(Event::Child { label: "backup", line }),
            r#""event":"child","label":"backup","line":"2026-11-23 14:18:46 completed, unconfirmed"}"#
        );
    }

    #[test]
    fn the_key_is_never_written() {
        let invite = Event::Invite { command: "xbsend desthost:9999".into(), key: Key::new([7; 16]) };
        assert_eq!(shown(&[invite]), "");
    }
}
