//! `-o DEVICE` and `-o FIFO`: what stands there is written in place and never renamed over.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{Access, FileType, Mode, OFlags, access, fstat, major, minor, open};
use rustix::io::Errno;
use xbproto::lane::{LaneDigest, LaneId};

use super::outlet::{Blocked, LOOK_UP, Outlet};
use super::{Admission, Again, Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};
use crate::disk::{At, DiskError, shown};
use crate::stop::Stop;

/// A device or FIFO that was there before us. Abandoning it leaves the bytes it took.
#[derive(Debug)]
pub struct InPlaceSink {
    path: PathBuf,
    kind: Kind,
    seen: Seen,
    stop: Stop,
    /// The device, for the sync at the end.
    device: Option<File>,
}

/// What stood there at first. It may be opened days later, and is not written if it is something else by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    kind: FileType,
    device: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `/dev/null`.
    Null,
    /// Another character device.
    Character,
    /// A disk or a part of one.
    Block,
    /// A named pipe; opened by the lane, because that waits for the reader.
    Fifo,
}

impl InPlaceSink {
    /// The sink for `path` if a device or FIFO stands there, links followed; `None` if nothing does, or a regular file,
    /// which is [`FileSink`](super::FileSink)'s to judge.
    ///
    /// # Errors
    /// When it is anything else, or may not be written.
    pub fn find(path: &Path) -> Result<Option<InPlaceSink>, SinkError> {
        let not_a_file = |kind| Err(SinkError::NotAFile { path: path.into(), kind });
        let meta = match path.metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let dangling = path.symlink_metadata().is_ok();
                return if dangling { not_a_file("link to nothing") } else { Ok(None) };
            }
            Err(error) => return Err(DiskError::new("looking at", path, error).into()),
        };
        let device = (major(meta.rdev()), minor(meta.rdev()));
        let kind = match meta.file_type() {
            kind if kind.is_char_device() && device == (1, 3) => Kind::Null,
            kind if kind.is_char_device() => Kind::Character,
            kind if kind.is_block_device() => Kind::Block,
            kind if kind.is_fifo() => Kind::Fifo,
            kind if kind.is_file() => return Ok(None),
            kind if kind.is_dir() => return not_a_file("directory"),
            _ => return not_a_file("socket"),
        };
        access(path, Access::WRITE_OK).at("opening", path)?;
        let seen = Seen { kind: FileType::from_raw_mode(meta.mode()), device: meta.rdev() };
        Ok(Some(InPlaceSink { path: path.into(), kind, seen, stop: Stop::default(), device: None }))
    }

    fn open_device(&mut self) -> Result<Writer, SinkError> {
        // On a block device, EXCL refuses one that is mounted or otherwise in use.
        let exclusive = if self.kind == Kind::Block { OFlags::EXCL } else { OFlags::empty() };
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | exclusive;
        let device = open(&self.path, flags, Mode::empty()).map(File::from).at("opening", &self.path)?;
        self.seen.check(&device, &self.path)?;
        self.device = Some(device.try_clone().at("opening", &self.path)?);
        Ok(Writer::Device(device))
    }
}

impl Sink for InPlaceSink {
    fn left(&self) -> String {
        format!("what was written to {}, which is no backup", shown(&self.path))
    }

    fn again(&self) -> Again {
        Again::Impossible
    }

    fn admission(&self) -> Admission {
        match self.kind {
            // What is thrown away cannot be mixed up.
            Kind::Null => Admission::default(),
            _ => Admission::one_stream(self.target().describe),
        }
    }

    fn lane(&mut self, lane: LaneId, _from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        if lane != LaneId(0) && self.kind != Kind::Null {
            return Err(SinkError::OneLane { lane, target: self.target().describe });
        }
        let writer = match self.kind {
            Kind::Fifo => Writer::Unopened,
            _ => self.open_device()?,
        };
        let (path, stop) = (self.path.clone(), self.stop.clone());
        Ok(Box::new(InPlaceLane { path, seen: self.seen, stop, writer }))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        if let (Kind::Block, Some(device)) = (self.kind, &self.device) {
            device.sync_data().at("syncing", &self.path)?;
        }
        Ok(())
    }

    fn commit(&mut self, _sums: &[LaneSum]) -> Result<Reached, SinkError> {
        self.sync()?;
        Ok(match self.kind {
            Kind::Null => Reached::Discarded,
            Kind::Block => Reached::Synced,
            Kind::Character | Kind::Fifo => Reached::HandedToStdout,
        })
    }

    fn abandon(&mut self) {
        self.stop.raise();
        self.device = None;
    }

    fn interrupter(&self) -> Interrupter {
        let stop = self.stop.clone();
        Interrupter::new(move || stop.raise())
    }

    fn target(&self) -> Target {
        let kind = if self.kind == Kind::Fifo { "FIFO" } else { "device" };
        Target { describe: format!("{kind} {}", shown(&self.path)), free: None }
    }
}

impl Seen {
    /// Whether `opened` is still of this kind, and the same device.
    fn check(&self, opened: impl AsFd, path: &Path) -> Result<(), SinkError> {
        let stat = fstat(opened).at("looking at", path)?;
        let now = Seen { kind: FileType::from_raw_mode(stat.st_mode), device: stat.st_rdev };
        if now == *self { Ok(()) } else { Err(SinkError::Replaced { path: path.into() }) }
    }
}

