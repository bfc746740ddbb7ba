//! The links that have joined the main one of a session: they bring blocks, and say nothing.
//!
//! They come in at the one port, whose thread drives them all. That is enough to be correct, and to fill what one
//! thread can receive; a receiver that is to take more than that would give each a thread of its own here.

use std::sync::Arc;

use tokio::task::JoinSet;
use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::link::{ClosedAtLast, ControlReader, CurrentPath, Link, LinkError, Room};
use xbproto::quic::Tuning;
use xbproto::session::{LinkRefused, Receiver};
use xbproto::shared::Shared;
use xbproto::wire::{MAX_LINKS, Message};

use crate::admission::Door;
use crate::decode::Decoders;
use crate::downlink::take_blocks;
use crate::entrance::Greeted;
use crate::listen::{Served, Server};

/// A joined link may have this part of the window on its way to us. All of them together so take no more than twice the
/// window, whatever a sender does.
const PART: u64 = MAX_LINKS as u64 / 2;

/// The links of a session besides its main one.
#[derive(Debug, Default)]
pub(crate) struct Joined(JoinSet<()>);

impl Joined {
    /// Whether there is room for one more.
    ///
    /// # Errors
    /// [`LinkRefused::TooManyLinks`].
    fn has_room(&self) -> Result<(), LinkRefused> {
        let links = self.0.len();
        if links < MAX_LINKS.into() { Ok(()) } else { Err(LinkRefused::TooManyLinks { links }) }
    }

    /// Takes blocks from one more.
    fn add(&mut self, link: Link, tuning: &Tuning, bringer: Bringer) {
        // All of the window to begin with; what is beyond its part is taken back as it is used.
        tuning.trust(&link.connection, Party::Receiver);
        link.connection.let_send(Room { bytes: tuning.window / PART, ..tuning.room() });
        self.0.spawn(async move { bringer.run(link).await });
    }

    /// Waits for the end of one; for ever while there is none.
    pub(crate) async fn one_ended(&mut self) {
        if self.0.join_next().await.is_none() {
            std::future::pending().await
        }
    }

    /// Ends all of them.
    pub(crate) async fn end(&mut self) {
        self.0.shutdown().await;
    }
}

impl Served<'_> {
    /// Takes blocks over one more link, if the session has its main one.
    pub(crate) fn join(&mut self, greeted: Greeted, door: &mut Door) {
        let Server { decoders, tuning, path, reporter, .. } = self.server;
        let session = self.service.session.clone();
        let admitted = session.look(|s| s.admits_joining(&greeted.hello)).and_then(|()| self.joined.has_room());
        match admitted {
            Ok(()) => {
                let (path, decoders, reporter) = (path.clone(), decoders.clone(), reporter.clone());
                let bringer = Bringer { session, path, decoders, reporter };
                self.joined.add(greeted.link, tuning, bringer);
            }
            Err(refused) => self.refuse(greeted, &refused, door),
        }
    }
}

/// What brings the blocks of a joined link into its session.
#[derive(Debug)]
struct Bringer {
    session: Arc<Shared<Receiver>>,
    path: Arc<CurrentPath>,
    decoders: Arc<Decoders>,
    reporter: Reporter,
}

impl Bringer {
    /// Serves the link until it is lost, the session is over, or its main link is gone.
    async fn run(self, link: Link) {
        let Link { connection, mut reader, mut writer, .. } = link;
        let _closed = ClosedAtLast(&connection);
        let _on_path = self.path.join(connection.clone());
        let serve = async {
            writer.send(&Message::Joined).await?;
            tokio::select! {
                biased;
                ended = take_blocks(&self.session, &self.decoders, &connection) => ended,
                ended = hear(&mut reader) => ended,
            }
        };
        let words = tokio::select! {
            biased;
            () = self.session.when(|s| (!s.is_linked() || s.outcome().is_some()).then_some(())) => None,
            ended = serve => ended.err().map(|error| self.learn(connection.reason(error))),
        };
        let words = words.unwrap_or_else(|| "it is not needed any more".to_owned());
        self.reporter.tell(Event::Detail(format!("a joined link has ended ({words}); {}", connection.report())));
    }

    /// Gives the words for what has ended the link. A peer that does not keep to the protocol ends the session.
    fn learn(&self, error: LinkError) -> String {
        if let LinkError::Wire(_) = error {
            self.session.change(|s| s.fail(Failure::new(Cause::Integrity, Party::Receiver, &error)));
        }
        error.to_string()
    }
}

/// Hears that the sender is alive, and that is all it may say here.
async fn hear(reader: &mut ControlReader) -> Result<(), LinkError> {
    loop {
        match reader.next().await? {
            Some(Message::Pulse(_)) => {}
            Some(other) => return Err(LinkError::Stranger(format!("it said {} on a joined link", other.name()))),
            None => return Err(LinkError::Lost("the sender has ended it".into())),
        }
    }
}
