//! Programs at a terminal.

use std::ffi::OsString;
use std::io::{PipeWriter, Write};

use crate::program::surround;
use crate::{Ended, Input, Log, Output, Program, Running, Scene};

/// A program that sits at a terminal of its own: stdin, stdout, stderr and `/dev/tty` are all it. What it shows is in
/// the log.
pub struct Terminal {
    keyboard: PipeWriter,
    screen: Log,
    running: Running,
}

impl Terminal {
    /// Starts a program at a new terminal, with what it has of arguments and environment. Its streams are the
    /// terminal's whatever they were told to be.
    pub fn start(scene: &Scene, program: Program) -> Terminal {
        let words: Vec<String> = program.words().iter().map(quoted).collect();
        let mut script = scene.program(&format!("terminal of {}", program.name), "script");
        surround(&mut script.command, &program.command);
        let (keys, keyboard) = std::io::pipe().expect("a pipe");
        let (screen, shown) = std::io::pipe().expect("a pipe");
        let screen = Log::collect(program.name, screen);
        script.logs.add(screen.clone());
        let script = script.args(["--quiet", "--return", "--flush", "--command", &words.join(" "), "/dev/null"]);
        let running = script.input(Input::Open(keys.into())).output(Output::Open(shown.into())).start();
        Terminal { keyboard, screen, running }
    }

    /// What stands on the screen.
    pub fn screen(&self) -> &Log {
        &self.screen
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).expect("a keyboard");
    }

    /// Waits for the program's end; its log is the screen.
    pub fn wait(self) -> Ended {
        let mut ended = self.running.wait();
        ended.log = self.screen.whole_text().replace('\r', "");
        ended
    }
}

/// A word as a shell takes it.
fn quoted(word: &OsString) -> String {
    format!("'{}'", word.to_str().expect("words of tests are UTF-8").replace('\'', r"'\''"))
}
