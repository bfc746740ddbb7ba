//! What is asked and answered, line by line.

use std::fmt;
use std::str::FromStr;

use crate::quantity::{QuantityError, Rate};

/// The longest order, in bytes, without the end of its line.
pub const MAX_ORDER: usize = 256;

/// What a running program can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// To keep to another rate from now on, or to none.
    RateLimit(Option<Rate>),
    /// To say how it does.
    Status,
}

/// A line that is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not one of the known ones.
    #[error("expected `rate-limit RATE`, `rate-limit none` or `status`, not {found:?}")]
    Unknown {
        /// What was written.
        found: String,
    },
    /// The rate is none.
    #[error("rate-limit {text}: {error}")]
    Rate {
        /// What was written for it.
        text: String,
        /// What is wrong with it.
        error: QuantityError,
    },
    /// More than one could be.
    #[error("an order has at most {MAX_ORDER} bytes")]
    TooLong,
}

/// Words between any spaces; a longer line is none.
impl FromStr for Order {
    type Err = OrderError;

    fn from_str(line: &str) -> Result<Order, OrderError> {
        if line.len() > MAX_ORDER {
            return Err(OrderError::TooLong);
        }
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["status"] => Ok(Order::Status),
            ["rate-limit", "none"] => Ok(Order::RateLimit(None)),
            ["rate-limit", text] => match text.parse() {
                Ok(rate) => Ok(Order::RateLimit(Some(rate))),
                Err(error) => Err(OrderError::Rate { text: text.to_owned(), error }),
            },
            _ => Err(OrderError::Unknown { found: line.to_owned() }),
        }
    }
}

/// The line, without its end.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::RateLimit(Some(rate)) => write!(f, "rate-limit {}", rate.bytes_per_second()),
            Order::RateLimit(None) => f.write_str("rate-limit none"),
            Order::Status => f.write_str("status"),
        }
    }
}

/// What is said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done.
    Done,
    /// How the program does: an object of JSON.
    Status(String),
    /// It was no order.
    Wrong(String),
    /// There is nothing that it could be about.
    Over(String),
}

const WRONG: &str = "wrong: ";
const OVER: &str = "over: ";

impl Answer {
    /// What a line says; nothing if no program of ours says so.
    pub(super) fn of(line: &str) -> Option<Answer> {
        match line.trim_end() {
            "ok" => Some(Answer::Done),
            object if object.starts_with('{') => Some(Answer::Status(object.to_owned())),
            other => match (other.strip_prefix(WRONG), other.strip_prefix(OVER)) {
                (Some(why), _) => Some(Answer::Wrong(why.to_owned())),
                (_, Some(why)) => Some(Answer::Over(why.to_owned())),
                (None, None) => None,
            },
        }
    }
}

/// The line, without its end.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done => f.write_str("ok"),
            Answer::Status(object) => f.write_str(object.trim_end()),
            Answer::Wrong(why) => write!(f, "{WRONG}{why}"),
            Answer::Over(why) => write!(f, "{OVER}{why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        for order in [Order::Status, Order::RateLimit(None), Order::RateLimit(Some(Rate::MIN))] {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        let ten = Rate::new(10 << 20).ok();
        assert_eq!(" rate-limit\t10m \r".parse(), Ok(Order::RateLimit(ten)));
    }

    #[test]
    fn anything_else_is_refused_with_what_is_possible() {
        let error = |line: &str| line.parse::<Order>().expect_err("no order").to_string();
        for line in ["", "stat", "status now", "rate-limit", "rate-limit 1m 2m", "RATE-LIMIT 1m"] {
            assert!(error(line).starts_with("expected `rate-limit RATE`"), "{line}");
        }
        assert!(error("rate-limit fast").starts_with("rate-limit fast: \"fast\" is not a number"));
        assert!(error("rate-limit 1").contains("the lowest rate is 1k"));
        assert_eq!(error(&"x".repeat(MAX_ORDER + 1)), "an order has at most 256 bytes");
    }

    #[test]
    fn answers_are_read_as_they_are_written() {
        let answers = [
            Answer::Done,
            Answer::Status("{\"v\":1}".into()),
            Answer::Wrong("who knows".into()),
            Answer::Over("too late".into()),
        ];
        for answer in answers {
            assert_eq!(Answer::of(&format!("{answer}\n")), Some(answer));
        }
        assert_eq!(Answer::of("HTTP/1.1 400 Bad Request"), None);
    }

    proptest! {
        #[test]
        fn no_line_makes_a_reader_panic(line in ".{0,300}") {
            let _ = (line.parse::<Order>(), Answer::of(&line));
        }
    }
}
