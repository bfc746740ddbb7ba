//! One host that talks to itself.

use anyhow::Result;

use super::{Namespace, Scenery};

/// A namespace of its own, so that every port is free and every variable may be set.
pub(super) struct Loopback(Namespace);

impl Loopback {
    pub(super) fn build() -> Result<Loopback> {
        Namespace::make("host").map(Loopback)
    }
}

impl Scenery for Loopback {
    fn sender(&self) -> &Namespace {
        &self.0
    }

    fn receiver(&self) -> &Namespace {
        &self.0
    }

    fn address(&self) -> &str {
        "127.0.0.1"
    }
}
