//! What both programs share on the terminal: arguments, the key's way in, events and their faces,
//! exit codes.
//!
//! A program tells its [`Reporter`] what happens as [`Event`]s; a thread of the reporter's own
//! shows them through one [`Face`], chosen once by [`ProgressStyle`]. Whatever becomes of standard
//! error, a transfer goes on. All text that comes from the peer or a child passes [`printable`]
//! before it reaches a terminal.

mod args;
mod bars;
mod compressed;
mod control;
mod course;
mod credentials;
mod defaults;
mod escape;
mod event;
mod exit;
pub mod json;
mod lines;
mod listen_on;
mod none;
mod ports;
mod progress;
mod receipt;
pub mod remote;
mod reporter;
mod requests;
mod secret;
mod setting;
pub mod settings;
mod status;
mod style;
mod tls_args;
mod transport;
mod turns;
mod words;

pub use args::{AddressArgs, DisplayArgs, KeyArgs, SessionArgs};
pub use bars::Bars;
pub use compressed::Compressed;
pub use control::{
    Asked, ControlArgs, ControlSocket, MAX_ORDER, Order, OrderError, PlaceError, give_order, tell_limits,
};
pub use course::Outgoing;
pub use credentials::{CredentialsError, GivenCredentials};
pub use defaults::WINDOW;

pub use escape::printable;
pub use event::{Event, Face, LastWords, Moment, SessionTag, Snapshot, Summary, program_name};
pub use exit::{EXIT_CODES, advice, exit_code, exit_codes_help, meaning};
pub use json::Json;
pub use lines::Lines;
pub use listen_on::{ListenError, ListenOn, Times, TimesError};
pub use none::Quiet;
pub use ports::{PortChoice, PortRange, PortRangeError};
pub use progress::{Latest, Progress, Standing};
pub use receipt::StoredReceipt;
pub use reporter::{Reporter, Verbosity};
pub use requests::{Request, Requests};
pub use secret::{GivenKey, SecretError, ask_for_key, generate_key_file, given_key};
pub use setting::Setting;
pub use settings::SettingsArgs;
pub use status::{Fill, Status};
pub use style::{ProgressStyle, Screen};
pub use tls_args::{Meeting, TlsArgs, TlsError};
pub use transport::TransportArgs;
pub use turns::Turns;
