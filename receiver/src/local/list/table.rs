//! A catalogue as a table for people.

use std::io::{self, Write};

use xbproto::quantity::ByteSize;
use xbproto::xbstream::StreamPath;

use super::catalogue::{Catalogue, Row, State};
use super::coding::codings;
use super::total::Total;

/// The heads of the columns; the name stands last, because it is of any length.
const HEADS: [&str; 6] = ["SIZE", "STORED", "HOLES", "CHUNKS", "CODING", "NAME"];

/// Writes the table: a head, a line for each file, and what they come to. All names are escaped.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(catalogue: &Catalogue, out: &mut dyn Write) -> io::Result<()> {
    let total = Total::of(catalogue);
    let numbers = [total.size, total.stored, total.holes, total.chunks].map(|number| number.to_string().len());
    let [size, stored, holes, chunks] = std::array::from_fn(|n| numbers[n].max(HEADS[n].len()));
    let coding = catalogue.rows().map(|(path, _)| coding(path).len()).max().unwrap_or(0).max(HEADS[4].len());
    let mut line = |[a, b, c, d, e, f]: [&str; 6]| {
        writeln!(out, "{a:>size$}  {b:>stored$}  {c:>holes$}  {d:>chunks$}  {e:<coding$}  {f}")
    };
    line(HEADS)?;
    for (path, row) in catalogue.rows() {
        let [size, stored, holes, chunks] =
            [row.size, row.stored, row.holes(), row.chunks].map(|number| number.to_string());
        line([&size, &stored, &holes, &chunks, &self::coding(path), &format!("{path}{}", remarks(row))])?;
    }
    let [size, stored, holes, chunks] =
        [total.size, total.stored, total.holes, total.chunks].map(|number| number.to_string());
    line([&size, &stored, &holes, &chunks, "", &sum(&total)])
}

fn coding(path: &StreamPath) -> String {
    match codings(path)[..] {
        [] => "-".to_owned(),
        ref codings => codings.join("+"),
    }
}

/// What is special about a file, behind its name.
fn remarks(row: &Row) -> String {
    let again = (row.sent > 1).then(|| format!("sent {} times", row.sent));
    let renamed = row.sent_as.as_ref().map(|name| format!("sent as {name}"));
    let open = (row.state == State::Open).then(|| "incomplete".to_owned());
    let remarks: Vec<String> = [again, renamed, open].into_iter().flatten().collect();
    if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join(", ")) }
}

fn sum(total: &Total) -> String {
    let files = if total.files == 1 { "file" } else { "files" };
    let removed = if total.removed > 0 { format!(", {} removed again", total.removed) } else { String::new() };
    format!("{} {files}, {}, {} stored{removed}", total.files, ByteSize(total.size), ByteSize(total.stored))
}

#[cfg(test)]
mod tests {
    use xbproto::xbstream::{Item, Opening};

    use super::*;

    #[test]
    fn columns_are_aligned_names_sorted_and_escaped() {
        let mut catalogue = Catalogue::default();
        for (name, len) in [("b.ibd.zst.xbcrypt", 1_234_567), ("a\x1b[2J", 5)] {
            let path = StreamPath::from(name);
            catalogue.apply(&Item::Payload { path: path.clone(), opening: Opening::New, offset: 0, len }).unwrap();
            if len > 5 {
                catalogue.apply(&Item::End { path }).unwrap();
            }
        }
        let mut out = Vec::new();
        write(&catalogue, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r"   SIZE   STORED  HOLES  CHUNKS  CODING        NAME
      5        5      0       1  -             a\u{1b}[2J  (incomplete)
1234567  1234567      0       1  zstd+xbcrypt  b.ibd.zst.xbcrypt
1234572  1234572      0       2                2 files, 1.2 MiB, 1.2 MiB stored
"
        );
    }

    #[test]
    fn an_empty_catalogue_has_a_head_and_a_sum() {
        let mut out = Vec::new();
        write(&Catalogue::default(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "SIZE  STORED  HOLES  CHUNKS  CODING  NAME\n   0       0      0       0          0 files, 0 B, 0 B stored\n"
        );
    }
}
