//! The socket in the file system: it is there while its program runs, for nobody but its user and root.

use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::net::{UnixListener, UnixSocket};

/// How many may wait to be let in.
const BACKLOG: u32 = 16;

/// How often the lock of the directory is tried.
const LOCK_TRIES: u32 = 20;

/// How long between two tries: a start takes far less.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Somebody listens there.
    #[error("--control-socket {}: a program listens there already; give each its own", .path.display())]
    Taken {
        /// Where.
        path: PathBuf,
    },
    /// It is something else, which is not ours to remove.
    #[error("--control-socket {}: something is there that is no socket; name a path that is free", .path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// The system does not let it.
    #[error("--control-socket {}: {doing}: {error}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What failed.
        doing: &'static str,
        /// Why.
        error: io::Error,
    },
}

/// A socket of ours. It is removed when this is dropped, if it is still the one.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    identity: (u64, u64),
}

impl Place {
    /// Makes a socket with mode 0600 at `path`, and listens there. One that a program has left that was killed is
    /// replaced.
    pub(super) fn take(path: &Path) -> Result<(Place, UnixListener), PlaceError> {
        let failed = |doing| move |error| PlaceError::Io { path: path.to_owned(), doing, error };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = File::open(parent).map_err(failed("opening its directory"))?;
        lock_for_a_moment(&folder);
        make_room(path)?;
        let socket = UnixSocket::new_stream().map_err(failed("making a socket"))?;
        socket.bind(path).map_err(failed("binding"))?;
        let place = Place::of(path).map_err(failed("looking at it"))?;
        // Nobody gets in before this: it does not listen yet.
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed("setting its mode"))?;
        let listener = socket.listen(BACKLOG).map_err(failed("listening"))?;
        Ok((place, listener))
    }

    fn of(path: &Path) -> io::Result<Place> {
        Ok(Place { path: path.to_owned(), identity: identity(&fs::symlink_metadata(path)?) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|there| identity(&there) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Has two that start at the same time look one after the other. A file system without locks is put up with, and so is somebody
/// who does not give the lock back: whoever may read the directory may take it.
fn lock_for_a_moment(folder: &File) {
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Ok(()) | Err(TryLockError::Error(_)) => return,
        }
    }
}

/// Removes a socket at which nobody listens.
fn make_room(path: &Path) -> Result<(), PlaceError> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(PlaceError::Io { path: path.to_owned(), doing: "looking at it", error }),
        Ok(there) => there,
    };
    if !there.file_type().is_socket() {
        return Err(PlaceError::Foreign { path: path.to_owned() });
    }
    match knock(path) {
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(|error| PlaceError::Io {
            path: path.to_owned(),
            doing: "removing what is left there",
            error,
        }),
        // Also if it cannot be told, as where too many wait to be let in: it may be alive.
        _ => Err(PlaceError::Taken { path: path.to_owned() }),
    }
}

/// Connects, without waiting for anybody.
pub(super) fn knock(path: &Path) -> Result<(), Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}
