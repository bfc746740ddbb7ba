//! A stand-in for an xtrabackup that writes FIFO streams.

use crate::{FakeTool, Scene};

/// What a tool does with FIFOs. Without a word to the contrary, what xtrabackup does: it makes as many as it is told, none
/// of which may be there already; opens one after the other; writes a byte into each; then files, a stream in each FIFO;
/// and says that it is done. Its standard output is silent.
#[derive(Clone, Debug)]
pub struct FifoTool {
    make: String,
    sync: &'static str,
    write: String,
    finally: String,
}

/// The options that matter, as shell variables `n` and `d`.
const OPTIONS: &str = r#"
for option in "$@"; do case "$option" in
    --fifo-streams=*) n=${option#*=} ;;
    --fifo-dir=*) d=${option#*=} ;;
esac; done
"#;

/// Makes `$made` FIFOs, opens them as the descriptors from 3 on, and writes the sync byte.
const MAKE: &str = r#"
mkdir -p "$d"
i=0; while [ $i -lt $made ]; do
    mkfifo -m 600 "$d/thread_$i" || { echo "FIFO file $d/thread_$i already exists" >&2; exit 1; }
    i=$((i + 1))
done
i=0; while [ $i -lt $made ]; do
    eval "exec $((i + 3))>\"$d/thread_$i\""
    [ -z "$sync" ] || printf "$sync" >&$((i + 3))
    i=$((i + 1))
done
"#;

/// Writes the scene's file `stream.N` into each FIFO, all at the same time; nothing where there is no such file.
const WRITE: &str = r#"
i=0; while [ $i -lt $made ]; do
    [ ! -e stream.$i ] || cat stream.$i >&$((i + 3)) &
    i=$((i + 1))
done
wait
"#;

/// What a tool says when it is done.
const DONE: &str = "echo '2026-11-23 14:18:46 completed OK!' >&2";

impl FifoTool {
    /// One that writes the scene's files `stream.0`, `stream.1` and so on, as far as there are any. At most six FIFOs.
    pub fn new() -> FifoTool {
        let (make, write, finally) = ("made=$n".to_owned(), WRITE.to_owned(), DONE.to_owned());
        FifoTool { make, sync: "\\125", write, finally }
    }

    /// One that makes so many FIFOs, whatever it is told.
    pub fn making(self, count: u8) -> FifoTool {
        FifoTool { make: format!("made={count}"), ..self }
    }

    /// One that writes no byte before the streams.
    pub fn without_sync_byte(self) -> FifoTool {
        FifoTool { sync: "", ..self }
    }

    /// One that does this when all FIFOs are open, instead of writing the streams.
    pub fn doing(self, script: &str) -> FifoTool {
        FifoTool { write: script.to_owned(), ..self }
    }

    /// One that does this in the end, instead of saying that it is done.
    pub fn finally(self, script: &str) -> FifoTool {
        FifoTool { finally: script.to_owned(), ..self }
    }

    /// It as an executable of this name in the scene. Returns its path.
    pub fn install(&self, scene: &Scene, name: &str) -> String {
        let FifoTool { make, sync, write, finally } = self;
        let script = format!("{OPTIONS}\n{make}\nsync='{sync}'\n{MAKE}\n{write}\n{finally}");
        FakeTool::new(scene, name, &script).tool(name)
    }
}

impl Default for FifoTool {
    fn default() -> FifoTool {
        FifoTool::new()
    }
}
