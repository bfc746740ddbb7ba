//! `xbsend`, the program.

use std::process::ExitCode;

use xbproto::cli::settings::{Settled, parse};
use xbsend::args::Args;

fn main() -> ExitCode {
    match parse::<Args>() {
        Ok(Settled { args, notes }) => xbsend::program::run(args, notes),
        Err(ended) => ended,
    }
}
