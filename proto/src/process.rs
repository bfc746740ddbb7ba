//! Child processes: how they are set apart, signalled and spoken of.
//!
//! Both programs run commands of the user. None of them may outlive its purpose, and none may see
//! the session's key.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

use nix::sys::signal::{SigHandler, Signal as Disposed, signal};
use rustix::process::{Pid, getpid, getppid, kill_process_group, set_parent_process_death_signal, setsid};

pub use rustix::process::Signal;

/// The environment variable that carries the session's key. Never handed to a child.
pub const KEY_VARIABLE: &str = "XB_KEY";

/// The environment variable that carries the key of a backup's encrypted files. Never handed to a child either.
pub const FILE_KEY_VARIABLE: &str = "XB_ENCRYPT_KEY";

/// Makes the child of `command` the leader of a session and process group of its own that dies
/// with this process, and takes the keys out of its environment.
///
/// * Its process group has the number of its pid; [`signal_group`] reaches it and its descendants.
/// * It has no controlling terminal: a tool that asks for a password there fails at once. In a
///   mere process group of its own it would be stopped by SIGTTIN and hang for ever. Nor does a
///   Ctrl-C reach it: whoever gets that has to pass it on.
/// * It gets SIGKILL when the *thread* that spawned it ends, so spawn it from one that lives as
///   long as the process. No milder signal would do: mariabackup ignores SIGTERM and SIGHUP, and
///   nobody is left to send a second one. (The kernel forgets this for set-user-id programs such
///   as sudo, and it is not inherited; what such a child started ends when it writes to our pipe.)
///
/// Call it once for a command, in the process that will spawn it.
pub fn isolate(command: &mut Command) {
    set_apart(command, Station::OwnSession);
}

/// Makes the child of `command` die with this process as [`isolate`] does, and takes the keys out of its environment, but
/// leaves it at our terminal: for a program such as ssh, which asks the person there for a password.
///
/// * It stays in our process group. In one of its own it would not be in the terminal's foreground, and be stopped for good
///   when it asks; so the shell stops and continues both of us. To end it, signal the child alone, never a group.
/// * It ignores SIGINT and SIGHUP: a Ctrl-C is ours to answer, and what it has to say of the end is still to come. A terminal
///   that is lost ends neither of us. (What asks for a password catches SIGINT while it does.)
pub fn keep_at_terminal(command: &mut Command) {
    set_apart(command, Station::OurTerminal);
}

/// Where a child stands.
#[derive(Clone, Copy)]
enum Station {
    /// In a session of its own, without a terminal.
    OwnSession,
    /// In our process group, at our terminal if we have one.
    OurTerminal,
}

fn set_apart(command: &mut Command, station: Station) {
    command.env_remove(KEY_VARIABLE).env_remove(FILE_KEY_VARIABLE);
    before_exec(command, station, getpid());
}

/// The one place with unsafe calls: nothing safe runs code between fork and exec.
#[expect(unsafe_code, reason = "Command has no safe way to call prctl(2), setsid(2) and signal(2) in the child")]
fn before_exec(command: &mut Command, station: Station, parent: Pid) {
    let prepare = move || {
        match station {
            Station::OwnSession => drop(setsid()?),
            Station::OurTerminal => {
                for ignored in [Disposed::SIGINT, Disposed::SIGHUP] {
                    // SAFETY: no handler is installed, so none can do what a handler must not; nothing else runs in this
                    // process, and the program that follows is the one meant to inherit it.
                    unsafe { signal(ignored, SigHandler::SigIgn) }?;
                }
            }
        }
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that died before the line above will never cause that signal.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::Error::from(rustix::io::Errno::SRCH)) }
    };
    // SAFETY: the closure runs in the forked child of a process that may have had other threads.
    // It makes a few system calls through rustix and nix, all async-signal-safe; it takes no lock and
    // allocates nothing, on failure too: an `io::Error` of an errno is a plain number.
    unsafe { command.pre_exec(prepare) };
}

