//! Whole sources into a session whose receiver has said `Welcome` and nothing more.

use xbproto::lane::LaneDigest;
use xbproto::session::{SenderConfig, Sent};
use xbproto::wire::{Message, Purpose, Resume, SessionId, Welcome};
use xbproto::xbstream::{Opening, encode};

use super::*;
use crate::silent::reporter;
use crate::source::{self, Choice};

/// Far more than anything here takes, and far less than the processes that must not be waited for.
const LONG: Duration = Duration::from_secs(60);

const WINDOW: u64 = 8 << 20;

fn welcomed() -> Arc<Shared<Sender>> {
    let mut session = Sender::new(SenderConfig {
        session: SessionId([1; 16]),
        purpose: Purpose::Transfer,
        lanes: 1,
        window: WINDOW,
        retry_for: Duration::ZERO,
        size: None,
    });
    session.link_up();
    let lanes = vec![Resume { offset: 0, sum: LaneDigest::default().sum() }];
    let welcome = Welcome { window: WINDOW, lanes, target: "memory".into(), free: None };
    session.handle(Message::Welcome(welcome)).unwrap();
    Arc::new(Shared::new(session))
}

/// How a session fails whose source is `choice`.
async fn failure(choice: Choice, expect: Expect) -> Failure {
    let session = welcomed();
    let started = source::prepare(choice).unwrap().start(Arc::new(|_| {})).unwrap();
    timeout(LONG, drive(started, expect, &session, &Arc::default(), &reporter())).await.expect("a source that ends");
    match session.look(|s| s.outcome().cloned()) {
        Some(Sent::Failed(failure)) => failure,
        other => panic!("not a failed session: {other:?}"),
    }
}

fn shell(script: &str) -> Choice {
    Choice::Command(["sh", "-c", script].map(Into::into).to_vec())
}

/// A script that writes an xbstream and ends inside its chunk, and then does `then`.
fn cut(dir: &tempfile::TempDir, then: &str) -> Choice {
    let chunk = encode::payload(b"a", Opening::New, 0, b"content").unwrap();
    let path = dir.path().join("stream");
    std::fs::write(&path, &chunk[..chunk.len() - 3]).unwrap();
    shell(&format!("cat '{}'; exec 1>&-; {then}", path.display()))
}

#[tokio::test]
async fn a_failed_command_is_noticed_while_a_descendant_holds_its_stdout() {
    let failure = failure(shell("echo hi; sleep 600 & exit 3"), Expect::Raw).await;
    assert_eq!((failure.cause, failure.reason.as_str()), (Cause::Source, "sh exited with status 3"));
}

#[tokio::test]
async fn a_cut_stream_is_its_own_failure_while_the_command_runs_on() {
    let dir = tempfile::tempdir().unwrap();
    let failure = failure(cut(&dir, "exec sleep 600"), Expect::Xbstream).await;
    assert_eq!(failure.cause, Cause::Integrity, "{failure}");
}

#[tokio::test]
async fn a_cut_stream_is_explained_by_the_commands_failure() {
    let dir = tempfile::tempdir().unwrap();
    let failure = failure(cut(&dir, "exit 4"), Expect::Xbstream).await;
    assert_eq!((failure.cause, failure.reason.as_str()), (Cause::Source, "sh exited with status 4"));
}

#[tokio::test]
async fn garbage_is_named_although_the_command_dies_of_it() {
    let failure = failure(shell("while echo garbage; do :; done"), Expect::Xbstream).await;
    assert_eq!(failure.cause, Cause::Integrity, "{failure}");
}
