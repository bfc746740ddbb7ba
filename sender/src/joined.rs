//! The links that join the main one: each carries blocks, from a thread and a socket of its own.
//!
//! They come and go without a word: what one has lost goes over the others, and it is dialled again. Only the main
//! link's loss is an outage, and ends them all; they join again after the resume.

use std::pin::pin;

use tokio::time::{Instant, sleep, timeout};
use xbproto::cli::{Event, Reporter};
use xbproto::contact::{ATTEMPT, Attempt, Dialer, Try};
use xbproto::link::{ClosedAtLast, Connection, ControlReader, ControlWriter, Form, Link, LinkError};
use xbproto::retry::Backoff;
use xbproto::session::{LinkId, Sender};
use xbproto::wire::{Message, Pulse, Waiting};

use crate::uplink::Uplink;

/// After how many attempts in a row a link that does not come up is told of.
const PATIENCE: u32 = 3;

/// Keeps one more link beside the main one until the session is over.
pub async fn keep_joined(link: LinkId, dialer: &Dialer, uplink: &Uplink, reporter: &Reporter) {
    let joiner = Joiner { link, dialer, uplink, reporter };
    let mut told = Told::Never;
    while joiner.main_is_up().await {
        let (mut backoff, mut failures) = (joiner.backoff(), 0);
        while joiner.has_main() {
            match joiner.join_and_serve().await {
                Ended::Refused(error) => {
                    failures += 1;
                    if failures == PATIENCE {
                        joiner.tell(&error, &mut told);
                    }
                }
                Ended::Lost => (backoff, failures) = (joiner.backoff(), 0),
            }
            tokio::select! {
                biased;
                () = joiner.main_is_gone() => {}
                () = sleep(backoff.pause()) => {}
            }
        }
    }
}

/// What a link is made with, again and again.
struct Joiner<'a> {
    link: LinkId,
    dialer: &'a Dialer,
    uplink: &'a Uplink,
    reporter: &'a Reporter,
}

/// Whether people know that a link does not come up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Never,
    Once,
}

/// How an attempt has ended.
enum Ended {
    /// The receiver was not reached, or did not take it.
    Refused(LinkError),
    /// It was up.
    Lost,
}

impl Joiner<'_> {
    /// Waits for the main link; `false` when the session is over.
    async fn main_is_up(&self) -> bool {
        let up = self.uplink.session.when(|s| match s.outcome() {
            Some(_) => Some(false),
            None => s.is_linked().then_some(true),
        });
        up.await
    }

    fn has_main(&self) -> bool {
        self.uplink.session.look(|s| s.is_linked() && s.outcome().is_none())
    }

    async fn main_is_gone(&self) {
        self.uplink.session.when(|s| (!s.is_linked() || s.outcome().is_some()).then_some(())).await;
    }

    fn backoff(&self) -> Backoff {
        let [a, b, c, d, e, f, g, h, ..] = self.uplink.session.look(Sender::session).0;
        Backoff::new(u64::from_be_bytes([a, b, c, d, e, f, g, h]) ^ self.link.number())
    }

    fn tell(&self, error: &LinkError, told: &mut Told) {
        let words = format!("{} does not come up ({error}); the others go on, and it is tried again", self.link);
        self.reporter.tell(match std::mem::replace(told, Told::Once) {
            Told::Never => Event::Warning(words),
            Told::Once => Event::Detail(words),
        });
    }

    async fn join_and_serve(&self) -> Ended {
        let joined = tokio::select! {
            biased;
            () = self.main_is_gone() => Err(LinkError::Lost("the main link is gone".to_owned())),
            joined = timeout(ATTEMPT, self.join()) => joined.unwrap_or_else(|_| Err(LinkError::Silent)),
        };
        match joined {
            Ok(link) => {
                self.serve(link).await;
                Ended::Lost
            }
            Err(error) => Ended::Refused(error),
        }
    }

    /// Makes a link to where the main one leads, and has the receiver take it.
    async fn join(&self) -> Result<Link, LinkError> {
        let main = self.uplink.path.report();
        let main = main.ok_or_else(|| LinkError::Lost("the main link is gone".to_owned()))?;
        if main.form == Form::Tcp {
            return Err(LinkError::Lost("the main one goes over TCP, and is the only one there".to_owned()));
        }
        let mut link = self.dialer.dial(Attempt { address: main.peer, by: Try::Quic }).await?;
        let answered = async {
            link.writer.send(&Message::Hello(self.uplink.session.look(Sender::join))).await?;
            link.reader.next().await
        };
        match answered.await.map_err(|error| link.connection.reason(error.into()))? {
            Some(Message::Joined) => Ok(link),
            Some(Message::Abort(failure)) => Err(LinkError::Lost(failure.reason)),
            other => Err(LinkError::Stranger(format!("it answered with {:?}", other.map(|m| m.name())))),
        }
    }

    /// Carries blocks until the link is lost, the session is over, or its main link is gone.
    async fn serve(&self, link: Link) {
        let Link { connection, mut reader, writer, .. } = link;
        let _closed = ClosedAtLast(&connection);
        let _on_path = self.uplink.path.join(connection.clone());
        let (uplink, link) = (self.uplink, self.link);
        uplink.session.change(|s| s.joined(link));
        self.reporter.tell(Event::Detail(format!("{link} has joined")));
        let over = uplink.session.when(|s| (!s.has_link(link) || s.outcome().is_some()).then_some(()));
        let ended = tokio::select! {
            biased;
            () = over => Ok(()),
            ended = uplink.push_blocks(link, &connection) => ended,
            lost = uplink.retune(&connection) => lost,
            lost = self.look_after(&connection, writer) => lost,
            lost = hear_nothing(&mut reader) => lost,
        };
        uplink.session.change(|s| s.link_lost(link));
        let why = ended.err().map_or_else(String::new, |error| format!(" ({})", connection.reason(error)));
        self.reporter.tell(Event::Detail(format!("{link} has ended{why}; {}", connection.report())));
    }

    /// Says that this side is alive whenever nothing else brings an acknowledgement.
    async fn look_after(&self, connection: &Connection, mut writer: ControlWriter) -> Result<(), LinkError> {
        let begun = Instant::now();
        loop {
            self.uplink.until_quiet(self.link, connection, begun).await;
            let alive = Message::Pulse(Pulse { waiting: Waiting::Nothing });
            let mut saying = pin!(writer.send(&alive));
            loop {
                tokio::select! {
                    biased;
                    said = &mut saying => break said?,
                    // A link that is full takes no word; it may fall silent meanwhile.
                    () = self.uplink.until_quiet(self.link, connection, begun) => {}
                }
            }
        }
    }
}

/// The receiver says nothing on a link that has joined, until it is over.
async fn hear_nothing(reader: &mut ControlReader) -> Result<(), LinkError> {
    match reader.next().await? {
        Some(message) => Err(LinkError::Stranger(format!("it said {} on a joined link", message.name()))),
        None => Err(LinkError::Lost("the receiver has ended it".to_owned())),
    }
}
