//! A value from a metadata file.

use std::fmt;
use std::ops::Deref;

/// One line of text that is not empty, has no control characters, and is no longer than [`FactText::MAX`] bytes.
///
/// It may still turn the direction of writing or look like something else: what shows it on a terminal makes it printable
/// first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactText(String);

impl FactText {
    /// The longest, in bytes. A binlog position with the GTIDs of some seventy MySQL servers fits, and a receipt with the
    /// texts of a backup and the sums of the most lanes fits into a message.
    pub const MAX: usize = 4 << 10;

    /// The text without the blanks around it, if that is one. What is too long is refused, not cut: half a list of GTIDs
    /// would be wrong.
    pub fn new(text: &str) -> Option<FactText> {
        let text = text.trim();
        let fits = !text.is_empty() && text.len() <= Self::MAX && !text.contains(char::is_control);
        fits.then(|| FactText(text.to_owned()))
    }
}

impl Deref for FactText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_short_line_is_a_text() {
        assert_eq!(FactText::new(" 8.0.36 \t").as_deref(), Some("8.0.36"));
        assert_eq!(FactText::new(" "), None);
        assert_eq!(FactText::new("a\u{1b}[2J"), None);
        assert_eq!(FactText::new("a\nb"), None);
        assert!(FactText::new(&"x".repeat(FactText::MAX)).is_some());
        assert_eq!(FactText::new(&"x".repeat(FactText::MAX + 1)), None);
    }
}
