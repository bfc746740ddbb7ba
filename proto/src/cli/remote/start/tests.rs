//! Programs that do as a shell script says in the place of ssh. The clock is paused: it jumps as soon as all that is left
//! to do is to wait.

use super::*;
use crate::cli::event::{Face, Moment};
use crate::cli::reporter::Verbosity;
use crate::cli::style::Screen;
use crate::key::Key;

struct Silent;

impl Face for Silent {
    fn show(&mut self, _: Moment, _: &Event) {}
}

/// How starting a receiver ends, when `script` is run for ssh.
async fn started(script: &str) -> Result<Listening, Failure> {
    start(script).await.map(|(_, listening)| listening)
}

async fn start(script: &str) -> Result<(Far, Listening), Failure> {
    let words = ["sh", "-c", script, "ssh"].map(str::to_owned).to_vec();
    let ssh = Ssh { words, login: "db7".parse().unwrap(), remote_path: "xbrecv".into() };
    let orders = Orders { key: Key::new([7; 16]), arguments: Vec::new() };
    let mut requests = Requests::listen(Party::Sender, None).unwrap();
    let reporter = Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal);
    Far::start(ssh, Party::Receiver, &orders, Duration::ZERO, &mut requests, &reporter).await
}

#[tokio::test(start_paused = true)]
async fn a_program_that_says_nothing_is_not_waited_for_for_ever() {
    let begun = Instant::now();
    let failure = started("exec sleep 1000").await.unwrap_err();
    assert_eq!(failure.cause, Cause::PeerLost);
    assert!(failure.reason.starts_with("xbrecv on db7 did not listen within 2m00s"), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
}

/// What a receiver says that listens on port 7000.
const LISTENS: &str = r#"{"v":1,"program":"xbrecv","event":"reachable","addresses":["0.0.0.0:7000"]}"#;

#[tokio::test]
async fn the_name_is_the_one_of_the_configuration_and_the_port_the_one_that_is_told() {
    let script =
        format!("case $* in *-G*) echo hostname db7.example.com; exit;; esac; echo Welcome; echo '{LISTENS}' >&2; cat");
    let listening = started(&script).await.unwrap();
    assert_eq!((listening.host.as_str(), listening.label.as_str(), listening.port()), ("db7.example.com", "db7", 7000));
}

#[tokio::test]
async fn the_end_of_ssh_is_noticed_though_something_holds_its_pipes() {
    let failure = started("case $* in *-G*) exit;; esac; echo no such key >&2; sleep 1000 & echo $! >&2; exit 255")
        .await
        .unwrap_err();
    assert!(failure.reason.starts_with("ssh could not connect to db7: "), "{failure}");
    // What it left running is not ours to end, but this test's.
    let pid = failure
        .reason
        .split([' ', ';'])
        .filter_map(|word| word.parse().ok())
        .next()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn whoever_asks_for_the_end_does_not_wait_for_an_ssh_that_stays() {
    let script = format!("case $* in *-G*) exit;; esac; echo '{LISTENS}' >&2; exec sleep 1000");
    let (mut far, _) = start(&script).await.unwrap();
    tokio::time::pause();
    let begun = Instant::now();
    let mut requests = Requests::listen(Party::Sender, Some(Duration::from_secs(1))).unwrap();
    far.end(Duration::from_secs(100), &mut requests).await;
    assert!(requests.asked().is_some());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
