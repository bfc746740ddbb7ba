//! Whole sources into a session whose receiver has said `Welcome` and nothing more.

use xbproto::lane::LaneDigest;
use xbproto::quantity::ByteSize;
use xbproto::session::{SenderConfig, Sent};
use xbproto::wire::{Message, Purpose, Resume, SessionId, Welcome};
use xbproto::xbstream::{Opening, encode};

use super::*;
use crate::silent::reporter;
use crate::source::{self, Choice, OnNote, Output};
use crate::spool::SpoolPlan;

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

/// How a session fails whose source is `choice`, without a spool and with one.
async fn failures(choice: Choice, expect: Expect) -> [Failure; 2] {
    [failure_with(choice.clone(), expect, None).await, failure_with(choice, expect, Some(&spool())).await]
}

fn spool() -> Spool {
    Spool::prepare(SpoolPlan { dir: std::env::temp_dir(), size: ByteSize(32 << 20) }).unwrap()
}

async fn failure_with(choice: Choice, expect: Expect, spool: Option<&Spool>) -> Failure {
    let session = welcomed();
    let started = source::prepare(choice, OnNote::default()).unwrap().start(Arc::new(|_| {})).unwrap();
    let (gauge, reporter) = (Arc::default(), reporter());
    let driven = drive(started, expect, spool, &session, &gauge, &reporter);
    timeout(LONG, driven).await.expect("a source that ends");
    match session.look(|s| s.outcome().cloned()) {
        Some(Sent::Failed(failure)) => failure,
        other => panic!("not a failed session: {other:?}"),
    }
}

fn shell(script: &str) -> Choice {
    Choice::Command(["sh", "-c", script].map(Into::into).to_vec(), Output::Stdout)
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
    for failure in failures(shell("echo hi; sleep 600 & exit 3"), Expect::Raw).await {
        assert_eq!((failure.cause, failure.reason.as_str()), (Cause::Source, "sh exited with status 3"));
    }
}

#[tokio::test]
async fn a_cut_stream_is_its_own_failure_while_the_command_runs_on() {
    let dir = tempfile::tempdir().unwrap();
    for failure in failures(cut(&dir, "exec sleep 600"), Expect::Xbstream).await {
        assert_eq!(failure.cause, Cause::Integrity, "{failure}");
    }
}

#[tokio::test]
async fn a_cut_stream_is_explained_by_the_commands_failure() {
    let dir = tempfile::tempdir().unwrap();
    for failure in failures(cut(&dir, "exit 4"), Expect::Xbstream).await {
        assert_eq!((failure.cause, failure.reason.as_str()), (Cause::Source, "sh exited with status 4"));
    }
}

#[tokio::test]
async fn garbage_is_named_although_the_command_dies_of_it() {
    for failure in failures(shell("while echo garbage; do :; done"), Expect::Xbstream).await {
        assert_eq!(failure.cause, Cause::Integrity, "{failure}");
    }
}

/// The receiver takes nothing, and what is wrong lies far behind what the window holds.
#[tokio::test]
async fn a_bad_stream_is_noticed_behind_all_that_is_spooled() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stream");
    let chunk = |n| encode::payload(b"a", Opening::New, n << 20, &[7; 1 << 20]).unwrap();
    std::fs::write(&path, (0..WINDOW >> 19).flat_map(chunk).collect::<Vec<u8>>()).unwrap();
    let source = shell(&format!("cat '{}'; echo garbage; exec sleep 600", path.display()));
    let failure = failure_with(source, Expect::Xbstream, Some(&spool())).await;
    assert_eq!(failure.cause, Cause::Integrity, "{failure}");
}

#[tokio::test]
async fn a_session_that_is_over_ends_a_source_that_waits_for_its_spool() {
    let (session, spool) = (welcomed(), spool());
    let started =
        source::prepare(shell("exec cat /dev/zero"), OnNote::default()).unwrap().start(Arc::new(|_| {})).unwrap();
    let over = async {
        while spool.gauge().queued() < spool.gauge().limit() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        session.change(|s| s.fail(Failure::new(Cause::Interrupted, Party::Sender, "enough")));
    };
    let (gauge, reporter) = (Arc::default(), reporter());
    let driven = drive(started, Expect::Raw, Some(&spool), &session, &gauge, &reporter);
    timeout(LONG, async { tokio::join!(driven, over) }).await.expect("a source that ends");
    assert_eq!(Arc::strong_count(&session), 1, "a thread is left");
}
