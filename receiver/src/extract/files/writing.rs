//! Putting the plain content of a file on the disk: large parts past the page cache, without the holes of its pages, and
//! with its digest if that is wanted.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use xbproto::xbstream::StreamPath;

use super::holes::Thinning;
use super::manifest::{FileDigest, Manifest};
use super::open_files::Handle;
use super::punch::free_holes;
use super::writers::Resources;
use crate::disk::{At, DiskError, Output, PageCache, Pages, as_path, drop_cached};
use crate::extract::sync::Finished;
use crate::stop::Stop;

/// The part of a file, in bytes, from which direct I/O pays: the tools send large files in chunks of several MiB. Smaller
/// ones go through the page cache, where one call is all that a small file needs.
pub(in crate::extract) const LARGE: u64 = 1 << 20;

/// How much of a file, in bytes, is written through the page cache before it is sent to the disk and dropped there.
const WRITE_BEHIND: u64 = 8 << 20;

/// A file that is being written, by one thread at a time.
#[derive(Debug)]
pub(in crate::extract) struct Writing {
    /// As it is called on disk.
    path: StreamPath,
    file: Handle,
    cache: PageCache,
    /// What writes the large part that is coming.
    output: Option<Output>,
    thinning: Option<Thinning>,
    digest: Option<FileDigest>,
    /// Where the part began.
    begin: u64,
    /// The end of the last bytes.
    end: u64,
    /// Up to where there are bytes, on the disk or left out.
    written: u64,
    /// How many bytes went to the disk.
    stored: u64,
    /// How long the file is by that.
    len: u64,
}

impl Writing {
    /// The new file `path`, with its digest if there is a manifest.
    pub(in crate::extract) fn new(
        path: StreamPath,
        file: Handle,
        cache: PageCache,
        manifest: Option<&Manifest>,
    ) -> Writing {
        let digest = manifest.map(|_| FileDigest::default());
        let thinning = Thinning::may_be_for(path.as_bytes()).then(Thinning::new);
        Writing { path, file, cache, output: None, thinning, digest, begin: 0, end: 0, written: 0, stored: 0, len: 0 }
    }

    /// A part of `len` bytes from `offset` on, without holes, begins; `spare` are pages of an earlier one.
    pub(in crate::extract) fn begin(
        &mut self,
        offset: u64,
        len: u64,
        spare: &mut Option<Pages>,
    ) -> Result<(), DiskError> {
        (self.begin, self.end) = (offset, offset);
        if len >= LARGE && !self.is_thin() {
            let file = Arc::clone(self.file.open(as_path(&self.path)).at("opening", as_path(&self.path))?);
            self.output = Some(Output::of_part(file, offset, self.cache, spare.take().unwrap_or_default()));
        }
        Ok(())
    }

    /// Keeps the file open: its name may go to another.
    pub(in crate::extract) fn keep_open(&mut self) -> Result<(), DiskError> {
        let path = as_path(&self.path);
        self.file.keep_open(path).at("opening", path)
    }

    /// Takes the bytes that belong at `offset`. Once `stop` is raised, what is done about them is for nobody.
    pub(in crate::extract) fn write(&mut self, offset: u64, bytes: &[u8], stop: &Stop) -> Result<(), DiskError> {
        if offset < self.written {
            // Zeros that replace something are no hole.
            self.thinning = None;
        }
        self.end = offset + bytes.len() as u64;
        self.written = self.written.max(self.end);
        self.put(offset, bytes).at("writing", as_path(&self.path))?;
        // A place that no file can have is refused by now.
        if let Some(digest) = &mut self.digest {
            digest.update(offset, bytes, stop);
        }
        Ok(())
    }

    fn put(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let Writing { path, file, output, thinning, stored, len, .. } = self;
        let mut count = |at: u64, run: &[u8]| {
            *stored += run.len() as u64;
            *len = (*len).max(at + run.len() as u64);
        };
        let Some(thinning) = thinning else {
            count(offset, bytes);
            return put(file, as_path(path), output, offset, bytes);
        };
        thinning.put(offset, bytes, |at, run| {
            count(at, run);
            if run.len() < bytes.len() {
                leave(output)?;
            }
            put(file, as_path(path), output, at, run)
        })?;
        if thinning.is_thin() { leave(output) } else { Ok(()) }
    }

    /// The part is complete: all of it is in the file.
    pub(in crate::extract) fn pause(&mut self, spare: &mut Option<Pages>) -> Result<(), DiskError> {
        if let Some(output) = self.output.take() {
            *spare = Some(output.end().at("writing", as_path(&self.path))?);
        }
        if self.begin / WRITE_BEHIND != self.end / WRITE_BEHIND {
            // Starts to write what is not on the disk yet, and drops what is.
            let file = self.file.open(as_path(&self.path)).at("opening", as_path(&self.path))?;
            drop_cached(file, self.end);
        }
        self.file.rest().at("syncing", as_path(&self.path))
    }

    /// The file is complete, and at least `extent` bytes long: a hole at its end is written by nobody.
    pub(in crate::extract) fn finish(mut self, extent: u64, resources: &Resources) -> Result<Finished, DiskError> {
        let path = as_path(&self.path);
        let file = self.file.open(path).at("opening", path)?;
        let extent = extent.max(self.written);
        if self.len < extent {
            file.set_len(extent).at("extending", path)?;
        }
        if self.stored < extent {
            free_holes(file, self.stored).at("freeing holes of", path)?;
        }
        if let (Some(manifest), Some(digest)) = (&resources.manifest, self.digest.take()) {
            manifest.keep(file, digest, extent, &resources.stop).at("reading again", path)?;
        }
        Ok(Finished { path: path.into(), file: Arc::clone(file), written: self.written })
    }

    fn is_thin(&self) -> bool {
        self.thinning.as_ref().is_some_and(Thinning::is_thin)
    }
}

fn put(file: &mut Handle, path: &Path, output: &mut Option<Output>, offset: u64, bytes: &[u8]) -> io::Result<()> {
    match output {
        Some(output) => output.write(bytes),
        None => file.open(path)?.write_all_at(bytes, offset),
    }
}

/// Leaves the file to writes at any place.
fn leave(output: &mut Option<Output>) -> io::Result<()> {
    output.take().map_or(Ok(()), |output| output.end().map(drop))
}
