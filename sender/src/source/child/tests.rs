//! Real children, mostly shells, ending in every way.

use std::fs;
use std::path::Path;

use xbproto::failure::Cause;

use super::*;
use crate::source::ChildLine;

/// A child that runs `script`, its stdout, and what it said.
struct Scene {
    child: Child,
    stdout: FdReader,
    said: Arc<Mutex<Vec<String>>>,
}

fn scene(script: &str, proof: Proof, target: Option<TempDir>) -> Scene {
    let said = Arc::<Mutex<Vec<String>>>::default();
    let sink = Arc::clone(&said);
    let on_line: OnLine = Arc::new(move |ChildLine(line)| sink.lock().unwrap().push(line));
    let command = ["sh", "-c", script].map(OsString::from);
    let (child, stdout) = Child::spawn(&command, proof, target, on_line).unwrap();
    Scene { child, stdout: FdReader::new(stdout).unwrap(), said }
}

fn shell(script: &str) -> Scene {
    scene(script, Proof::Status, None)
}

fn tool(script: &str) -> Scene {
    scene(script, Proof::StatusAndMarker, None)
}

impl Scene {
    /// Everything the child wrote to stdout.
    async fn output(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.stdout.read_to_end(&mut all).await.unwrap();
        all
    }

    /// Waits for a line on stdout.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        loop {
            match self.stdout.read_u8().await.unwrap() {
                b'\n' => return line,
                byte => line.push(char::from(byte)),
            }
        }
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

/// Whether a process exists and is more than a zombie.
fn alive(pid: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// Waits until a process that got SIGKILL has felt it.
async fn gone(pid: &str) {
    while alive(pid) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_good_command_brings_bytes_and_ends_well() {
    let mut scene = shell("echo bytes; echo words >&2");
    assert_eq!(scene.output().await, b"bytes\n");
    scene.child.verdict().await.unwrap();
    scene.child.verdict().await.unwrap();
    assert_eq!(scene.said(), ["words"]);
}

#[tokio::test]
async fn a_late_failure_comes_with_the_last_words() {
    let mut scene = shell("echo bytes; exec 1>&-; echo first >&2; echo 'no space' >&2; exit 7");
    assert_eq!(scene.output().await, b"bytes\n");
    let error = scene.child.verdict().await.unwrap_err();
    assert_eq!(error.to_string(), "sh exited with status 7; its last line: no space");
    assert_eq!(error.last_lines(), ["first", "no space"]);
    assert_eq!(error.cause(), Cause::Source);
}

#[tokio::test]
async fn a_killed_command_names_the_signal() {
    let mut scene = shell("kill -KILL $$");
    let error = scene.child.verdict().await.unwrap_err();
    assert_eq!(error.to_string(), "sh was killed by SIGKILL");
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_a_failed_source() {
    let quiet: OnLine = Arc::new(|_| {});
    let error = Child::spawn(&["/no/such/tool".into()], Proof::Status, None, quiet).unwrap_err();
    assert_eq!(error.cause(), Cause::Source);
    assert!(error.to_string().starts_with("starting /no/such/tool: No such file"), "{error}");
}

#[tokio::test]
async fn a_tool_must_report_success_as_well() {
    let good = "echo '           prints \"completed OK!\".' >&2; echo '[00] 09:53:45 completed OK!' >&2";
    let mut scene = tool(good);
    scene.child.verdict().await.unwrap();
    let shown = ["           prints \"[its success line]\".", "tool finished, waiting for the receiver"];
    assert_eq!(scene.said(), shown);
}

#[tokio::test]
async fn a_tool_that_only_quotes_its_success_line_has_failed() {
    let mut scene = tool("echo 'prints \"completed OK!\".' >&2");
    let error = scene.child.verdict().await.unwrap_err();
    assert!(error.to_string().starts_with("sh exited with status 0, but did not report success"), "{error}");
    assert_eq!(error.last_lines(), ["prints \"[its success line]\"."]);
    assert_eq!(error.cause(), Cause::Source);
}

#[tokio::test]
async fn a_tool_that_fails_after_its_success_line_has_failed() {
    let mut scene = tool("echo 'completed OK!' >&2; exit 1");
    let error = scene.child.verdict().await.unwrap_err();
    assert_eq!(error.to_string(), "sh exited with status 1; its last line: tool finished, waiting for the receiver");
}

#[tokio::test]
async fn nothing_is_read_from_our_stdin_and_the_key_is_kept_from_it() {
    let mut scene = shell("readlink /proc/self/fd/0; echo ${XB_KEY-no key}");
    assert_eq!(scene.output().await, b"/dev/null\nno key\n");
}

#[tokio::test]
async fn stop_ends_the_whole_group_and_the_target_vanishes() {
    let target = tempfile::tempdir().unwrap();
    let path = target.path().to_owned();
    // The shell ends at SIGINT; what it put into the background ignores it.
    let mut scene = scene("sleep 60 & echo $!; wait", Proof::Status, Some(target));
    let descendant = scene.line().await;
    let leader = scene.child.process.id().to_string();
    scene.child.stop().await;
    gone(&descendant).await;
    assert!(!Path::new(&format!("/proc/{leader}")).exists());
    assert!(!path.exists());
    scene.child.stop().await;
    assert_eq!(scene.child.verdict().await.unwrap_err().to_string(), "sh was killed by SIGINT");
}

#[tokio::test]
async fn stop_kills_what_ignores_every_request() {
    let mut scene = shell("trap '' INT TERM HUP; echo up; while :; do sleep 0.01; done");
    scene.line().await;
    scene.child.stop().await;
    assert_eq!(scene.child.verdict().await.unwrap_err().to_string(), "sh was killed by SIGKILL");
}

#[tokio::test]
async fn stop_leaves_a_good_verdict_alone() {
    let mut scene = shell("exit 0");
    scene.child.verdict().await.unwrap();
    scene.child.stop().await;
    scene.child.verdict().await.unwrap();
}

#[tokio::test]
async fn a_child_that_is_dropped_takes_its_descendants_along() {
    let mut scene = shell("sleep 60 & echo $!; echo $$; wait");
    let (descendant, leader) = (scene.line().await, scene.line().await);
    drop(scene);
    gone(&descendant).await;
    gone(&leader).await;
}

#[tokio::test]
async fn the_lane_ends_with_its_last_writer() {
    let mut scene = shell("{ sleep 0.05; echo late; } & echo early");
    scene.child.verdict().await.unwrap();
    assert_eq!(scene.output().await, b"early\nlate\n");
}

#[tokio::test]
async fn a_descendant_that_holds_stderr_does_not_hold_the_verdict() {
    let mut scene = shell("sleep 60 & echo $!");
    let descendant = scene.line().await;
    timeout(Duration::from_secs(50), scene.child.verdict()).await.unwrap().unwrap();
    assert!(alive(&descendant));
    drop(scene);
    gone(&descendant).await;
}

#[tokio::test]
async fn a_verdict_may_be_given_up_and_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    let mut scene = shell(&format!("while [ ! -e '{}' ]; do sleep 0.01; done; exit 4", go.display()));
    assert!(timeout(Duration::from_millis(10), scene.child.verdict()).await.is_err());
    fs::write(go, "").unwrap();
    assert_eq!(scene.child.verdict().await.unwrap_err().to_string(), "sh exited with status 4");
}

#[tokio::test]
async fn a_talkative_child_is_never_held_up() {
    let mut scene = shell("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; echo done");
    assert_eq!(scene.output().await, b"done\n");
    scene.child.verdict().await.unwrap();
    assert_eq!(scene.said().len(), 20_000);
}
