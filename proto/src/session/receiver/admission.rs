//! How a session of the receiving half begins: with a first link, with another one, or in a process that
//! was restarted.

use super::{LaneIn, Outcome, Phase, Receiver, ReceiverConfig};
use crate::lane::{LaneDigest, LaneId};
use crate::session::{Violation, share};
use crate::wire::{Hello, Message, Purpose, Receipt, Resume, SessionId, Welcome};

impl Receiver {
    /// A receiver that goes on with a session after its process was restarted: `hello` is what
    /// [`hello`](Self::hello) was then, and `lanes` are the digests of what is durable. The window is that of
    /// the session, whatever is set here now: its sender goes on as it began.
    ///
    /// # Errors
    /// [`Violation`] when there never was such a session.
    pub fn recalled(config: ReceiverConfig, hello: Hello, lanes: Vec<LaneDigest>) -> Result<Receiver, Violation> {
        let mut receiver = Receiver::going_on(config, hello)?;
        for (lane, digest) in receiver.lanes.iter_mut().zip(lanes) {
            lane.recall(digest);
        }
        Ok(receiver)
    }

    /// A receiver whose process was restarted after it had committed the session `hello`: it is there
    /// only to repeat the receipt.
    ///
    /// # Errors
    /// [`Violation`] when there never was such a session.
    pub fn recalled_committed(config: ReceiverConfig, hello: Hello, receipt: Receipt) -> Result<Receiver, Violation> {
        let mut receiver = Receiver::going_on(config, hello)?;
        for (lane, sum) in receiver.lanes.iter_mut().zip(&receipt.lanes) {
            lane.recall_whole(*sum);
        }
        receiver.phase = Phase::Committed;
        receiver.receipt = Some(receipt);
        Ok(receiver)
    }

    fn going_on(config: ReceiverConfig, hello: Hello) -> Result<Receiver, Violation> {
        let mut receiver = Receiver::new(ReceiverConfig { window: hello.window, ..config });
        receiver.begin(hello)?;
        Ok(receiver)
    }

    /// Answers a `Hello` on a fresh link that only wants to know: the session is not touched.
    ///
    /// # Errors
    /// [`LinkRefused`] when a session with this proposal would be refused now.
    pub fn check(&self, hello: &Hello) -> Result<Welcome, LinkRefused> {
        if let Some(running) = &self.session {
            return Err(LinkRefused::Busy { running: running.session });
        }
        self.would_take(hello)?;
        let fresh = Resume { offset: 0, sum: LaneDigest::default().sum() };
        Ok(self.welcome(hello, vec![fresh; hello.lanes.into()]))
    }

    /// Whether a session with this proposal could be served, if no other were.
    ///
    /// # Errors
    /// [`Violation`] says what is wrong with it.
    pub fn would_take(&self, hello: &Hello) -> Result<(), Violation> {
        share(hello.window.min(self.config.window), hello.lanes.into()).map(|_| ())
    }

    /// Whether a link whose sender greets so would be served: the session begins, or goes on.
    ///
    /// # Errors
    /// [`LinkRefused`] says why not.
    pub fn admits(&self, hello: &Hello) -> Result<(), LinkRefused> {
        if hello.purpose == Purpose::Join {
            return Err(LinkRefused::NoMainLink);
        }
        match &self.session {
            Some(running) if running.session == hello.session && running.lanes == hello.lanes => Ok(()),
            _ if hello.purpose == Purpose::Resume => Err(LinkRefused::StateLost),
            Some(running) => Err(LinkRefused::Busy { running: running.session }),
            None => Ok(self.would_take(hello)?),
        }
    }

    /// Whether a further link whose sender greets so may carry blocks of the session that runs. Nothing is changed by it.
    ///
    /// # Errors
    /// [`LinkRefused`] says why not.
    pub fn admits_joining(&self, hello: &Hello) -> Result<(), LinkRefused> {
        match &self.session {
            Some(running) if running.session == hello.session && running.lanes == hello.lanes => {}
            _ => return Err(LinkRefused::StateLost),
        }
        if self.linked && self.outcome.is_none() { Ok(()) } else { Err(LinkRefused::NoMainLink) }
    }

    /// A link is authenticated and its sender has greeted. The session begins, or goes on. A sender
    /// that comes again has given up its old link, and so does this side.
    ///
    /// # Errors
    /// As [`admits`](Self::admits); what runs is not touched then.
    pub fn link_up(&mut self, hello: Hello) -> Result<(), LinkRefused> {
        self.admits(&hello)?;
        if self.session.is_none() {
            self.begin(hello.clone())?;
        }
        (self.linked, self.alone) = (true, false);
        if let Some(Outcome::Failed(failure)) = &self.outcome {
            // There is nothing to go on with, and so no welcome.
            self.voice.begin();
            self.voice.say(Message::Abort(failure.clone()));
            return Ok(());
        }
        let lanes = self.lanes.iter_mut().map(LaneIn::resume).collect();
        let welcome = self.welcome(&hello, lanes);
        self.voice.begin();
        // Before anything may be sent, so that nothing is sent faster.
        self.voice.say_limit();
        self.voice.say(Message::Welcome(welcome));
        if let Some(receipt) = self.receipt.clone() {
            self.voice.say(Message::Receipt(receipt));
        }
        Ok(())
    }

    fn begin(&mut self, hello: Hello) -> Result<(), Violation> {
        let window = hello.window.min(self.config.window);
        let share = share(window, hello.lanes.into())?;
        self.lanes = (0..hello.lanes).map(|lane| LaneIn::new(LaneId(lane), share)).collect();
        self.session = Some(Hello { window, ..hello });
        self.phase = Phase::Receiving;
        Ok(())
    }

    fn welcome(&self, hello: &Hello, lanes: Vec<Resume>) -> Welcome {
        Welcome {
            window: self.config.window.min(hello.window),
            lanes,
            target: self.config.target.clone(),
            free: self.config.free,
        }
    }
}

/// Why a fresh link cannot serve this receiver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    /// Another session is running.
    #[error("busy: session {running} is running")]
    Busy {
        /// The session that runs.
        running: SessionId,
    },
    /// The session that is to go on is not known here.
    #[error(
        "state lost: this receiver knows nothing of the session; it was restarted, or another session has taken its place"
    )]
    StateLost,
    /// It would carry blocks of a session that has no link to be told of them.
    #[error("the session has no main link at the moment, so that no other can join it")]
    NoMainLink,
    /// The session has as many links as it may.
    #[error("{links} links have joined the session, more than that is not allowed")]
    TooManyLinks {
        /// How many there are.
        links: usize,
    },
    /// The proposal makes no sense.
    #[error(transparent)]
    Violation(#[from] Violation),
}
