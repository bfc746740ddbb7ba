//! Several values of one figure.

use std::fmt;

/// The median of some values, and between which they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// None of no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = &values[(values.len() - 1) / 2..=values.len() / 2];
        Some(Spread { median: middle.iter().sum::<f64>() / middle.len() as f64, min, max })
    }
}

/// `3.94 (3.41–4.20)`: three digits that count, as many as are worth reading.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.median.abs() {
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        write!(f, "{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(odd, Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn it_is_written_with_three_digits() {
        assert_eq!(Spread::of([0.5]).unwrap().to_string(), "0.50 (0.50–0.50)");
        assert_eq!(Spread::of([11.0, 12.0, 13.44]).unwrap().to_string(), "12.0 (11.0–13.4)");
        assert_eq!(Spread::of([1240.4]).unwrap().to_string(), "1240 (1240–1240)");
    }
}
