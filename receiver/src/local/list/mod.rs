//! `--list --from`: what is in the streams of a backup.
//!
//! | module | owns |
//! |---|---|
//! | `catalogue` | the files of the backup, from the items of its streams (pure) |
//! | `total` | what they come to (pure) |
//! | `coding` | how they are compressed and encrypted (pure) |
//! | `table`, `json` | the catalogue as text (pure) |

mod catalogue;
mod coding;
mod json;
mod table;
mod total;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xbproto::cli::{Reporter, Request, Requests};
use xbproto::failure::{Cause, Failure};
use xbproto::meter::Gauge;
use xbproto::place::Place;
use xbproto::xbstream::{Item, StreamPath};

use self::catalogue::Catalogue;
use super::LocalError;
use super::decoding::{Decoding, View};
use super::flow::{self, Flow};
use super::stream::{self, Stream};
use super::supervise::Supervised;
use crate::args::ListForm;
use crate::sink::Interrupter;
use crate::stop::Stop;

/// Reads `streams` to their end, or to where they are damaged, and writes what is in them to standard output.
pub(super) async fn run(
    form: ListForm,
    streams: Vec<Stream>,
    mut requests: Requests,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let (gauge, stop, listed) = (Arc::new(Gauge::default()), Stop::default(), Listed::default());
    let names = streams.iter().map(|stream| stream.input.name().to_owned()).collect();
    let current = listed.clone();
    let supervised = Supervised {
        doing: "listing",
        gauge: gauge.clone(),
        stop: stop.clone(),
        interrupter: Interrupter::default(),
        total: stream::total(&streams),
        file: move || current.seen().current.as_ref().map(StreamPath::to_string),
    };
    let read = supervised.run(read(streams, &listed, &gauge, &stop), &mut requests, reporter).await;
    let outcome = read.map(|((), _)| ());
    if let Err(Failure { cause: Cause::Interrupted | Cause::Terminated | Cause::Deadline, .. }) = outcome {
        return outcome;
    }
    reporter.clear();
    let error = outcome.as_ref().err().map(|failure| failure.reason.clone());
    print(form, Listing { catalogue: listed.take(), names, error }, &mut requests).await?;
    outcome
}

async fn read(streams: Vec<Stream>, listed: &Listed, gauge: &Arc<Gauge>, stop: &Stop) -> Result<(), LocalError> {
    let names = stream::names(&streams);
    let flows = streams.into_iter().map(|stream| {
        let name = stream.input.name().to_owned();
        let lister = Lister { name: name.clone(), listed: listed.clone() };
        let lead = Box::new(Decoding::new(&name, vec![Box::new(lister)]));
        Flow { input: stream.input, lead, beside: Vec::new() }
    });
    flow::run(flows.collect(), gauge, stop).await?;
    if gauge.sample().bytes == 0 {
        return Err(LocalError::Empty { names });
    }
    listed.seen().catalogue.finish().map_err(LocalError::Unfinished)
}

/// What all streams have brought so far. Clones are the same.
#[derive(Clone, Default)]
struct Listed(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    catalogue: Catalogue,
    current: Option<StreamPath>,
}

impl Listed {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Catalogue {
        std::mem::take(&mut self.seen().catalogue)
    }
}

/// Lists the files of one stream.
struct Lister {
    name: String,
    listed: Listed,
}

impl View for Lister {
    fn look(&mut self, item: &Item) -> Result<(), LocalError> {
        if matches!(item, Item::Data(_) | Item::Verified) {
            return Ok(());
        }
        let mut seen = self.listed.seen();
        if let Item::Payload { path, .. } | Item::Sparse { path, .. } = item {
            seen.current = Some(path.clone());
        }
        let ordered = seen.catalogue.apply(item);
        ordered.map_err(|error| LocalError::Stream { name: self.name.clone(), error: error.into() })
    }
}

/// What is to be written.
struct Listing {
    catalogue: Catalogue,
    /// Those of the streams.
    names: Vec<String>,
    /// Why the catalogue is not whole, if it is not.
    error: Option<String>,
}

impl Listing {
    /// Writes it to standard output. That nobody reads the rest of it is not an error.
    fn write(&self, form: ListForm) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = match form {
            ListForm::Table => table::write(&self.catalogue, &mut out),
            ListForm::Json => json::write(&self.catalogue, &self.names, self.error.as_deref(), &mut out),
        };
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                // What is left in the buffer would be written once more.
                let _ = out.into_parts();
                Ok(())
            }
            done => done,
        }
    }
}

/// Writes a listing, on a thread of its own: whoever reads standard output may take his time, and signals are still heard.
async fn print(form: ListForm, listing: Listing, requests: &mut Requests) -> Result<(), Failure> {
    let work = Place::Threads.start("print", move || async move { listing.write(form) });
    let mut work = pin!(work.map_err(|error| LocalError::Thread(error).failure())?.finished());
    loop {
        tokio::select! {
            biased;
            written = &mut work => {
                let written = written.map_err(|panicked| LocalError::Panicked(panicked).failure())?;
                return written.map_err(|error| LocalError::Print(error).failure());
            }
            request = requests.next() => {
                if let Request::End(failure) = request {
                    return Err(failure);
                }
            }
        }
    }
}
