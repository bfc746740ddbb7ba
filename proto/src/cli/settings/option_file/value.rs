//! The value of an entry: what ends it, what surrounds it, what stands for another character in it.

/// The line up to a `#` that stands in no quotes.
pub(super) fn without_comment(line: &[u8]) -> &[u8] {
    let (mut quote, mut is_escaped) = (None, false);
    for (at, &byte) in line.iter().enumerate() {
        match (quote, byte) {
            (None, b'#') => return &line[..at],
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), byte) if open == byte && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = quote.is_some() && byte == b'\\' && !is_escaped;
    }
    line
}

/// The value without the pair of quotes around it, if there is one.
pub(super) fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [first @ (b'\'' | b'"'), inner @ .., last] if first == last => inner,
        other => other,
    }
}

/// The value with the characters that its escapes stand for. A backslash before any other character is kept.
pub(super) fn unescaped(value: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(value.len()), value);
    while let [first, others @ ..] = rest {
        let stands_for = match (first, others.first()) {
            (b'\\', Some(letter)) => escape(*letter),
            _ => None,
        };
        plain.push(stands_for.unwrap_or(*first));
        rest = if stands_for.is_some() { &others[1..] } else { others };
    }
    plain
}

fn escape(letter: u8) -> Option<u8> {
    match letter {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'b' => Some(8),
        b's' => Some(b' '),
        b'"' | b'\'' | b'\\' => Some(letter),
        _ => None,
    }
}
