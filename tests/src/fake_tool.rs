//! Stand-ins for the vendors' backup tools.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::Scene;

/// A folder with executables by the names of backup tools, each a shell script.
pub struct FakeTool {
    folder: PathBuf,
}

/// What a tool says when it is done.
const DONE: &str = "echo '2026-11-23 14:18:46 completed OK!' >&2";

impl FakeTool {
    /// A tool by this name that does what `script` says. The script runs in the scene's folder.
    pub fn new(scene: &Scene, name: &str, script: &str) -> FakeTool {
        let folder = scene.path("bin");
        let tool = FakeTool { folder };
        tool.and(name, script)
    }

    /// A tool that sends the scene's file `stream` and reports success.
    pub fn sending(scene: &Scene, name: &str, stream: &str) -> FakeTool {
        FakeTool::new(scene, name, &format!("echo copying >&2; cat {stream}; {DONE}"))
    }

    /// One more in the same folder.
    pub fn and(self, name: &str, script: &str) -> FakeTool {
        fs::create_dir_all(&self.folder).expect("a folder for the tool");
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")).expect("a script");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("an executable script");
        self
    }

    /// A PATH on which there is nothing else.
    pub fn path(&self) -> OsString {
        self.folder.clone().into()
    }

    /// The path of one of them.
    pub fn tool(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}
