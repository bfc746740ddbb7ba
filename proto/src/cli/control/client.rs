//! `--control PATH ORDER`: gives an order to a running program.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::order::{Answer, Order, OrderError};
use crate::cli::{exit_code, printable, program_name};
use crate::failure::{Cause, Party};

/// How long the program may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error("--control PATH: {0}")]
    Order(#[from] OrderError),
    #[error("--control {}: {why}", .path.display())]
    Refused { path: PathBuf, why: String },
    #[error("--control {}: {error}; is the program running, with this --control-socket?", .path.display())]
    Unreachable { path: PathBuf, error: io::Error },
    #[error("--control {}: no answer within {} s", .path.display(), PATIENCE.as_secs())]
    Silent { path: PathBuf },
    #[error("--control {}: {said:?} is no answer of this program", .path.display())]
    Stranger { path: PathBuf, said: String },
    #[error("--control {}: {why}", .path.display())]
    Over { path: PathBuf, why: String },
    #[error("--control: {0}")]
    Runtime(io::Error),
    #[error("writing to standard output: {0}")]
    Output(io::Error),
}

impl ControlError {
    fn cause(&self) -> Cause {
        match self {
            ControlError::Order(_) | ControlError::Refused { .. } => Cause::Usage,
            ControlError::Unreachable { .. }
            | ControlError::Silent { .. }
            | ControlError::Stranger { .. }
            | ControlError::Over { .. } => Cause::PeerLost,
            ControlError::Runtime(_) | ControlError::Output(_) => Cause::Unforeseen,
        }
    }
}

/// Gives the order in `words`, the path of the socket first, and returns what the program of `own` party exits with: 0 when
/// it was carried out, 2 when it is none, 3 when nobody is there to do it. Nothing is printed but a status, or an error.
pub fn give_order(own: Party, words: &[OsString]) -> ExitCode {
    match control(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let words = error.to_string();
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{}: {}", program_name(own), printable(&words));
            exit_code(error.cause())
        }
    }
}

fn control(words: &[OsString]) -> Result<(), ControlError> {
    let (path, order) = words.split_first().map_or((Path::new(""), words), |(path, order)| (Path::new(path), order));
    let order: Vec<_> = order.iter().map(|word| word.to_string_lossy()).collect();
    let order: Order = order.join(" ").parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ControlError::Runtime)?;
    let said = runtime.block_on(async { timeout(PATIENCE, ask(path, order)).await });
    let path = path.to_owned();
    let said = match said {
        Err(_) => return Err(ControlError::Silent { path }),
        Ok(Err(error)) => return Err(ControlError::Unreachable { path, error }),
        Ok(Ok(said)) => said,
    };
    match Answer::of(&said) {
        Some(Answer::Done) => Ok(()),
        Some(Answer::Status(object)) => writeln!(io::stdout(), "{object}").map_err(ControlError::Output),
        Some(Answer::Wrong(why)) => Err(ControlError::Refused { path, why }),
        Some(Answer::Over(why)) => Err(ControlError::Over { path, why }),
        None => Err(ControlError::Stranger { path, said: said.chars().take(60).collect() }),
    }
}

async fn ask(path: &Path, order: Order) -> io::Result<String> {
    let mut stream = UnixStream::connect(path).await?;
    let written = stream.write_all(format!("{order}\n").as_bytes()).await;
    let mut said = Vec::new();
    let read = stream.take(MAX_ANSWER).read_to_end(&mut said).await;
    // Whoever does not hear an order out may have answered all the same.
    if said.is_empty() {
        written.and(read)?;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}
