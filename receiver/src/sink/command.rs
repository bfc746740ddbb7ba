//! `-- COMMAND ARG…`: the stream goes to a child of ours, whose success is part of the commit.
//!
//! The child sees the end of its input only in commit, when every digest has agreed; when the session fails, it and all
//! of its process group are killed *before* its input is closed, so that it never takes half a backup for a whole one.
//! For the same reason the pipe belongs to the [`Consumer`], not to the lane, which may be dropped at any time.
//!
//! One case is beyond us: when this process itself dies of SIGKILL, the kernel closes the pipe before the child gets the
//! SIGKILL that the death of its parent brings, so a quick child may see the end of half a backup and act on it.

mod consumer;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use rustix::fs::{Access, access};
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::Hello;

use self::consumer::Consumer;
use super::{Admission, Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};
use crate::disk::shown;
pub use crate::overheard::OnLine;

/// A command on this host that reads the stream from its standard input.
pub struct CommandSink {
    argv: Vec<OsString>,
    on_line: OnLine,
    /// Empty until the session starts.
    consumer: Arc<OnceLock<Consumer>>,
}

impl CommandSink {
    /// A sink for the command `argv`, program first. `on_line` gets its standard error line by line; its standard
    /// output stays ours.
    ///
    /// # Errors
    /// When there is no such command.
    pub fn new(argv: Vec<OsString>, on_line: OnLine) -> Result<CommandSink, SinkError> {
        let program = argv.first().cloned().unwrap_or_default();
        if !is_command(&program) {
            return Err(SinkError::NoCommand { command: program });
        }
        Ok(CommandSink { argv, on_line, consumer: Arc::default() })
    }

    fn out_of_turn(&self, call: &'static str) -> SinkError {
        SinkError::OutOfTurn { target: self.target().describe, call }
    }
}

impl Sink for CommandSink {
    fn start(&mut self, _hello: &Hello) -> Result<(), SinkError> {
        let consumer = Consumer::spawn(&self.argv, &self.on_line)?;
        // A second one is killed as it is dropped.
        self.consumer.set(consumer).map_err(|_| self.out_of_turn("start"))
    }

    fn admission(&self) -> Admission {
        Admission::one_stream(self.target().describe)
    }

    fn lane(&mut self, lane: LaneId, _from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        if lane != LaneId(0) {
            return Err(SinkError::OneLane { lane, target: self.target().describe });
        }
        Ok(Box::new(CommandLane { consumer: Arc::clone(&self.consumer) }))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.consumer.get().ok_or_else(|| self.out_of_turn("sync"))?.finish()
    }

    fn commit(&mut self, _sums: &[LaneSum]) -> Result<Reached, SinkError> {
        self.sync()?;
        Ok(Reached::Consumed)
    }

    fn abandon(&mut self) {
        if let Some(Err(error)) = self.consumer.get().map(Consumer::kill) {
            (self.on_line)(error.to_string());
        }
    }

    fn left(&self) -> String {
        "nothing but what the command has left, which was ended before it could take a part for the whole".to_owned()
    }

    fn interrupter(&self) -> Interrupter {
        let consumer = Arc::clone(&self.consumer);
        Interrupter::new(move || {
            if let Some(consumer) = consumer.get() {
                consumer.interrupt();
            }
        })
    }

    fn target(&self) -> Target {
        let program = self.argv.first().map(Path::new).unwrap_or(Path::new(""));
        Target { describe: format!("command {}", shown(program)), free: None }
    }
}

impl Drop for CommandSink {
    fn drop(&mut self) {
        self.abandon();
    }
}

struct CommandLane {
    consumer: Arc<OnceLock<Consumer>>,
}

impl LaneSink for CommandLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        let out_of_turn = || SinkError::OutOfTurn { target: "command".into(), call: "write" };
        self.consumer.get().ok_or_else(out_of_turn)?.write(bytes)
    }

    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        Ok(written.len())
    }

    /// Leaves the pipe open: the digests have not been compared yet.
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Whether `program` can be run, by its path or by a search of `PATH`.
pub(crate) fn is_command(program: &OsStr) -> bool {
    let runnable = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    let path = Path::new(program);
    if program.is_empty() || path.components().count() > 1 || path.is_absolute() {
        return runnable(path);
    }
    env::var_os("PATH").is_some_and(|list| env::split_paths(&list).any(|dir| runnable(&dir.join(path))))
}

#[cfg(test)]
mod tests;
