//! An ssh that goes nowhere.

use crate::{FakeTool, Scene};

/// An ssh that takes this host for every other one, and runs there what it is told to.
pub struct FakeSsh;

/// The last argument is for the shell. The configuration says where all hosts are.
const RUN_HERE: &str = "case \" $* \" in *' -G '*) echo 'hostname 127.0.0.1'; exit;; esac
for last; do :; done
exec sh -c \"$last\"";

impl FakeSsh {
    /// One that is called `ssh`, in the folder of the scene's tools, where it finds what it is to run.
    pub fn install(scene: &Scene) -> FakeTool {
        FakeSsh::that_does(scene, "")
    }

    /// One that does this first.
    pub fn that_does(scene: &Scene, first: &str) -> FakeTool {
        let path = scene.path("bin");
        let path = path.display();
        FakeTool::new(scene, "ssh", &format!("PATH={path}:$PATH; export PATH\n{first}\n{RUN_HERE}"))
    }
}
