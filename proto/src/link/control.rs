//! Control messages over any pair of byte streams.

use std::fmt;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ControlIn, ControlOut};
use crate::wire::{Message, WireError};

/// A control stream is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It broke.
    #[error("the control stream broke: {0}")]
    Io(#[from] io::Error),
    /// It carries something else.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// The half that is read.
pub struct ControlReader {
    stream: Box<dyn ControlIn>,
}

impl ControlReader {
    /// Reads messages from `stream`.
    pub fn new(stream: impl ControlIn + 'static) -> ControlReader {
        ControlReader { stream: Box::new(stream) }
    }

    /// The next message; those that may be skipped are. `None` when the peer has finished. Not
    /// cancel-safe: a message half read is lost with the future.
    ///
    /// # Errors
    /// [`ControlError`]; a stream that ends inside a message is one.
    pub async fn next(&mut self) -> Result<Option<Message>, ControlError> {
        loop {
            let Some(head) = self.head().await? else { return Ok(None) };
            let (kind, len) = Message::decode_head(head)?;
            let mut body = vec![0; len];
            self.stream.read_exact(&mut body).await?;
            if let Some(message) = Message::decode_body(kind, &body)? {
                return Ok(Some(message));
            }
        }
    }

    async fn head(&mut self) -> io::Result<Option<[u8; 5]>> {
        let mut head = [0; 5];
        if self.stream.read(&mut head[..1]).await? == 0 {
            return Ok(None);
        }
        self.stream.read_exact(&mut head[1..]).await?;
        Ok(Some(head))
    }
}

/// The half that is written.
pub struct ControlWriter {
    stream: Box<dyn ControlOut>,
}

impl ControlWriter {
    /// Writes messages to `stream`.
    pub fn new(stream: impl ControlOut + 'static) -> ControlWriter {
        ControlWriter { stream: Box::new(stream) }
    }

    /// Writes a message.
    ///
    /// # Errors
    /// When the stream broke.
    pub async fn send(&mut self, message: &Message) -> Result<(), ControlError> {
        self.stream.write_all(&message.encode()).await?;
        Ok(self.stream.flush().await?)
    }

    /// Says that nothing follows. What was written before is still delivered.
    ///
    /// # Errors
    /// When the stream broke.
    pub async fn finish(&mut self) -> Result<(), ControlError> {
        Ok(self.stream.shutdown().await?)
    }

    /// Waits until the peer has all that was written, and knows that nothing follows; `false` if the connection was
    /// lost before, or if nobody can tell.
    pub async fn delivered(&self) -> bool {
        self.stream.delivered().await
    }
}

impl fmt::Debug for ControlReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlReader(..)")
    }
}

impl fmt::Debug for ControlWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlWriter(..)")
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;
    use crate::failure::{Cause, Failure, Party};
    use crate::link::Eventually;

    impl ControlOut for DuplexStream {
        fn delivered(&self) -> Eventually<'_, bool> {
            Box::pin(async { true })
        }
    }

    /// Eight bytes at a time: every read is partial somewhere.
    #[tokio::test]
    async fn messages_survive_narrow_pipes() {
        let (near, far) = tokio::io::duplex(8);
        let messages: Vec<Message> = (0..20)
            .map(|n| Message::Abort(Failure::new(Cause::Sink, Party::Receiver, "x".repeat(n * 7))))
            .chain([Message::Seen])
            .collect();
        let sent = messages.clone();
        let writing = tokio::spawn(async move {
            let mut writer = ControlWriter::new(near);
            for message in &sent {
                writer.send(message).await.expect("the pipe is whole");
            }
        });
        let mut reader = ControlReader::new(far);
        for message in messages {
            assert_eq!(reader.next().await.expect("well-formed"), Some(message));
        }
        writing.await.expect("written");
        assert!(matches!(reader.next().await, Ok(None)));
    }

    #[tokio::test]
    async fn unknown_ignorable_messages_are_skipped_and_cuts_are_errors() {
        let bytes: &'static [u8] = &[0xff, 0, 0, 0, 2, 1, 2, 0x08, 0, 0, 0, 0, 0x08, 0];
        let mut reader = ControlReader::new(bytes);
        assert_eq!(reader.next().await.expect("well-formed"), Some(Message::Seen));
        assert!(matches!(reader.next().await, Err(ControlError::Io(_))));
    }

    #[tokio::test]
    async fn a_huge_length_takes_no_memory() {
        let mut reader = ControlReader::new(&[1u8, 0xff, 0xff, 0xff, 0xff][..]);
        assert!(matches!(reader.next().await, Err(ControlError::Wire(WireError::TooLong { .. }))));
    }
}
