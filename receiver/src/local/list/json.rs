//! A catalogue as one JSON document, for programs.
//!
//! ```json
//! {"v":1,"streams":["b.xbstream"],"error":null,
//! "total":{"files":1,"size":16384,"stored":16384,"holes":0,"chunks":1,"removed":0},
//! "files":[
//! {"name":"ibdata1","size":16384,"stored":16384,"holes":0,"chunks":1,"coding":[],"sent":1,"sent_as":null,"ended":true}
//! ]}
//! ```
//!
//! `v` is the version of this form: within a version fields are only added. A name that is not UTF-8 is written as the
//! table has it. What a terminal would act on is escaped.

use std::io::{self, Write};

use serde_json::{Value, json};
use xbproto::cli::printable;
use xbproto::xbstream::StreamPath;

use super::catalogue::{Catalogue, Row, State};
use super::coding::codings;
use super::total::Total;

/// Writes the document. `streams` are their names; `error` is why the catalogue is not whole, if it is not.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(
    catalogue: &Catalogue,
    streams: &[String],
    error: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Total { files, size, stored, holes, chunks, removed } = Total::of(catalogue);
    let counts = [("files", files), ("size", size), ("stored", stored), ("holes", holes), ("chunks", chunks)];
    let counts = counts.into_iter().chain([("removed", removed)]).map(|(name, count)| (name, json!(count)));
    write!(out, "{{\"v\":1,\"streams\":{},\"error\":{},\n\"total\":", text(&json!(streams)), text(&json!(error)))?;
    write!(out, "{},\n\"files\":[", object(counts))?;
    let mut comma = "\n";
    for (path, row) in catalogue.rows() {
        write!(out, "{comma}{}", file(path, row))?;
        comma = ",\n";
    }
    writeln!(out, "\n]}}")
}

fn file(path: &StreamPath, row: &Row) -> String {
    object(
        [
            ("name", name(path)),
            ("size", json!(row.size)),
            ("stored", json!(row.stored)),
            ("holes", json!(row.holes())),
            ("chunks", json!(row.chunks)),
            ("coding", json!(codings(path))),
            ("sent", json!(row.sent)),
            ("sent_as", row.sent_as.as_ref().map_or(Value::Null, name)),
            ("ended", json!(row.state == State::Ended)),
        ]
        .into_iter(),
    )
}

fn name(path: &StreamPath) -> Value {
    match std::str::from_utf8(path.as_bytes()) {
        Ok(name) => json!(name),
        Err(_) => json!(path.to_string()),
    }
}

/// An object whose fields keep their order.
fn object(fields: impl Iterator<Item = (&'static str, Value)>) -> String {
    let members: Vec<String> = fields.map(|(name, value)| format!("\"{name}\":{}", text(&value))).collect();
    format!("{{{}}}", members.join(","))
}

/// A value without characters that a terminal would act on. JSON leaves some of them as they are, but only in strings,
/// where an escape means the same.
fn text(value: &Value) -> String {
    let text = value.to_string();
    if printable(&text) == text {
        return text;
    }
    let escaped = |character: char| match printable(character.encode_utf8(&mut [0; 4])) {
        shown if shown.len() == character.len_utf8() => character.to_string(),
        _ => format!("\\u{:04x}", u32::from(character)),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use xbproto::xbstream::Item;

    use super::*;

    fn written(paths: &[StreamPath], error: Option<&str>) -> String {
        let mut catalogue = Catalogue::default();
        paths.iter().for_each(|path| catalogue.apply(&Item::End { path: path.clone() }).unwrap());
        let mut out = Vec::new();
        write(&catalogue, &["b.xb".to_owned()], error, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_document_is_json_whatever_the_names_are() {
        let strange = "a\"\\\n\u{1b}\u{9b}\u{202e}ü";
        let paths = [StreamPath::from(strange), StreamPath(b"\xff.qp"[..].into())];
        let text = written(&paths, Some("at byte 7: \u{7f}"));
        assert!(text.lines().all(|line| printable(line) == line), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["files"][0]["name"], strange);
        assert_eq!(value["files"][1]["name"], r"\xff.qp");
        assert_eq!(value["files"][1]["coding"], json!(["qpress"]));
        assert_eq!(value["error"], "at byte 7: \u{7f}");
        assert_eq!(value["total"]["files"], 2);
    }

    #[test]
    fn nothing_is_a_document_too() {
        assert_eq!(
            written(&[], None),
            "{\"v\":1,\"streams\":[\"b.xb\"],\"error\":null,\n\
             \"total\":{\"files\":0,\"size\":0,\"stored\":0,\"holes\":0,\"chunks\":0,\"removed\":0},\n\"files\":[\n]}\n"
        );
    }
}
