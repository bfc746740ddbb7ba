//! The other program, started over ssh.
//!
//! The near side runs the user's own ssh, which starts the far program with one option, `--by-ssh`. What that is to do, and
//! a key for this once, come over its standard input. It tells what happens by `--progress json` on its standard error, and
//! the near side passes that on in words. The backup itself does not go over ssh.
//!
//! | module | owns |
//! |---|---|
//! | `args` `login` | the options, and what they mean |
//! | `orders` | what the far program is told (pure) |
//! | `ssh` | how ssh is called |
//! | `far` `lines` | the far program, and the ssh that reaches it |
//! | `start` `attended` | it, until it listens; while a session runs, and until its last words |
//! | `said` `account` | what it says; what is known of it by then (pure) |
//! | `caller` | the far side: its orders, and whoever gave them |
//! | `forsaken` | that whoever is at the other end is gone |

mod account;
mod args;
mod attended;
mod caller;
mod far;
mod forsaken;
mod lines;
mod login;
mod orders;
mod said;
mod ssh;
mod start;

pub use args::SshArgs;
pub use attended::{Attended, Company, Leave};
pub use caller::{Caller, Invocation, reachable_at, times_for};
pub use far::Far;
pub use forsaken::{Begun, Forsaken};
pub use login::{Login, LoginError};
pub use orders::{Orders, OrdersError};
pub use ssh::{BY_SSH, Ssh};
pub use start::Listening;
