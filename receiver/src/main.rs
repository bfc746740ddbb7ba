//! `xbrecv`, the program.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    xbrecv::program::run(xbrecv::args::Args::parse())
}
