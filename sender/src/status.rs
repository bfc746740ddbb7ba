//! What `xbsend` answers to SIGUSR1.

use xbproto::cli::{Fill, Latest, Setting, Status};
use xbproto::link::CurrentPath;
use xbproto::session::Sender;
use xbproto::shared::Shared;

use crate::outbox::Outbox;
use crate::spool::SpoolGauge;

/// How the session does, for whoever asks.
pub(crate) fn status(
    session: &Shared<Sender>,
    latest: &Latest,
    spool: Option<&SpoolGauge>,
    path: &CurrentPath,
    outbox: &Outbox,
) -> Status {
    session.look(|s| {
        let (held, limit) = s.window();
        let state = match (s.outcome(), s.welcomes(), s.is_linked()) {
            (Some(_), ..) => "ending",
            (None, 0, _) => "looking for the receiver",
            (None, _, true) => "sending",
            (None, _, false) => "the link is lost, trying to come back",
        };
        let window = Fill { name: "window", held, limit };
        let spool = spool.map(|spool| Fill { name: "spool", held: spool.queued(), limit: spool.limit() });
        let fills = std::iter::once(window).chain(spool).collect();
        let peer = s.is_linked().then(|| s.peer_waits_for());
        let (snapshot, compressed) = (latest.snapshot(), outbox.compressed());
        Status {
            state: state.to_owned(),
            snapshot,
            fills,
            compressed,
            rate_limit: s.limits().binding(),
            peer,
            path: path.report(),
            setting: Setting::TwoHosts,
        }
    })
}
