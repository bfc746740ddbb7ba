//! The names of an option: `rate-limit` on the command line, `XB_RATE_LIMIT` in the environment, `rate-limit` or `rate_limit` in
//! files.

/// What the environment variables of all settings begin with.
pub(super) const PREFIX: &str = "XB_";

/// How alike a name must be to be proposed, from 0 to 1; what clap itself goes by is 0.7, for the command line.
const ALIKE: f64 = 0.8;

/// The environment variable of the option `name`.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_uppercase().replace('-', "_"))
}

/// A name in a file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// With hyphens, without the prefixes.
    pub(super) name: String,
    /// The whole with hyphens, but for `loose-`: an option may begin with `skip-` by itself.
    pub(super) whole: String,
    /// Whether it is to be passed over where it is unknown: `loose-`.
    pub(super) when_unknown: WhenUnknown,
    /// Whether it begins with `skip-`.
    pub(super) wish: Wish,
}

/// What becomes of a name that is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenUnknown {
    /// An error.
    Refuse,
    /// Nothing.
    Ignore,
}

/// What a name wants of its option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To have it.
    Have,
    /// To be without it, whatever layers below say.
    Skip,
}

impl Written {
    /// Takes a name apart.
    pub(super) fn new(text: &str) -> Written {
        let hyphens = text.replace('_', "-");
        let (whole, when_unknown) = match hyphens.strip_prefix("loose-") {
            Some(rest) => (rest.to_owned(), WhenUnknown::Ignore),
            None => (hyphens, WhenUnknown::Refuse),
        };
        let (name, wish) = match whole.strip_prefix("skip-") {
            Some(rest) => (rest.to_owned(), Wish::Skip),
            None => (whole.clone(), Wish::Have),
        };
        Written { name, whole, when_unknown, wish }
    }
}

/// The known name that is most like this one, if one is.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.map(|other| (strsim::jaro_winkler(name, other), other)).filter(|(alike, _)| *alike > ALIKE);
    alike.max_by(|(left, _), (right, _)| left.total_cmp(right)).map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_has_a_name_for_each_place() {
        assert_eq!(variable("rate-limit"), "XB_RATE_LIMIT");
        let plain = Written::new("rate_limit");
        assert_eq!(
            (plain.name.as_str(), plain.wish, plain.when_unknown),
            ("rate-limit", Wish::Have, WhenUnknown::Refuse)
        );
        let loose = Written::new("loose_skip-no_direct");
        assert_eq!((loose.name.as_str(), loose.whole.as_str()), ("no-direct", "skip-no-direct"));
        assert_eq!((loose.wish, loose.when_unknown), (Wish::Skip, WhenUnknown::Ignore));
    }

    #[test]
    fn a_name_that_is_nearly_right_is_proposed() {
        let known = ["rate-limit", "retry-for", "wait"];
        assert_eq!(nearest("ratelimit", known.into_iter()), Some("rate-limit"));
        assert_eq!(nearest("wiat", known.into_iter()), Some("wait"));
        assert_eq!(nearest("port", known.into_iter()), None);
    }
}
