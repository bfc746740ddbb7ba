//! Whether another host takes part, which decides what is said of it.

/// How many hosts take part in what a program does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// This one and its peer.
    #[default]
    TwoHosts,
    /// This one alone: what is read is stored here.
    OneHost,
}
