//! From the command line to a sink.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xbproto::cli::{Event, Reporter};
use xbproto::lane::LaneId;
use xbproto::xbstream::STAGING_PREFIX;

use crate::args::Args;
use crate::disk::{DiskError, Notice};
use crate::extract::{Progress, Tenancy};
use crate::journal::Recalled;
use crate::preflight;
use crate::sink::{self, CommandSink, ExtractSink, FifoSink, Opened, Sink, SinkError, StdoutSink};

/// A sink and what is known about it.
pub struct Destination {
    /// Where the bytes go.
    pub sink: Box<dyn Sink>,
    /// What `sha1sum` would call the streams there.
    pub names: StreamNames,
    /// The unpacking's own counters, when unpacking.
    pub unpacking: Option<Progress>,
    /// What was recalled of a receiver for the same target that was killed.
    pub recalled: Option<Recalled>,
}

/// What `sha1sum` would call the streams of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamNames {
    /// They have none.
    Unnamed,
    /// This is the file, or the beginning of the names of several.
    File(PathBuf),
    /// They go to FIFOs in this directory.
    Fifos(PathBuf),
}

impl StreamNames {
    /// The name of one of so many.
    pub fn of(&self, lane: LaneId, lanes: usize) -> String {
        match (self, lanes) {
            (StreamNames::Unnamed, 0..=1) => "-".to_owned(),
            (StreamNames::Unnamed, _) => lane.to_string(),
            (StreamNames::File(path), 0..=1) => path.display().to_string(),
            (StreamNames::File(path), _) => sink::part_path(path, lane).display().to_string(),
            (StreamNames::Fifos(dir), _) => dir.join(format!("thread_{}", lane.0)).display().to_string(),
        }
    }
}

/// Makes the destination that `args` name, and checks what can be checked beforehand. `id` names
/// what is temporary; `window` is the session's, in bytes.
///
/// # Errors
/// [`SinkError`] when nothing could be written there.
pub fn open(args: &Args, id: u64, window: u64, reporter: &Reporter) -> Result<Destination, SinkError> {
    let tell = |notices: Vec<Notice>| notices.iter().for_each(|n| reporter.tell(Event::Notice(n.to_string())));
    if let Some(path) = &args.output {
        let Opened { sink, notices, recalled } =
            sink::to_path(path, window, args.page_cache(), args.after.ownership())?;
        tell(notices);
        return Ok(Destination { sink, names: StreamNames::File(path.clone()), unpacking: None, recalled });
    }
    if let Some(directory) = args.directory() {
        let unpacking = args.unpack.unpacking(args.page_cache(), args.required())?;
        let Opened { sink, notices, recalled } = ExtractSink::create(directory, id, unpacking)?;
        tell(notices);
        let tenancy = tenancy(directory);
        let told = reporter.clone();
        let on_warning = Arc::new(move |words| told.tell(Event::Warning(words)));
        let sink = sink.owned(args.after.ownership_at_commit(), tenancy).warning(on_warning);
        if tenancy == Tenancy::Shared {
            let words =
                format!("{} is not empty: what is there stays among the files of the backup", directory.display());
            reporter.tell(Event::Warning(words));
        }
        preflight::open_files().into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
        let unpacking = Some(sink.progress());
        return Ok(Destination { sink: Box::new(sink), names: StreamNames::Unnamed, unpacking, recalled });
    }
    if let Some(plan) = args.fifos() {
        let names = StreamNames::Fifos(plan.dir.clone());
        return Ok(Destination { sink: Box::new(FifoSink::new(plan)?), names, unpacking: None, recalled: None });
    }
    let sink: Box<dyn Sink> = match args.stdout {
        true => {
            let out = std::io::stdout().as_fd().try_clone_to_owned();
            Box::new(StdoutSink::new(out.map_err(|error| DiskError::new("duplicating", "stdout", error))?))
        }
        false => {
            let told = reporter.clone();
            let on_line = Arc::new(move |line| told.tell(Event::Child { label: "consumer", line }));
            Box::new(CommandSink::new(args.command.clone(), on_line)?)
        }
    };
    Ok(Destination { sink, names: StreamNames::Unnamed, unpacking: None, recalled: None })
}

/// Whether there is anything in `directory` but our own staging folder. A server would take foreign
/// redo logs or tables in a restored directory for its own.
pub(crate) fn tenancy(directory: &Path) -> Tenancy {
    let ours = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(STAGING_PREFIX.as_bytes());
    let has_company = std::fs::read_dir(directory)
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|e| !ours(&e.file_name()))));
    if has_company { Tenancy::Shared } else { Tenancy::Sole }
}
