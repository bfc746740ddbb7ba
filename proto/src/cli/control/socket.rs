//! Who comes to the socket, and what is said there.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::asked::{Asked, LastLimit};
use super::order::{Answer, MAX_ORDER, Order};
use super::place::{Place, PlaceError};
use crate::quantity::Rate;
use crate::shared::Shared;

/// How many are heard at a time; more wait.
const VISITORS: usize = 16;

/// How long a visit may take.
const VISIT: Duration = Duration::from_secs(4);

/// How long an order may wait for its answer: less, so that there is one.
const ANSWER: Duration = Duration::from_secs(2);

/// How long nobody is let in after that has failed, for want of memory or descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that takes orders, as long as it is not dropped.
#[derive(Debug)]
pub struct ControlSocket {
    asked: mpsc::Receiver<Asked>,
    last: LastLimit,
    /// Ends with this.
    _door: JoinSet<()>,
    _place: Place,
}

impl ControlSocket {
    /// Makes the socket and listens, within the present runtime.
    ///
    /// # Errors
    /// [`PlaceError`]; what is there stays as it is.
    pub fn open(path: &Path) -> Result<ControlSocket, PlaceError> {
        let (place, listener) = Place::take(path)?;
        let (asks, asked) = mpsc::channel(VISITORS);
        let last = LastLimit::from(Shared::new(None));
        let mut door = JoinSet::new();
        door.spawn(let_in(listener, Desk { asks, last: last.clone() }));
        Ok(ControlSocket { asked, last, _door: door, _place: place })
    }

    /// The next order that somebody waits for. Cancel-safe.
    pub async fn next(&mut self) -> Asked {
        loop {
            match self.asked.recv().await {
                Some(asked) if asked.is_forsaken() => {}
                Some(asked) => return asked,
                // The door is open as long as this is there.
                None => std::future::pending().await,
            }
        }
    }

    /// The rate limit that an order has set last, if one has.
    pub fn rate_limit(&self) -> Option<Option<Rate>> {
        self.last.look(|last| *last)
    }
}

/// Where orders are left.
#[derive(Clone)]
struct Desk {
    asks: mpsc::Sender<Asked>,
    last: LastLimit,
}

async fn let_in(listener: UnixListener, desk: Desk) {
    let mut visitors = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = visitors.join_next() => {}
            visitor = listener.accept(), if visitors.len() < VISITORS => match visitor {
                Ok((stream, _)) => {
                    let desk = desk.clone();
                    // Whoever takes longer gets no answer.
                    visitors.spawn(async move { drop(timeout(VISIT, visit(stream, desk)).await) });
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}

/// Hears one order, and answers it.
async fn visit(stream: UnixStream, desk: Desk) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    // One byte more shows that there is more, and so does not belong to the order.
    BufReader::new(reader.take(MAX_ORDER as u64 + 2)).read_until(b'\n', &mut line).await?;
    let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
    let answer = match line.parse() {
        Ok(order) => ask(order, desk).await,
        Err(error) => Answer::Wrong(error.to_string()),
    };
    writer.write_all(format!("{answer}\n").as_bytes()).await?;
    writer.shutdown().await
}

async fn ask(order: Order, desk: Desk) -> Answer {
    let (asked, answered) = Asked::new(order, desk.last);
    let answer = async {
        desk.asks.send(asked).await.ok()?;
        answered.await.ok()
    };
    match timeout(ANSWER, answer).await {
        Ok(Some(answer)) => answer,
        Ok(None) => Answer::Over("no transfer is under way any more".to_owned()),
        Err(_) => Answer::Over(format!("the program has not answered within {} s", ANSWER.as_secs())),
    }
}
