//! What carries a link: the trait that every form of connection implements, and nothing of any form.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{ControlReader, ControlWriter, LinkError, PathReport};
use crate::tls::proof::ChannelBinding;
use crate::wire::CloseCode;

/// A future of a trait that is used without knowing its type.
pub type Eventually<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The forms of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// QUIC, over UDP.
    Quic,
    /// TLS over TCP, where UDP does not get through.
    Tcp,
}

/// A connection of some form, with a peer that has proved nothing yet. TLS protects it; blocks and control messages do not
/// wait for each other on it, as far as its form allows.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Its form.
    fn form(&self) -> Form;

    /// Opens the control stream: the dialer's part.
    fn open_control(&self) -> Eventually<'_, Result<Control, LinkError>>;

    /// Waits for the control stream: the listener's part.
    fn accept_control(&self) -> Eventually<'_, Result<Control, LinkError>>;

    /// The secret that only the two ends of this TLS connection share.
    ///
    /// # Errors
    /// When TLS exports none.
    fn channel_binding(&self) -> Result<ChannelBinding, LinkError>;

    /// Begins a block. `age` is how many were begun before it on this connection: older ones are served first.
    fn open_block(&self, age: u64) -> Eventually<'_, Result<Box<dyn BlockOut>, LinkError>>;

    /// The next block that has begun to arrive.
    fn next_block(&self) -> Eventually<'_, Result<Box<dyn BlockIn>, LinkError>>;

    /// Lets the peer send blocks: so many at a time, and so many bytes.
    fn let_send(&self, room: Room);

    /// Holds no more than so many bytes that the peer has not acknowledged.
    fn hold_at_most(&self, bytes: u64);

    /// Closes with a code and a sentence. What was written and not delivered may be lost.
    fn close(&self, code: CloseCode, reason: &str);

    /// How it has ended, if it has.
    fn close_reason(&self) -> Option<LinkError>;

    /// Waits for its end; how it ended.
    fn closed(&self) -> Eventually<'_, LinkError>;

    /// The peer's present address.
    fn peer(&self) -> SocketAddr;

    /// How it does.
    fn report(&self) -> PathReport;

    /// How often the peer has acknowledged something.
    fn acknowledgements(&self) -> u64;
}

/// A control stream.
pub type Control = (ControlReader, ControlWriter);

/// The half of a control stream that is read.
pub trait ControlIn: AsyncRead + Send + Sync + Unpin {}

impl<S: AsyncRead + Send + Sync + Unpin> ControlIn for S {}

/// The half of a control stream that is written.
pub trait ControlOut: AsyncWrite + Send + Sync + Unpin {
    /// Waits until the peer has all that was written, and knows that nothing follows; `false` if the connection was lost
    /// before, or if this form of connection cannot tell.
    fn delivered(&self) -> Eventually<'_, bool>;
}

/// What a peer may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Blocks at a time.
    pub blocks: u64,
    /// Bytes that were not read yet.
    pub bytes: u64,
}

/// A block on its way out. One that is dropped before it was finished never becomes a block at the peer.
pub trait BlockOut: Send {
    /// Writes more of it, when the connection lets it.
    fn write(&mut self, bytes: Bytes) -> Eventually<'_, Result<(), LinkError>>;

    /// It is whole.
    fn finish(self: Box<Self>);
}

/// A block on its way in.
pub trait BlockIn: Send {
    /// Fills `buffer`.
    fn read_exact<'a>(&'a mut self, buffer: &'a mut [u8]) -> Eventually<'a, Result<Whole, LinkError>>;

    /// Puts what has arrived into `pieces`, as many as there are; waits for some.
    fn read_pieces<'a>(&'a mut self, pieces: &'a mut [Bytes]) -> Eventually<'a, Result<Pieces, LinkError>>;
}

/// Whether what was wanted has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// All of it.
    Yes,
    /// The peer has cancelled the block.
    Cancelled,
}

/// What has come of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// So many pieces.
    Some(usize),
    /// Nothing follows.
    End,
    /// The peer has cancelled the block.
    Cancelled,
}

/// A connection of any form.
#[derive(Clone, Debug)]
pub struct Connection(Arc<dyn Carrier>);

impl Connection {
    /// The one that `carrier` is.
    pub fn new(carrier: impl Carrier + 'static) -> Connection {
        Connection(Arc::new(carrier))
    }

    /// Whether both are handles of one connection.
    pub fn is(&self, other: &Connection) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whatever a stream says about its end, the connection knows the reason.
    pub fn reason(&self, error: LinkError) -> LinkError {
        self.close_reason().unwrap_or(error)
    }
}

impl std::ops::Deref for Connection {
    type Target = dyn Carrier;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
