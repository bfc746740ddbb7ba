//! The benchmark: ours and what it replaces, on the same stream, in the same run, in turn. Run by `tests/bench`.
//!
//! A [`Group`] is a table: rows that are compared with each other. A row moves a stream
//! ([`streams`]), as its [`Source`](source::Source) hands it out, through a [`Peer`](peer::Peer) between the two hosts of a
//! [`Scenery`](scenery::Scenery). That is a [`Transfer`](transfer::Transfer), made of [`Job`](job::Job)s, and what it
//! took is a [`Measurement`](measurement::Measurement). [`plan`] says which groups there are, and what they have to show.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what it is for")]

mod cpu;
mod extent;
mod group;
mod interrupt;
mod job;
mod json;
mod listening;
mod machine;
mod measurement;
mod need;
mod peer;
mod plan;
mod results;
mod scenery;
mod source;
mod spread;
mod stage;
mod streams;
mod table;
mod target;
mod transfer;
mod watch;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::Value;

use extent::Extent;
use group::Group;
use results::Results;
use stage::Stage;
use streams::Streams;

/// Compare xbsend and xbrecv with what they replace.
#[derive(Parser)]
#[command(name = "tests/bench")]
struct Args {
    /// The groups to measure, of those that --list shows; all if none is named
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
    /// Show the groups, and do nothing else
    #[arg(long)]
    list: bool,
    /// Only see that everything works: short streams, short transfers, one round
    #[arg(long)]
    quick: bool,
    /// How often each row is measured [default: 5, with --quick 1]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Move this xbstream of a whole backup rather than that of a server made for it
    #[arg(long, value_name = "FILE")]
    stream: Option<PathBuf>,
    /// Where streams are kept and what arrives is written
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    folder: PathBuf,
    /// What makes long links in place of the kernel's netem; see tests/src/bin/bench/scenery/emulated.rs
    #[arg(long, value_name = "PROGRAM")]
    emulator: Option<PathBuf>,
    /// Write every single measurement to FILE, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match begin(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tests/bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin(args: &Args) -> Result<()> {
    let extent = if args.quick { Extent::QUICK } else { Extent::WHOLE };
    let groups = chosen(plan::groups(&extent), &args.groups)?;
    if args.list {
        groups.iter().for_each(|group| println!("{:<12} {}", group.name, group.title()));
        return Ok(());
    }
    ensure!(rustix::process::geteuid().is_root(), "only root can make hosts (network namespaces): run it as root");
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).context("becoming a subreaper")?;
    interrupt::watch()?;
    run(args, &extent, &groups)
}

fn run(args: &Args, extent: &Extent, groups: &[Group]) -> Result<()> {
    fs::create_dir_all(&args.folder).with_context(|| format!("making {}", args.folder.display()))?;
    let folder = args.folder.canonicalize().context("looking for the folder")?;
    let stage = Stage::set(&folder, &programs()?, args.emulator.clone())?;
    let streams = Streams { folder: &folder, extent, own: args.stream.as_deref() };
    let rounds = args.rounds.unwrap_or(extent.rounds);
    println!("Machine: {}. Rounds: {rounds}.\n", machine::describe(&folder));
    let mut all = Vec::new();
    for group in groups {
        if let Err(error) = group.place.build(stage.emulator()) {
            println!("### {}: {}\n\nskipped: {error:#}\n", group.name, group.title());
            continue;
        }
        let stream = streams.file(group.stream, &stage, &|line: &str| eprintln!("{line}"))?;
        let results = Results::measure(group, &stream, &stage, rounds, |line| eprintln!("{line}"))?;
        println!("{}", table::render(group, &results));
        all.push(json::of(group, &results));
    }
    if let Some(path) = &args.json {
        fs::write(path, format!("{:#}\n", Value::from(all))).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The groups with these names, in the order of the plan.
fn chosen(groups: Vec<Group>, names: &[String]) -> Result<Vec<Group>> {
    let unknown = names.iter().find(|name| groups.iter().all(|group| group.name != **name));
    ensure!(
        unknown.is_none(),
        "there is no group {:?}; --list shows those there are",
        unknown.unwrap_or(&String::new())
    );
    Ok(groups.into_iter().filter(|group| names.is_empty() || names.iter().any(|name| name == group.name)).collect())
}

/// The folder with our programs: where `tests/bench` has put them, or beside this one.
fn programs() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("XBTESTS_PROGRAMS") {
        return Ok(folder.into());
    }
    let own = env::current_exe().context("looking for this program")?;
    Ok(own.parent().context("a program is in a folder")?.to_owned())
}
