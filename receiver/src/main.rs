//! `xbrecv`, the program.

use std::process::ExitCode;

use clap::Parser;
use xbproto::cli::remote::Invocation;
use xbproto::failure::Party;
use xbrecv::args::{Args, split_source};

fn main() -> ExitCode {
    match Invocation::of_this_process(Party::Receiver) {
        Ok(Invocation { words, caller }) => {
            let (words, command) = split_source(words);
            let mut args = Args::parse_from(words);
            args.far.command = command;
            xbrecv::program::run(args, caller)
        }
        Err(code) => code,
    }
}