struct InPlaceLane {
    path: PathBuf,
    seen: Seen,
    stop: Stop,
    writer: Writer,
}

enum Writer {
    Device(File),
    Fifo(Outlet),
    /// A FIFO that may not have a reader yet.
    Unopened,
}

impl LaneSink for InPlaceLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        self.open_fifo()?;
        match &mut self.writer {
            Writer::Device(device) => std::io::Write::write_all(device, bytes).at("writing", &self.path)?,
            Writer::Fifo(fifo) => fifo.write_all(bytes).map_err(|blocked| failure(blocked, &self.path))?,
            Writer::Unopened => {}
        }
        Ok(())
    }

    /// A FIFO does not survive its processes; a device is synced once, at the end. So nothing is kept back for either.
    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        Ok(written.len())
    }

    /// Opens a FIFO that nothing was written to, so that its reader sees the end.
    fn finish(&mut self) -> Result<(), SinkError> {
        self.open_fifo()
    }
}

impl InPlaceLane {
    fn open_fifo(&mut self) -> Result<(), SinkError> {
        if let Writer::Unopened = self.writer {
            let fifo = open_fifo(&self.path, &self.stop).map_err(|blocked| failure(blocked, &self.path))?;
            self.seen.check(&fifo, &self.path)?;
            self.writer = Writer::Fifo(fifo);
        }
        Ok(())
    }
}

/// Waits for a reader, or for the stop.
fn open_fifo(path: &Path, stop: &Stop) -> Result<Outlet, Blocked> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    while !stop.is_raised() {
        match open(path, flags, Mode::empty()) {
            Ok(fd) => return Outlet::new(fd, stop.clone()).map_err(Blocked::Failed),
            Err(Errno::NXIO) => drop(rustix::event::poll(&mut [], Some(&LOOK_UP))),
            Err(error) => return Err(Blocked::Failed(error.into())),
        }
    }
    Err(Blocked::Stopped)
}

fn failure(blocked: Blocked, path: &Path) -> SinkError {
    let target = shown(path).to_string();
    match blocked {
        Blocked::ReaderGone => SinkError::ReaderGone { target },
        Blocked::Stopped => SinkError::Interrupted { target },
        Blocked::Failed(error) => DiskError::new("writing", path, error).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::thread;

    use rustix::fs::{CWD, mkfifoat};

    use super::*;
    use crate::journal::sample::digest;

    fn find(path: &str) -> InPlaceSink {
        InPlaceSink::find(Path::new(path)).unwrap().unwrap()
    }

    fn fifo(room: &tempfile::TempDir) -> PathBuf {
        let path = room.path().join("fifo");
        mkfifoat(CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
        path
    }

    #[test]
    fn dev_null_discards() {
        let mut sink = find("/dev/null");
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        lane.write(&Bytes::from_static(b"abc")).unwrap();
        assert_eq!(lane.durable(&digest(b"abc")).unwrap(), 3);
        sink.lane(LaneId(1), &LaneDigest::default()).unwrap();
        assert_eq!(sink.commit(&[]).unwrap(), Reached::Discarded);
        assert_eq!(sink.target().describe, "device /dev/null");
    }

    #[test]
    fn a_full_device_says_so() {
        let error = find("/dev/full")
            .lane(LaneId(0), &LaneDigest::default())
            .unwrap()
            .write(&Bytes::from_static(b"abc"))
            .unwrap_err();
        assert_eq!(error.to_string(), "writing /dev/full: No space left on device");
        assert_eq!(error.cause(), xbproto::failure::Cause::Sink);
    }

    #[test]
    fn a_fifo_is_written_once_it_has_a_reader() {
        let room = tempfile::tempdir().unwrap();
        let path = fifo(&room);
        let mut sink = InPlaceSink::find(&path).unwrap().unwrap();
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        let writer = thread::spawn(move || lane.write(&Bytes::from_static(b"abc")));
        let mut got = String::new();
        File::open(&path).unwrap().read_to_string(&mut got).unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(got, "abc");
        assert_eq!(sink.commit(&[]).unwrap(), Reached::HandedToStdout);
        assert!(path.metadata().unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_fifo_without_a_reader_does_not_outlast_the_interrupter() {
        let room = tempfile::tempdir().unwrap();
        let mut sink = InPlaceSink::find(&fifo(&room)).unwrap().unwrap();
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        let writer = thread::spawn(move || lane.write(&Bytes::from_static(b"abc")));
        sink.interrupter().interrupt();
        assert!(matches!(writer.join().unwrap(), Err(SinkError::Interrupted { .. })));
    }

    #[test]
    fn what_stands_there_instead_by_now_is_not_written() {
        let room = tempfile::tempdir().unwrap();
        let path = fifo(&room);
        let mut sink = InPlaceSink::find(&path).unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        let error =
            sink.lane(LaneId(0), &LaneDigest::default()).unwrap().write(&Bytes::from_static(b"abc")).unwrap_err();
        assert!(matches!(error, SinkError::Replaced { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");

        let mut sink = find("/dev/full");
        sink.path = "/dev/null".into();
        assert!(matches!(sink.lane(LaneId(0), &LaneDigest::default()), Err(SinkError::Replaced { .. })));
    }

    #[test]
    fn nothing_there_is_no_error() {
        assert!(InPlaceSink::find(&tempfile::tempdir().unwrap().path().join("new")).unwrap().is_none());
    }
}
