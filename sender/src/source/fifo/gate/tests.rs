//! FIFOs that come, and those that do not.

use std::io::Write;

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;

const SOON: Duration = Duration::from_millis(60);

fn gate(dir: &tempfile::TempDir, streams: u16) -> (Gate, Vec<oneshot::Receiver<OwnedFd>>) {
    Gate::new(dir.path().to_owned(), streams, SOON)
}

fn make(dir: &tempfile::TempDir, index: usize) -> PathBuf {
    let path = dir.path().join(name(index));
    mkfifoat(CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
    path
}

fn left(dir: &tempfile::TempDir) -> usize {
    std::fs::read_dir(dir.path()).unwrap().count()
}

fn write(path: &Path) -> File {
    let mut writer = File::options().write(true).open(path).unwrap();
    writer.write_all(b"*").unwrap();
    writer
}

#[tokio::test]
async fn a_fifo_is_handed_over_and_loses_its_name_when_it_has_a_writer() {
    let dir = tempfile::tempdir().unwrap();
    let (mut gate, mut lanes) = gate(&dir, 2);
    let paths = [make(&dir, 0), make(&dir, 1)];
    assert!(!gate.look().unwrap());
    let _first = write(&paths[0]);
    assert!(!gate.look().unwrap());
    assert!(lanes[0].try_recv().is_ok() && lanes[1].try_recv().is_err());
    assert_eq!((paths[0].exists(), paths[1].exists()), (false, true));
    // One that writes nothing at all.
    drop(File::options().write(true).open(&paths[1]).unwrap());
    gate.open().await.unwrap();
    assert!(lanes[1].try_recv().is_ok());
    assert_eq!(left(&dir), 0);
    // What has the names by now is another tool's.
    (0..3).for_each(|index| drop(make(&dir, index)));
    gate.last_look().unwrap();
    gate.clear();
    drop(gate);
    assert_eq!(left(&dir), 3);
}

#[tokio::test]
async fn fifos_that_do_not_come_are_not_waited_for_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (mut gate, _lanes) = gate(&dir, 2);
    make(&dir, 0);
    let error = gate.open().await.unwrap_err();
    assert!(matches!(&error, FifoError::Missing { path, .. } if path.ends_with("thread_1")), "{error}");
    drop(gate);
    assert_eq!(left(&dir), 0);
}

#[test]
fn what_is_too_much_or_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let (mut one, _lanes) = gate(&dir, 1);
    (0..3).for_each(|index| drop(make(&dir, index)));
    assert!(matches!(one.look(), Err(FifoError::Surplus { .. })));
    one.clear();
    assert_eq!(left(&dir), 0);
    let (mut one, _lanes) = gate(&dir, 1);
    let path = dir.path().join("thread_0");
    std::fs::write(&path, "").unwrap();
    assert!(matches!(one.look(), Err(FifoError::NotAFifo(_))));
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    assert!(matches!(one.look(), Err(FifoError::NotAFifo(_))), "a link is not followed");
    drop(one);
    assert!(path.is_symlink(), "what is no FIFO is not ours to remove");
    assert!(matches!(refuse_existing(dir.path(), 2), Err(FifoError::Exists(there)) if there == path));
    std::fs::rename(&path, dir.path().join("thread_2")).unwrap();
    refuse_existing(dir.path(), 1).unwrap();
    assert!(refuse_existing(dir.path(), 2).is_err());
}

#[test]
fn a_tool_that_leaves_a_fifo_alone_is_named_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let (mut gate, _lanes) = gate(&dir, 2);
    let path = make(&dir, 0);
    make(&dir, 1);
    assert!(!gate.look().unwrap());
    drop(write(&path));
    let error = gate.last_look().unwrap_err();
    assert!(matches!(&error, FifoError::Unused { path, .. } if path.ends_with("thread_1")), "{error}");
}