/// Sends `signal` to every process of the group that the child with process id `leader` leads.
/// A group without processes is no error.
///
/// The caller must not have waited for the leader yet, or the number may be a stranger's by now.
pub fn signal_group(leader: u32, signal: Signal) -> io::Result<()> {
    // kill(2) reads 0 and -1 as "my own group" and "everybody".
    let group = i32::try_from(leader).ok().filter(|raw| *raw > 1).and_then(Pid::from_raw);
    let group = group.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    match kill_process_group(group, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How a child ended, to be read after its name: `exited with status 1`, `was killed by SIGKILL`.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was killed by {}", signal_name(signal)),
        (None, None) => format!("ended with {status}"),
    }
}

/// The name of the signals that end programs; the number of others.
fn signal_name(number: i32) -> String {
    const NAMES: [(Signal, &str); 14] = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
    ];
    let known = NAMES.iter().find(|(signal, _)| signal.as_raw() == number);
    known.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use rustix::process::{getpgid, getsid, kill_process};

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    fn pid(child: &std::process::Child) -> Pid {
        Pid::from_child(child)
    }

    #[test]
    fn an_isolated_child_leads_its_own_session() {
        let mut command = shell("exec sleep 60");
        isolate(&mut command);
        let mut child = command.spawn().unwrap();
        assert_eq!(getsid(Some(pid(&child))).unwrap(), pid(&child));
        signal_group(child.id(), Signal::KILL).unwrap();
        assert_eq!(describe(child.wait().unwrap()), "was killed by SIGKILL");
    }

    #[test]
    fn a_child_at_the_terminal_stays_in_our_group_and_is_not_interrupted() {
        let mut command = shell("echo up; exec sleep 60");
        keep_at_terminal(&mut command);
        let mut child = command.spawn().unwrap();
        assert_eq!(getpgid(Some(pid(&child))).unwrap(), getpgid(None).unwrap());
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
        for signal in [Signal::INT, Signal::HUP, Signal::TERM] {
            kill_process(pid(&child), signal).unwrap();
        }
        assert_eq!(describe(child.wait().unwrap()), "was killed by SIGTERM");
    }

    #[test]
    fn the_key_is_not_handed_on() {
        for set_apart in [isolate, keep_at_terminal] {
            let mut command = shell("echo ${XB_KEY-none}${KEPT-none}");
            command.env(KEY_VARIABLE, "secret").env("KEPT", "-kept");
            set_apart(&mut command);
            assert_eq!(command.output().unwrap().stdout, b"none-kept\n");
        }
    }

    #[test]
    fn the_child_dies_with_the_thread_that_spawned_it() {
        for set_apart in [isolate, keep_at_terminal] {
            let spawned = std::thread::spawn(move || {
                let mut command = shell("exec sleep 60");
                set_apart(&mut command);
                command.spawn().unwrap()
            });
            assert_eq!(describe(spawned.join().unwrap().wait().unwrap()), "was killed by SIGKILL");
        }
    }

    #[test]
    fn the_whole_group_is_reached() {
        let mut command = shell("sleep 60 & sleep 60 & echo up; wait");
        isolate(&mut command);
        let mut child = command.spawn().unwrap();
        let mut up = [0; 3];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut up).unwrap();
        signal_group(child.id(), Signal::KILL).unwrap();
        // Each of the three held the pipe open: its end is theirs.
        let mut rest = Vec::new();
        std::io::Read::read_to_end(child.stdout.as_mut().unwrap(), &mut rest).unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_group_that_is_gone_is_no_error() {
        // Above the largest pid that Linux gives out.
        signal_group(i32::MAX as u32, Signal::KILL).unwrap();
    }

    #[test]
    fn endings_are_described() {
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), "exited with status 3");
        assert_eq!(describe(ExitStatus::from_raw(Signal::SEGV.as_raw())), "was killed by SIGSEGV");
        assert_eq!(describe(ExitStatus::from_raw(35)), "was killed by signal 35");
    }

    #[test]
    fn numbers_that_mean_everybody_are_refused() {
        for leader in [0, 1, u32::MAX, 1 << 31] {
            assert_eq!(signal_group(leader, Signal::KILL).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }
}
