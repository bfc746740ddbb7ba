//! What both programs share on the terminal: arguments, the key's way in, events and their faces,
//! exit codes.
//!
//! All text that comes from the peer or a child passes [`printable`] before it reaches a terminal.

mod escape;
mod event;
mod exit;

pub use escape::printable;
pub use event::{Event, Face, Moment, SessionTag, Snapshot, Summary, program_name};
pub use exit::{EXIT_CODES, exit_code, exit_codes_help, meaning};
