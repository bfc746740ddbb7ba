//! A group as a table in Markdown that can be read as it is.

use std::fmt::Write;

use crate::group::Group;
use crate::results::{Results, RowResults};
use crate::spread::Spread;

/// The table of a group, what was left out of it, and how its targets were met. Each figure is a median, with the lowest
/// and the highest value of all rounds.
pub(crate) fn render(group: &Group, results: &Results) -> String {
    let mut text = format!("### {}: {}\n\n", group.name, group.title());
    let cells: Vec<[String; 6]> = results.rows().iter().map(|row| cells(group, results, row)).collect();
    text += &align(&[head(group, results)].into_iter().chain(cells).collect::<Vec<_>>());
    for left_out in results.left_out() {
        let _ = writeln!(text, "\nleft out: {left_out}");
    }
    let targets: Vec<String> = group.targets.iter().filter_map(|target| target.line(group.name, results)).collect();
    if !targets.is_empty() {
        let _ = writeln!(text, "\n```text\n{}\n```", targets.join("\n"));
    }
    text
}

fn head(group: &Group, results: &Results) -> [String; 6] {
    let unit = if group.place.link().is_some() { "Mbit/s" } else { "MB/s" };
    let first = results.rows().first().map_or("the first", |row| row.name);
    let against = format!("× {first}");
    ["", unit, &against, "CPU s/GB", "MiB of sender, receiver", "wasted %"].map(str::to_owned)
}

fn cells(group: &Group, results: &Results, row: &RowResults) -> [String; 6] {
    let scale = if group.place.link().is_some() { 8.0 } else { 1.0 };
    let first = results.rows().first().map_or(row.name, |first| first.name);
    let peak = |end: usize| row.rounds.iter().filter_map(|one| Some(one.peaks?[end])).max();
    let peaks = peak(0).zip(peak(1)).map(|(sender, receiver)| format!("{}, {}", sender >> 10, receiver >> 10));
    let or_nothing = |spread: Option<Spread>| spread.map_or("–".to_owned(), |spread| spread.to_string());
    [
        row.name.to_owned(),
        or_nothing(results.spread(row.name, |one| Some(one.rate() * scale))),
        or_nothing(results.ratio(row.name, first, |one| Some(one.rate()))),
        or_nothing(results.spread(row.name, |one| one.cpu_per_gb())),
        peaks.unwrap_or_else(|| "–".to_owned()),
        or_nothing(results.spread(row.name, |one| one.wasted)),
    ]
}

/// Rows of cells as lines with columns of equal width, the first row as the head.
fn align(rows: &[[String; 6]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = widths.map(|width| "-".repeat(width));
    let (head, body) = rows.split_at(1.min(rows.len()));
    head.iter().chain([&rule]).chain(body).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["", "MB/s", "a", "b", "c", "d"], ["nc", "1", "×", "b", "c", "d"]];
        let text = align(&rows.map(|row| row.map(str::to_owned)));
        assert_eq!(
            text,
            "|    | MB/s | a | b | c | d |\n| -- | ---- | - | - | - | - |\n| nc | 1    | × | b | c | d |\n"
        );
    }
}
