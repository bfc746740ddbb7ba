//! The machine that the figures are of.

use std::fs;
use std::path::Path;
use std::thread;

/// One line: processor, cores, memory, kernel, and the file system and device below `folder`.
pub(crate) fn describe(folder: &Path) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = rustix::system::sysinfo();
    let memory = (memory.totalram as u64 * u64::from(memory.mem_unit)) >> 30;
    let kernel = rustix::system::uname();
    let kernel = kernel.release().to_string_lossy();
    format!("{processor}, {cores} cores, {memory} GiB; Linux {kernel}; {}", disk(folder))
}

/// What follows the colon in the first line of a file that begins with this name.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The mount that a folder is on: the last one with the longest of the fitting paths.
fn disk(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let fitting = mounts.filter(|mount| mount.len() > 2 && folder.starts_with(mount[1]));
    let mount = fitting.max_by_key(|mount| mount[1].len());
    mount.map_or("unknown disk".to_owned(), |mount| format!("{} on {}", mount[2], mount[0]))
}
