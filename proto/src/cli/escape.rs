//! Text from elsewhere, made safe to show.

use std::borrow::Cow;

/// The text with every character that a terminal would act on, rather than show, written as an
/// escape (`\n`, `\u{1b}`): control characters, line separators, and those that turn the direction
/// of writing. It stays one line. For eyes only: backslashes are not doubled, so it cannot be read back.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_acted_on) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            acted_on if is_acted_on(acted_on) => safe.extend(acted_on.escape_default()),
            shown => safe.push(shown),
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal acts on a character instead of showing it.
pub(super) fn is_acted_on(character: char) -> bool {
    let turns_direction =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(character, '\u{2028}' | '\u{2029}');
    character.is_control() || turns_direction || ends_line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_left_alone() {
        for text in ["", "shop/orders.ibd", r"C:\backup", "größer 大きい"] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        for (text, shown) in [
            ("a\nb\tc\r", r"a\nb\tc\r"),
            ("\u{1b}[2J", r"\u{1b}[2J"),
            ("\u{9b}31m\u{7f}\0", r"\u{9b}31m\u{7f}\u{0}"),
            ("\u{202e}gpj.exe", r"\u{202e}gpj.exe"),
            ("one\u{2028}two", r"one\u{2028}two"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text: String) {
            let safe = printable(&text);
            prop_assert!(!safe.contains(is_acted_on));
            prop_assert_eq!(printable(&safe), safe.as_ref());
        }
    }
}
