//! Lines of `key = value`.

/// The pairs that `text` consists of, in order, without the blanks around keys and values. A line without `=` continues
/// the value before it, as lists of GTIDs do; comments and `[sections]` say nothing.
pub(super) fn pairs(text: &str) -> Vec<(&str, String)> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';', '[']) {
            continue;
        }
        match (line.split_once('='), pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.trim_end(), value.trim_start().to_owned())),
            (None, Some((_, value))) => value.push_str(line),
            (None, None) => {}
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_however_they_are_spaced() {
        let text = "# comment\r\n[mysqld]\nstray\na=1\r\n b = two = 2 \n\nc =\ngtids = 'x:1-5,\ny:1-9'\n";
        let expected = [("a", "1"), ("b", "two = 2"), ("c", ""), ("gtids", "'x:1-5,y:1-9'")];
        assert_eq!(pairs(text), expected.map(|(key, value)| (key, value.to_owned())));
    }
}
