//! System calls that fail as they are told to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::Program;
use crate::skip::skip;

/// What happens to a system call of a program instead of what should.
#[derive(Clone, Debug)]
pub struct Injection {
    /// The calls, as strace takes them: `pwrite64`, or `fsync,fdatasync`.
    calls: &'static str,
    effect: String,
    /// Which of them, as strace counts: for each thread anew.
    when: String,
    /// Only those that concern this file.
    path: Option<PathBuf>,
}

impl Injection {
    /// All of these calls fail with this error: `ENOSPC`.
    pub fn error(calls: &'static str, error: &str) -> Injection {
        Injection { calls, effect: format!("error={error}"), when: "1+".into(), path: None }
    }

    /// The program is stopped, as by SIGSTOP, when the first of these calls has been carried out.
    pub fn stop(calls: &'static str) -> Injection {
        Injection { calls, effect: "signal=SIGSTOP".into(), when: "1".into(), path: None }
    }

    /// Only from a thread's `n`-th call on.
    pub fn from(self, n: u32) -> Injection {
        Injection { when: format!("{n}+"), ..self }
    }

    /// Only a thread's `n`-th call.
    pub fn only(self, n: u32) -> Injection {
        Injection { when: n.to_string(), ..self }
    }

    /// They take this long before that.
    pub fn after(self, delay: Duration) -> Injection {
        Injection { effect: format!("{}:delay_enter={}", self.effect, delay.as_micros()), ..self }
    }

    /// Only calls on this file, or that name it so.
    pub fn on(self, path: impl AsRef<Path>) -> Injection {
        Injection { path: Some(path.as_ref().to_owned()), ..self }
    }

    /// The program with this done to it, or to any process it starts; or says that `test` is skipped because there is no
    /// strace, or it may not.
    pub fn into(self, test: &str, program: Program) -> Option<Program> {
        if !strace_works() {
            skip(test, "strace is not installed, or not allowed to trace");
            return None;
        }
        // `-D`: the process that is started is the program, and strace a child of it, so that signals and exit codes are
        // the program's own.
        let mut words: Vec<String> = ["-D", "-f", "-qq", "-o", "/dev/null"].map(str::to_owned).to_vec();
        words.extend(["-e".into(), format!("trace={}", self.calls)]);
        words.extend(["-e".into(), format!("inject={}:{}:when={}", self.calls, self.effect, self.when)]);
        if let Some(path) = self.path {
            words.extend(["-P".into(), path.display().to_string()]);
        }
        Some(program.under("strace", words))
    }
}

fn strace_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"]);
        strace.stdout(Stdio::null()).stderr(Stdio::null());
        strace.status().is_ok_and(|status| status.success())
    })
}

#[cfg(test)]
mod tests {
    use rustix::process::Signal;

    use super::*;
    use crate::{Ended, Scene};

    fn run(injection: impl FnOnce(&Scene) -> Injection, script: &str) -> Option<Ended> {
        let scene = Scene::new();
        let shell = scene.program("sh", "sh").args(["-c", script]);
        Some(injection(&scene).into("injection", shell)?.start().wait())
    }

    #[test]
    fn only_the_calls_on_the_file_fail() {
        let script = "echo one > good && ! echo two > bad && cat good";
        let Some(ended) = run(|scene| Injection::error("write", "EDQUOT").on(scene.path("bad")), script) else {
            return;
        };
        assert_eq!((ended.code, ended.stdout), (0, b"one\n".to_vec()));
    }

    #[test]
    fn only_the_calls_that_are_counted_fail() {
        let script = "for n in 1 2 3; do echo $n || true; done";
        let write = || Injection::error("write", "EIO");
        for (injection, output) in [(write(), ""), (write().from(2), "1\n"), (write().only(4), "1\n2\n3\n")] {
            let Some(ended) = run(|_| injection, script) else { return };
            assert_eq!(String::from_utf8_lossy(&ended.stdout), output);
        }
    }

    #[test]
    fn signals_and_exit_codes_are_the_programs_own() {
        let scene = Scene::new();
        let shell = scene.program("sh", "sh").args(["-c", "echo ready >&2; exec sleep 1000"]);
        let Some(shell) = Injection::error("fsync", "EIO").into("injection", shell) else { return };
        let running = shell.start();
        running.log().wait_for("ready");
        running.signal(Signal::TERM);
        assert_eq!(running.wait().code, 128 + 15);
        scene.expect_nobody_left();
    }

    #[test]
    fn a_program_is_stopped_at_a_call_and_goes_on() {
        let scene = Scene::new();
        scene.file("old", "");
        let shell = scene.program("mv", "mv").args(["old", "new"]);
        let Some(shell) = Injection::stop("rename,renameat,renameat2").into("injection", shell) else { return };
        let mut running = shell.start();
        running.wait_until_stopped();
        assert!(running.is_alive());
        running.signal(Signal::CONT);
        assert_eq!(running.wait().code, 0);
        assert_eq!(scene.listing("."), ["new"]);
    }
}
