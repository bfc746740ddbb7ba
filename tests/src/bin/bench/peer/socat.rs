//! TLS without a checksum.

use super::{Peer, To};
use crate::need::Need;

/// `socat` with a throwaway certificate and large buffers.
pub(crate) struct Socat;

impl Peer for Socat {
    fn needs(&self) -> Vec<Need> {
        ["socat", "openssl"].map(Need::Program).into()
    }

    fn preparation(&self) -> Option<&str> {
        Some(
            "[[ -e $DIR/tls.key ]] || openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=bench \
             -keyout $DIR/tls.key -out $DIR/tls.crt",
        )
    }

    fn receiver(&self, to: To) -> Option<String> {
        let listen = "OPENSSL-LISTEN:$PORT,reuseaddr,verify=0,cert=$DIR/tls.crt,key=$DIR/tls.key";
        Some(format!("socat -u -b 1048576 {listen} - {}", to.shell()))
    }

    fn sender(&self, _: To) -> String {
        "exec socat -u -b 1048576 - OPENSSL:$HOST:$PORT,cafile=$DIR/tls.crt,commonname=bench".to_owned()
    }
}
