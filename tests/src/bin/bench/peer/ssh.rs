//! Encrypted, through a server that is there anyway.

use super::{Peer, To};
use crate::need::Need;

/// `ssh` to a server of our own with throwaway keys, with the cipher that both agree on, or with this one.
pub(crate) struct Ssh(pub(crate) Option<&'static str>);

impl Peer for Ssh {
    fn needs(&self) -> Vec<Need> {
        ["ssh", "sshd", "ssh-keygen"].map(Need::Program).into()
    }

    fn preparation(&self) -> Option<&str> {
        Some(
            "[[ -e $DIR/client ]] || for name in host client; do ssh-keygen -q -t ed25519 -N '' -f $DIR/$name; done; \
             mkdir -p /run/sshd",
        )
    }

    fn receiver(&self, _: To) -> Option<String> {
        let options = ["StrictModes=no", "AuthorizedKeysFile=$DIR/client.pub", "PidFile=$DIR/sshd.pid"];
        let options: String = options.iter().map(|option| format!(" -o {option}")).collect();
        Some(format!("exec $(command -v sshd) -D -e -f /dev/null -p $PORT -h $DIR/host{options}"))
    }

    /// A server waits on: it is told to go when it has no session any more. Its signal is no failure.
    fn sender(&self, to: To) -> String {
        let cipher = self.0.map(|cipher| format!("-c {cipher}")).unwrap_or_default();
        let known = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
        let remote = match to {
            To::Nowhere | To::File => "cat > $OUT",
            To::Folder => "mbstream -x -C $OUT",
        };
        format!(
            "ssh -F none {cipher} {known} -i $DIR/client -p $PORT $HOST \"{remote}\"
             server=$(< $DIR/sshd.pid)
             while [[ -n $(< /proc/$server/task/$server/children) ]]; do sleep 0.01; done
             kill $server"
        )
    }
}
