//! What is said to peers that have proved the key and are not served.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::link::Link;
use crate::wire::{CloseCode, Message};

/// How long a peer is given to read an answer that ends the connection.
const ANSWER: Duration = Duration::from_secs(2);

/// Answers that may be under way at the same time; beyond it the connection is just closed.
const ANSWERS: usize = 16;

/// Answers under way.
#[derive(Debug, Default)]
pub struct Answers(JoinSet<()>);

impl Answers {
    /// Says one thing on `link`, and closes it.
    pub fn say(&mut self, mut link: Link, message: Message, code: CloseCode, reason: String) {
        while self.0.try_join_next().is_some() {}
        if self.0.len() >= ANSWERS {
            return link.close(code, &reason);
        }
        self.0.spawn(async move {
            let _ = link.writer.send(&message).await;
            link.closed_by_peer(ANSWER, code, &reason).await;
        });
    }

    /// Waits until all have been heard, or have taken too long.
    pub async fn all_ended(&mut self) {
        while self.0.join_next().await.is_some() {}
    }
}
