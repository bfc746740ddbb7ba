//! `xbrecv`, the program.

use std::process::ExitCode;

use clap::Parser;
use xbproto::cli::remote::Invocation;
use xbproto::failure::Party;

fn main() -> ExitCode {
    match Invocation::of_this_process(Party::Receiver) {
        Ok(Invocation { words, caller }) => xbrecv::program::run(xbrecv::args::Args::parse_from(words), caller),
        Err(code) => code,
    }
}
