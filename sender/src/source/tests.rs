//! Sources from the choice to the verdict.

use tokio::io::AsyncReadExt;
use xbproto::failure::Cause;

use super::*;

fn quiet() -> OnLine {
    Arc::new(|_| {})
}

fn command(words: &[&str]) -> Choice {
    Choice::Command(words.iter().map(OsString::from).collect(), Output::Stdout)
}

fn file_at(path: &std::path::Path) -> Choice {
    Choice::Read(vec![Origin::File(path.into())], Lead::SyncByte)
}

fn start(choice: Choice, on_line: OnLine) -> Result<Started, SourceError> {
    prepare(choice, OnNote::default())?.start(on_line)
}

/// Reads a lane as a pump does: on a thread and runtime of its own.
fn pump(lane: LaneInput) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let mut all = Vec::new();
            lane.open().unwrap().read_to_end(&mut all).await.unwrap();
            all
        })
    })
}

#[tokio::test]
async fn a_command_is_read_on_one_thread_and_judged_on_another() {
    let command = ["sh", "-c", "head -c 3000000 /dev/zero; exit 5"].map(OsString::from).to_vec();
    let mut started = start(Choice::Command(command, Output::Stdout), quiet()).unwrap();
    let pump = pump(started.lanes.remove(0));
    assert_eq!(started.ending.verdict().await.unwrap_err().to_string(), "sh exited with status 5");
    assert_eq!(pump.join().unwrap().len(), 3_000_000);
}

#[tokio::test]
async fn the_tool_is_run_with_its_options_and_its_target_vanishes() {
    // A shell by the tool's name: the user's options are its script.
    let dir = tempfile::tempdir().unwrap();
    let tool = dir.path().join("mariabackup");
    std::os::unix::fs::symlink("/bin/sh", &tool).unwrap();
    let script = "ls -d \"${3#--target-dir=}\"; echo \"$*\"; echo completed OK! >&2";

    let args = ["-c", script, "script"].map(OsString::from).to_vec();
    let choice = Choice::Tool { name: Some(tool.into()), args, output: Output::Stdout };
    let mut started = start(choice, quiet()).unwrap();
    let output = String::from_utf8(pump(started.lanes.remove(0)).join().unwrap()).unwrap();
    started.ending.verdict().await.unwrap();
    let (target, options) = output.trim_end().split_once('\n').unwrap();
    assert_eq!(options, format!("--backup --stream=xbstream --target-dir={target}"));
    drop(started);
    assert!(!std::path::Path::new(target).exists());
}

#[test]
fn what_is_not_there_is_noticed_before_anything_starts() {
    for (choice, said) in [
        (command(&["no-such-command"]), "no-such-command was not found, or may not be executed"),
        (command(&["/etc/passwd"]), "/etc/passwd was not found, or may not be executed"),
        (file_at("/no/such".as_ref()), "opening /no/such: No such file"),
    ] {
        let error = prepare(choice, OnNote::default()).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(error.cause(), Cause::Source);
    }
    let unknown = Choice::Tool { name: Some("mysqldump".into()), args: vec![], output: Output::Stdout };
    assert_eq!(prepare(unknown, OnNote::default()).unwrap_err().cause(), Cause::Usage);
}

#[test]
fn only_a_file_knows_its_length() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "backup").unwrap();
    for (choice, length) in
        [(file_at(file.path()), Some(6)), (file_at("/dev/null".as_ref()), None), (command(&["true"]), None)]
    {
        assert_eq!(choice.length().unwrap(), length);
        assert_eq!(prepare(choice, OnNote::default()).unwrap().length(), length);
    }
    assert!(file_at("/no/such".as_ref()).length().is_err());
}

#[tokio::test]
async fn a_command_line_with_a_known_tool_must_report_success() {
    let command = ["echo", "/usr/bin/xtrabackup"].map(OsString::from).to_vec();
    let verdict = start(Choice::Command(command, Output::Stdout), quiet()).unwrap().ending.verdict().await;
    assert!(matches!(verdict, Err(SourceError::NoMarker { .. })), "{verdict:?}");
}
