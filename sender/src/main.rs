//! `xbsend`, the program.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    xbsend::program::run(xbsend::args::Args::parse())
}
