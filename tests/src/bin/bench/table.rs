//! A group as a table in Markdown that can be read as it is.

use std::fmt::Write;

use crate::group::Group;
use crate::results::{Results, RowResults};

/// What stands in a cell that has nothing to say. A column of nothing else is left out.
const NOTHING: &str = "–";

/// The table of a group, what was left out of it, and how its targets were met. Each figure is a median, with the lowest
/// and the highest value of all rounds.
pub(crate) fn render(group: &Group, results: &Results) -> String {
    let mut text = format!("### {}: {}\n\n", group.name, group.title());
    let mut columns = vec![column("", results, |row| Some(row.name))];
    columns.extend(figures(group, results));
    columns.retain(|column| column.iter().skip(1).any(|cell| cell != NOTHING));
    text += &align(&columns);
    for left_out in results.left_out() {
        let _ = writeln!(text, "\nleft out: {left_out}");
    }
    let targets: Vec<String> = group.targets.iter().filter_map(|target| target.line(group.name, results)).collect();
    if !targets.is_empty() {
        let _ = writeln!(text, "\n```text\n{}\n```", targets.join("\n"));
    }
    text
}

/// The columns with figures.
fn figures(group: &Group, results: &Results) -> [Vec<String>; 6] {
    let (unit, scale) = if group.place.link().is_some() { ("Mbit/s", 8.0) } else { ("MB/s", 1.0) };
    let first = results.rows().first().map_or("", |row| row.name);
    let against = format!("× {first}");
    [
        column(unit, results, |row| results.spread(row.name, |one| Some(one.rate() * scale))),
        column(&against, results, |row| results.ratio(row.name, first, |one| Some(one.rate()))),
        column("CPU s/GB", results, |row| results.spread(row.name, |one| one.cpu_per_gb())),
        column("MiB of sender, receiver", results, memory),
        column("wasted %", results, |row| results.spread(row.name, |one| one.wasted)),
        column("share %", results, |row| results.spread(row.name, |one| one.share)),
    ]
}

/// The highest peaks of both ends.
fn memory(row: &RowResults) -> Option<String> {
    let peak = |end: usize| row.rounds.iter().filter_map(|one| Some(one.peaks?[end] >> 10)).max();
    Some(format!("{}, {}", peak(0)?, peak(1)?))
}

/// A head, and a cell for each row.
fn column<T: ToString>(head: &str, results: &Results, cell: impl Fn(&RowResults) -> Option<T>) -> Vec<String> {
    let cells = results.rows().iter().map(|row| cell(row).map_or(NOTHING.to_owned(), |cell| cell.to_string()));
    [head.to_owned()].into_iter().chain(cells).collect()
}

/// Columns side by side, each as wide as its widest cell, the first line as the head.
fn align(columns: &[Vec<String>]) -> String {
    let widths: Vec<usize> =
        columns.iter().map(|cells| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat((*width).max(1))).collect();
    let height = columns.first().map_or(0, Vec::len);
    let mut lines: Vec<String> =
        (0..height).map(|row| line(columns.iter().map(|cells| cells[row].as_str()).collect())).collect();
    lines.insert(1.min(height), line(rules.iter().map(String::as_str).collect()));
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let columns = [["", "nc"], ["MB/s", "1"], ["× nc", "–"]].map(|cells| cells.map(str::to_owned).to_vec());
        assert_eq!(align(&columns), "|    | MB/s | × nc |\n| -- | ---- | ---- |\n| nc | 1    | –    |\n");
    }
}
