//! A disk that is full: a small tmpfs, for which the tests must run as root.

use std::io::Write;
use std::process::Command;

use super::*;

/// A file system of one megabyte, unmounted in the end.
struct Small(PathBuf);

impl Small {
    fn mount(at: PathBuf) -> Option<Small> {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&at).output();
        mount.is_ok_and(|done| done.status.success()).then_some(Small(at))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_named_with_its_file_and_nothing_is_left() {
    let room = Room::new();
    let Some(small) = Small::mount(room.dir()) else {
        // Not captured, unlike `eprintln!`: whoever reads the log is to know what was not tested.
        writeln!(std::io::stderr(), "SKIPPED a_full_disk: mounting a tmpfs needs root").unwrap();
        return;
    };
    let error = room.unpack(&[file("shop/orders.ibd", &"x".repeat(2 << 20))]).unwrap_err();
    assert_eq!(error.to_string(), "writing shop/orders.ibd: No space left on device");
    assert_eq!(error.cause(), Cause::Sink);
    assert_eq!(room.paths(), [""; 0]);
    drop(small);
}
