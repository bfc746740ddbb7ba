//! `xbrecv`, the program.

use std::process::ExitCode;

use xbproto::cli::remote::Invocation;
use xbproto::cli::settings::{Settled, parse};
use xbproto::failure::Party;
use xbrecv::args::{Args, split_source};

fn main() -> ExitCode {
    run().unwrap_or_else(|ended| ended)
}

fn run() -> Result<ExitCode, ExitCode> {
    let Invocation { words, caller } = Invocation::of_this_process(Party::Receiver)?;
    let (words, command) = split_source(words);
    let Settled { mut args, notes } = parse::<Args>(words)?;
    args.far.command = command;
    Ok(xbrecv::program::run(args, notes, caller))
}
