//! What a listener needs before anybody can come: a key, and a word to whoever runs the other side.

use std::net::SocketAddr;

use crate::cli::{Event, Reporter};
use crate::failure::{Cause, Failure, Party};
use crate::key::Key;
use crate::tls::random;

/// A key that nobody has seen, if there is a terminal to show it on.
///
/// # Errors
/// The failure of a program that was given none.
pub fn new_key(own: Party, reporter: &Reporter) -> Result<Key, Failure> {
    if !reporter.can_invite() {
        return Err(Failure::new(Cause::Usage, own, NO_KEY));
    }
    random().map(Key::new).map_err(|error| Failure::new(Cause::Unforeseen, own, error))
}

/// What a listener without a key says where it could not show one it made.
const NO_KEY: &str = "there is no key, and no terminal to show a new one on: use --key-file FILE with a key made by \
                      `xbrecv --generate-key FILE`, or set XB_KEY";

/// Shows what to run on the host of the other side, with the key it will ask for.
pub fn invite(own: Party, key: &Key, address: SocketAddr, reporter: &Reporter) {
    let host = match address.ip().is_unspecified() {
        true => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        false => address.ip().to_string(),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let program = match own {
        Party::Receiver => "xbsend",
        Party::Sender => "xbrecv -x -C DIR --connect",
    };
    reporter.tell(Event::Invite { command: format!("{program} {host}:{}", address.port()), key: key.clone() });
}
