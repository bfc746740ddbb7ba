//! One line that comes from the far host: an object of `--progress json`, or somebody's plain words. Pure.

use std::net::SocketAddr;

use serde_json::Value;

use crate::cli::event::program_name;
use crate::failure::{Cause, Failure, Party};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// ssh, the shell over there, or a program that does not speak JSON.
    Words(String),
    /// The far program listens, and may be reached here: at least one address, and perhaps an unspecified one.
    Reachable(Vec<SocketAddr>),
    /// What a person there would be told.
    Told(String),
    /// The checksum of a stream, once both sides agree: the copy is committed.
    Checksum {
        /// In hexadecimal.
        sum: String,
        /// What the stream is called there.
        name: String,
    },
    /// The far program ends well.
    Finished,
    /// The far program ends because of this.
    Failed {
        /// The first cause, as it knows it.
        failure: Failure,
        /// What is left there.
        left: Option<String>,
    },
    /// What this side knows by itself, or needs not know.
    Nothing,
}

impl Said {
    /// Reads a line of the program of the `far` party.
    pub(super) fn read(line: &str, far: Party) -> Said {
        let object: Option<Value> = line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten();
        match object.filter(|object| object["program"] == program_name(far) && object["v"].is_u64()) {
            Some(object) => event(&object, far),
            None => Said::Words(line.to_owned()),
        }
    }
}

fn event(object: &Value, far: Party) -> Said {
    let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    match object["event"].as_str().unwrap_or_default() {
        "reachable" => match addresses(&object["addresses"]) {
            none if none.is_empty() => Said::Nothing,
            addresses => Said::Reachable(addresses),
        },
        "warning" => Said::Told(format!("warning: {}", text("text"))),
        "notice" | "detail" => Said::Told(text("text")),
        "child" => Said::Told(format!("{}: {}", text("label"), text("line"))),
        "checksum" => Said::Checksum { sum: text("sha1"), name: text("name") },
        "finished" => Said::Finished,
        "failed" => Said::Failed { failure: failure(object, far), left: object["left"].as_str().map(str::to_owned) },
        _ => Said::Nothing,
    }
}

fn addresses(list: &Value) -> Vec<SocketAddr> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

fn failure(object: &Value, far: Party) -> Failure {
    let code = object["exit_code"].as_u64().and_then(|code| u8::try_from(code).ok());
    let party = [Party::Sender, Party::Receiver].into_iter().find(|party| object["party"] == party.to_string());
    let reason = object["reason"].as_str().unwrap_or("it gave no reason");
    Failure::new(code.map_or(Cause::Unforeseen, Cause::from_code), party.unwrap_or(far), reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::event::{Event, Face, LastWords, Moment};
    use crate::cli::json::Json;
    use crate::cli::setting::Setting;
    use crate::lane::{LaneId, Sha1Sum};

    /// What is understood of an event as the far program writes it.
    fn understood(event: Event) -> Said {
        let (mut out, far) = (Vec::new(), Party::Receiver);
        Json::new(&mut out, far).show(Moment::now(), &event);
        Said::read(String::from_utf8(out).unwrap().trim_end(), far)
    }

    #[test]
    fn what_is_written_is_understood() {
        let addresses = vec!["192.0.2.7:9999".parse().unwrap(), "[2001:db8::7]:9999".parse().unwrap()];
        assert_eq!(understood(Event::Reachable { addresses: addresses.clone() }), Said::Reachable(addresses));
        assert_eq!(understood(Event::Warning("disk".into())), Said::Told("warning: disk".into()));
        assert_eq!(understood(Event::Child { label: "prepare", line: "x".into() }), Said::Told("prepare: x".into()));
        let checksum = Event::Checksum { name: "f".into(), sum: Sha1Sum([1; 20]), lane: LaneId(0) };
        assert_eq!(understood(checksum), Said::Checksum { sum: "01".repeat(20), name: "f".into() });
        let failure = Failure::new(Cause::Sink, Party::Receiver, "f exists");
        let (left, setting) = (Some("nothing".to_owned()), Setting::TwoHosts);
        let words = LastWords { failure: failure.clone(), left: left.clone(), setting };
        assert_eq!(understood(Event::Failed(words)), Said::Failed { failure, left });
        assert_eq!(understood(Event::Connecting { to: "x".into() }), Said::Nothing);
    }

    #[test]
    fn all_else_is_somebodys_words() {
        for line in ["Permission denied (publickey).", "{", r#"{"v":1,"program":"xbsend","event":"failed"}"#, ""] {
            assert_eq!(Said::read(line, Party::Receiver), Said::Words(line.into()));
        }
    }

    #[test]
    fn what_is_missing_is_made_up_for() {
        let Said::Failed { failure, left } =
            Said::read(r#"{"v":1,"program":"xbsend","event":"failed","exit_code":999}"#, Party::Sender)
        else {
            panic!("it failed")
        };
        assert_eq!((failure.cause, failure.party, left), (Cause::Unforeseen, Party::Sender, None));
    }
}
