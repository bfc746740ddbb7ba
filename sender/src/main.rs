//! `xbsend`, the program.

use std::process::ExitCode;

use clap::Parser;
use xbproto::cli::remote::Invocation;
use xbproto::failure::Party;

fn main() -> ExitCode {
    match Invocation::of_this_process(Party::Sender) {
        Ok(Invocation { words, caller }) => xbsend::program::run(xbsend::args::Args::parse_from(words), caller),
        Err(code) => code,
    }
}
