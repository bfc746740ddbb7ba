//! Real databases: a private server, a shop in it, and what happens there.

mod server;
mod shop;
mod traffic;

pub use server::{MariaDb, Session};
pub use shop::{fill, fingerprints, tables};
pub use traffic::Traffic;
