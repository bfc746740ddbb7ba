//! Sizes, rates and spans of time, as people write and read them.
//!
//! Sizes and rates follow `pv -L`: a number, and `k`, `m`, `g` or `t` for powers of 1024.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes. Parsed from `10m`, `1.5g`, `512`, `10MiB`; shown as `412.3 GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = UNITS[0];
        for next in &UNITS[1..] {
            // From here on one decimal would read "1024.0".
            if value < 1023.95 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        write!(f, "{value:.1} {unit}")
    }
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    /// Reads a positive number of bytes; a fraction of a byte is cut off.
    fn from_str(text: &str) -> Result<ByteSize, QuantityError> {
        match parse_scaled(text)? {
            0 => Err(QuantityError::Zero),
            bytes => Ok(ByteSize(bytes)),
        }
    }
}

/// Bytes per second, at least [`Rate::MIN`]. Parsed like a [`ByteSize`]; shown as `10.0 MiB/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// The slowest limit there is: 1 KiB/s. Below it the limiter's bucket of 0.1 s would be
    /// smaller than a hundred bytes, and a backup would take longer than anyone waits for it.
    pub const MIN: Rate = Rate(1024);

    /// A rate of so many bytes per second, refused below [`Rate::MIN`].
    pub fn new(bytes_per_second: u64) -> Result<Rate, QuantityError> {
        match bytes_per_second {
            0 => Err(QuantityError::Zero),
            slow if slow < Rate::MIN.0 => Err(QuantityError::TooSlow { found: slow }),
            rate => Ok(Rate(rate)),
        }
    }

    /// In bytes per second.
    pub fn bytes_per_second(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", ByteSize(self.0))
    }
}

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Rate, QuantityError> {
        Rate::new(parse_scaled(text)?)
    }
}

/// A length of time. Parsed from `300` (seconds), `90s`, `5m`, `2h`, `500ms`; zero is allowed.
/// Shown as `12.3 s`, `5m03s`, `2h05m03s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        span.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 59.95 s would be shown as "60.0 s".
        if self.0 < Duration::from_millis(59_950) {
            return write!(f, "{:.1} s", self.0.as_secs_f64());
        }
        let seconds = (self.0 + Duration::from_millis(500)).as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match hours {
            0 => write!(f, "{minutes}m{seconds:02}s"),
            _ => write!(f, "{hours}h{minutes:02}m{seconds:02}s"),
        }
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Span, QuantityError> {
        let not_a_span = || QuantityError::NotASpan { text: text.to_owned() };
        let (digits, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
        let milliseconds: u64 = match unit.to_ascii_lowercase().as_str() {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(refusal(text, not_a_span())),
        };
        if digits.is_empty() {
            return Err(refusal(text, not_a_span()));
        }
        let number: u64 = digits.parse().map_err(|_| QuantityError::TooLarge)?;
        number.checked_mul(milliseconds).map(Duration::from_millis).map(Span).ok_or(QuantityError::TooLarge)
    }
}

/// Why a size, a rate or a span was not understood. Each message says what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Nothing was written.
    #[error("it is empty; write a number, such as 512, 10m or 1.5g for sizes and rates, 90s or 5m for times")]
    Empty,
    /// Zero bytes, or less than one.
    #[error("it comes to zero; write a positive number, or leave the option out")]
    Zero,
    /// A minus sign.
    #[error("it is negative; write a positive number")]
    Negative,
    /// More than 64 bits hold.
    #[error("it is more than 64 bits hold; the largest size is 16777215t, the largest time 5124095576030h")]
    TooLarge,
    /// A rate below [`Rate::MIN`].
    #[error("{found} bytes per second is too slow; the lowest rate is 1k (1024 bytes per second)")]
    TooSlow {
        /// The rate that was asked for, in bytes per second.
        found: u64,
    },
    /// Not a size or rate.
    #[error("{text:?} is not a number with an optional k, m, g or t (powers of 1024), such as 512, 10m, 1.5g or 10MiB")]
    NotASize {
        /// What was written.
        text: String,
    },
    /// Not a time.
    #[error("{text:?} is not a whole number with an optional ms, s, m or h, such as 300, 90s, 5m or 2h")]
    NotASpan {
        /// What was written.
        text: String,
    },
}

/// The more telling error for the two mistakes every quantity shares, else `general`.
fn refusal(text: &str, general: QuantityError) -> QuantityError {
    match text.as_bytes() {
        [] => QuantityError::Empty,
        [b'-', b'0'..=b'9', ..] => QuantityError::Negative,
        _ => general,
    }
}

