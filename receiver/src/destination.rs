//! From the command line to a sink.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use xbproto::cli::{Event, Reporter};

use crate::args::Args;
use crate::disk::{DiskError, Notice};
use crate::extract::{Progress, STAGING_PREFIX};
use crate::journal::Recalled;
use crate::preflight;
use crate::sink::{self, CommandSink, ExtractSink, Opened, Sink, SinkError, StdoutSink};

/// A sink and what is known about it.
pub struct Destination {
    /// Where the bytes go.
    pub sink: Box<dyn Sink>,
    /// What `sha1sum` would call the stream there.
    pub name: String,
    /// The unpacking's own counters, when unpacking.
    pub unpacking: Option<Progress>,
    /// What was recalled of a receiver for the same target that was killed.
    pub recalled: Option<Recalled>,
}

/// Makes the destination that `args` name, and checks what can be checked beforehand. `id` names
/// what is temporary; `window` is the session's, in bytes.
///
/// # Errors
/// [`SinkError`] when nothing could be written there.
pub fn open(args: &Args, id: u64, window: u64, reporter: &Reporter) -> Result<Destination, SinkError> {
    let tell = |notices: Vec<Notice>| notices.iter().for_each(|n| reporter.tell(Event::Notice(n.to_string())));
    if let Some(path) = &args.output {
        let Opened { sink, notices, recalled } = sink::to_path(path, window, args.page_cache())?;
        tell(notices);
        return Ok(Destination { sink, name: path.display().to_string(), unpacking: None, recalled });
    }
    if args.extract {
        let directory = args.directory.as_deref().unwrap_or(Path::new("."));
        let Opened { sink, notices, recalled } = ExtractSink::create(directory, id, args.page_cache())?;
        tell(notices);
        if has_company(directory) {
            let words =
                format!("{} is not empty: what is there stays among the files of the backup", directory.display());
            reporter.tell(Event::Warning(words));
        }
        preflight::open_files().into_iter().for_each(|words| reporter.tell(Event::Warning(words)));
        let unpacking = Some(sink.progress());
        return Ok(Destination { sink: Box::new(sink), name: "-".into(), unpacking, recalled });
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
    Ok(Destination { sink, name: "-".into(), unpacking: None, recalled: None })
}

/// Whether there is anything in `directory` but our own staging folder. A server would take foreign
/// redo logs or tables in a restored directory for its own.
fn has_company(directory: &Path) -> bool {
    let ours = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(STAGING_PREFIX.as_bytes());
    std::fs::read_dir(directory)
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|e| !ours(&e.file_name()))))
}
