//! What is run once a backup is committed and its session is over.
//!
//! Nobody waits for it: the sender has its receipt and is gone, and with it the locks of the source. Whatever fails here,
//! the copy is good; the exit code says that something after it was not done.
//!
//! | module | owns |
//! |---|---|
//! | `requested` | what the command line asks for |
//! | `run` | a child, from its start to its end or ours |
//! | `prepare` | which command prepares which backup (pure) |
//! | `environment` | what the command of `--then` is told (pure) |
//! | `error` | what may go wrong |

mod environment;
mod error;
mod prepare;
mod requested;
mod run;

pub use error::AfterError;
pub use requested::RequestError;

use std::ffi::OsString;
use std::process::Command;

use xbproto::cli::{Reporter, Requests};
use xbproto::wire::Receipt;

pub use self::environment::Place;
use self::environment::variables;
use self::prepare::is_any_tool_installed;
use self::run::Step;
use crate::disk::Ownership;
use crate::extract::{Tenancy, give_away, give_directory};
use crate::sink::is_command;

/// What is to be done after the commit, in this order.
#[derive(Clone, Debug)]
pub struct AfterCommit {
    /// Where the backup is.
    pub place: Place,
    /// Whose a directory was before.
    pub tenancy: Tenancy,
    /// Whether it is to be made ready for a server.
    pub preparation: Preparation,
    /// Whose the directory is, and the files that a preparation makes.
    pub ownership: Ownership,
    /// The shell command of the user.
    pub then: Option<OsString>,
}

/// What becomes of an unpacked backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// It stays as it is.
    None,
    /// Its tool prepares it, which takes no files that are compressed or encrypted.
    ByItsTool(Decoded),
}

/// What was undone, while unpacking, of what the tool did to the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Whether compressed files were decompressed.
    pub decompressed: bool,
    /// Whether encrypted files were decrypted.
    pub decrypted: bool,
}

impl AfterCommit {
    /// Whether somebody will want to know the SHA-1 of each stream.
    pub fn wants_sums(&self) -> bool {
        self.then.is_some()
    }

    /// Does all of it for the backup of `receipt`, on the calling thread, which must live as long as the process. Nothing
    /// of it is left running when somebody asks for the end.
    ///
    /// # Errors
    /// The first [`AfterError`]; what follows is not done then.
    pub async fn run(&self, receipt: &Receipt, requests: &mut Requests, reporter: &Reporter) -> Result<(), AfterError> {
        if let Place::Directory(dir) = &self.place {
            if self.tenancy == Tenancy::Sole {
                // The commit has tried it, and could not say that it failed.
                give_directory(dir, &self.ownership)?;
            }
            if let Preparation::ByItsTool(decoded) = self.preparation {
                let plan = prepare::plan(&receipt.facts, decoded, dir, |tool| is_command(tool.as_ref()))?;
                Step { what: plan.what, label: "prepare" }.run(plan.command, requests, reporter).await?;
                give_away(dir, &self.ownership)?;
            }
        }
        if let Some(then) = &self.then {
            let step = Step { what: "the command of --then".to_owned(), label: "then" };
            step.run(self.shell(then, receipt), requests, reporter).await?;
        }
        Ok(())
    }

    fn shell(&self, then: &OsString, receipt: &Receipt) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(then);
        for (name, value) in variables(receipt, &self.place) {
            match value {
                Some(value) => command.env(name, value),
                // Not what somebody else has meant by it.
                None => command.env_remove(name),
            };
        }
        command
    }
}
