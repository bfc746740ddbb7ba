//! Every single measurement, for programs.

use serde_json::{Value, json};

use crate::group::Group;
use crate::measurement::Measurement;
use crate::results::Results;

/// A group as an object: its name, its place, and its rows with an array of measurements each. Times are in seconds,
/// memory in kilobytes.
pub(crate) fn of(group: &Group, results: &Results) -> Value {
    let rows = results
        .rows()
        .iter()
        .map(|row| json!({ "row": row.name, "rounds": row.rounds.iter().map(round).collect::<Vec<_>>() }));
    json!({
        "group": group.name,
        "title": group.title(),
        "rows": rows.collect::<Vec<_>>(),
        "left_out": results.left_out(),
    })
}

fn round(one: &Measurement) -> Value {
    json!({
        "bytes": one.bytes,
        "wall": one.wall.as_secs_f64(),
        "cpu": one.cpu.map(|cpu| cpu.as_secs_f64()),
        "peaks": one.peaks,
        "wasted_percent": one.wasted,
        "share_percent": one.share,
    })
}
