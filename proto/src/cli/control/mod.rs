//! Orders to a running program, over a Unix socket that it makes (`--control-socket PATH`).
//!
//! Whoever connects writes one line, the order, and is answered with one line; then the program closes:
//!
//! | order | answer |
//! |---|---|
//! | `rate-limit RATE`, `rate-limit none` | `ok` |
//! | `status` | the event `status` as [`super::json`] has it |
//! | anything else | `wrong: ` and why |
//! | any, once there is nothing that it could be about | `over: ` and why |
//!
//! An order has at most [`MAX_ORDER`] bytes. Whoever is silent is left alone after a few seconds, and keeps nobody waiting.
//!
//! | module | owns |
//! |---|---|
//! | `order` | the lines (pure) |
//! | `asked` | an order on its way to the session, and back |
//! | `place` | the socket in the file system: taken, and given back |
//! | `socket` | who comes, and what is said |
//! | `client` | `--control`: the other end |
//! | `args` | the options of both |

mod args;
mod asked;
mod client;
mod order;
mod place;
mod socket;
#[cfg(test)]
mod tests;

pub use args::ControlArgs;
pub use asked::{Asked, tell_limits};
pub use client::give_order;
pub use order::{MAX_ORDER, Order, OrderError};
pub use place::PlaceError;
pub use socket::ControlSocket;
