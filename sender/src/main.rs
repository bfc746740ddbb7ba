//! `xbsend`, the program.

use std::process::ExitCode;

use xbproto::cli::remote::Invocation;
use xbproto::cli::settings::{Settled, parse};
use xbproto::failure::Party;
use xbsend::args::Args;

fn main() -> ExitCode {
    run().unwrap_or_else(|ended| ended)
}

fn run() -> Result<ExitCode, ExitCode> {
    let Invocation { words, caller } = Invocation::of_this_process(Party::Sender)?;
    let Settled { args, notes } = parse::<Args>(words)?;
    Ok(xbsend::program::run(args, notes, caller))
}