/// Reads digits, an optional fraction and an optional unit as bytes, rounding down.
fn parse_scaled(text: &str) -> Result<u64, QuantityError> {
    let not_a_size = || refusal(text, QuantityError::NotASize { text: text.to_owned() });
    let number_len = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(number_len);
    let shift = unit_shift(unit).ok_or_else(not_a_size)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || whole.len() + fraction.len() == 0 {
        return Err(not_a_size());
    }
    let digits = |part: &str| if part.is_empty() { Ok(0) } else { part.parse::<u64>() };
    let whole = digits(whole).map_err(|_| QuantityError::TooLarge)?;
    // Twelve decimals are finer than a byte of a TiB; longer fractions change nothing.
    let fraction = &fraction[..fraction.len().min(12)];
    let tenths = 10_u128.pow(fraction.len() as u32);
    let fraction = digits(fraction).map_err(|_| not_a_size())?;
    let bytes = (u128::from(whole) << shift) + ((u128::from(fraction) << shift) / tenths);
    u64::try_from(bytes).map_err(|_| QuantityError::TooLarge)
}

/// The power of two a unit stands for: a letter as `pv` reads it, with an optional `B` or `iB`.
fn unit_shift(unit: &str) -> Option<u32> {
    match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn sizes_are_read_as_pv_reads_them() {
        for (text, bytes) in [
            ("1", 1),
            ("512", 512),
            ("512B", 512),
            ("1k", 1024),
            ("10m", 10 * MIB),
            ("10M", 10 * MIB),
            ("10MB", 10 * MIB),
            ("10MiB", 10 * MIB),
            ("1.5m", MIB + MIB / 2),
            (".5m", MIB / 2),
            ("2.g", 2 << 30),
            ("3T", 3 << 40),
            ("1.9", 1),
            ("0.1k", 102),
            ("1.00000000000000000000001k", 1024),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn refused_sizes_say_why() {
        use QuantityError::*;
        for text in ["x", "10x", "1.2.3", ".", "k", "10 m", " 10m", "1e6", "10mi", "10kk", "+5", "-", "½", "10m/s"] {
            assert_eq!(text.parse::<ByteSize>(), Err(NotASize { text: text.into() }), "{text}");
        }
        for (text, error) in [
            ("", Empty),
            ("0", Zero),
            ("0.0k", Zero),
            ("0.9", Zero),
            ("-10m", Negative),
            ("18446744073709551616", TooLarge),
            ("16777216t", TooLarge),
            ("99999999999999999999999999999999999999999999", TooLarge),
        ] {
            assert_eq!(text.parse::<ByteSize>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_largest_size_the_message_names_is_accepted() {
        assert_eq!("16777215t".parse(), Ok(ByteSize(16_777_215 << 40)));
        assert!("5124095576030h".parse::<Span>().is_ok());
        assert_eq!("5124095576031h".parse::<Span>(), Err(QuantityError::TooLarge));
    }

    #[test]
    fn rates_have_a_floor() {
        assert_eq!("1k".parse(), Ok(Rate::MIN));
        assert_eq!("1023".parse::<Rate>(), Err(QuantityError::TooSlow { found: 1023 }));
        assert_eq!("0".parse::<Rate>(), Err(QuantityError::Zero));
        assert_eq!("10m".parse::<Rate>().map(Rate::bytes_per_second), Ok(10 * MIB));
    }

    #[test]
    fn sizes_and_rates_are_shown_in_binary_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (MIB - 1, "1.0 MiB"),
            (442_703_752_888, "412.3 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
        assert_eq!(Rate(10 * MIB).to_string(), "10.0 MiB/s");
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        for (text, milliseconds) in [
            ("0", 0),
            ("300", 300_000),
            ("90s", 90_000),
            ("5m", 300_000),
            ("5M", 300_000),
            ("1h", 3_600_000),
            ("7ms", 7),
        ] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(milliseconds))), "{text}");
        }
        assert_eq!("".parse::<Span>(), Err(QuantityError::Empty));
        assert_eq!("-5s".parse::<Span>(), Err(QuantityError::Negative));
        for text in ["s", "1.5s", "5d", "1h30m", "5 s", "five"] {
            assert_eq!(text.parse::<Span>(), Err(QuantityError::NotASpan { text: text.into() }), "{text}");
        }
    }

    #[test]
    fn spans_are_shown_with_what_matters() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (12_345, "12.3 s"),
            (59_949, "59.9 s"),
            (59_950, "1m00s"),
            (303_000, "5m03s"),
            (7_503_499, "2h05m03s"),
        ] {
            assert_eq!(Span(Duration::from_millis(milliseconds)).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_a_parser_panic(text in ".{0,40}") {
            let _ = (text.parse::<ByteSize>(), text.parse::<Rate>(), text.parse::<Span>());
        }

        #[test]
        fn every_number_of_bytes_is_read_back(bytes in 1_u64..) {
            prop_assert_eq!(bytes.to_string().parse(), Ok(ByteSize(bytes)));
        }
    }
}
