//! What `xbrecv` answers to SIGUSR1.

use xbproto::cli::{Fill, Latest, Setting, Status};
use xbproto::link::CurrentPath;
use xbproto::session::Receiver;
use xbproto::shared::Shared;

/// How the session does, for whoever asks.
pub(crate) fn status(session: &Shared<Receiver>, latest: &Latest, path: &CurrentPath) -> Status {
    session.look(|s| {
        let state = match (s.outcome().is_some(), s.receipt().is_some(), s.is_busy(), s.is_linked()) {
            (true, ..) => "ending",
            (_, true, ..) => "committed, waiting for the sender's acknowledgement",
            (_, _, false, _) => "waiting for a sender",
            (_, _, _, true) => "receiving",
            (_, _, _, false) => "the link is lost, waiting for the sender to come back",
        };
        let (held, limit) = s.window();
        let fills = vec![Fill { name: "window", held, limit }];
        let peer = s.is_linked().then(|| s.peer_waits_for());
        Status {
            state: state.to_owned(),
            snapshot: latest.snapshot(),
            fills,
            compressed: None,
            rate_limit: s.limits().binding(),
            peer,
            path: path.report(),
            setting: Setting::TwoHosts,
        }
    })
}
