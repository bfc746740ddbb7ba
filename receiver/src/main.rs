//! `xbrecv`, the program.

use std::process::ExitCode;

use xbproto::cli::settings::{Settled, parse};
use xbrecv::args::Args;

fn main() -> ExitCode {
    match parse::<Args>() {
        Ok(Settled { args, notes }) => xbrecv::program::run(args, notes),
        Err(ended) => ended,
    }
}
