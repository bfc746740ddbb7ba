//! Two command lines, and what they come to.

use super::*;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn wish(streams: Option<u16>, dir: Option<&str>) -> FifoWish {
    FifoWish { streams, dir: dir.map(PathBuf::from), timeout: Duration::ZERO }
}

/// What a command line comes to.
fn made(line: &str, streams: Option<u16>, dir: Option<&str>) -> Output {
    output(&words(line), &wish(streams, dir)).unwrap()
}

fn plan(streams: u16, dir: Option<&str>) -> Output {
    Output::Fifos(FifoPlan { streams, dir: dir.map(PathBuf::from), timeout: Duration::ZERO })
}

#[test]
fn either_command_line_may_ask_for_fifos() {
    let own = "sudo xtrabackup --backup --fifo_streams 3 --fifo-dir=/f";
    assert_eq!(made(own, None, None), plan(3, Some("/f")));
    assert_eq!(made(own, Some(3), Some("/f/")), plan(3, Some("/f/")));
    assert_eq!(made("xtrabackup --backup", Some(2), None), plan(2, None));
    assert_eq!(made("./wrapper", Some(2), Some("/f")), plan(2, Some("/f")));
    assert_eq!(output_of_tool(&words("--parallel=4"), &wish(Some(2), None)).unwrap(), plan(2, None));
}

#[test]
fn one_stream_is_the_standard_output() {
    for line in ["xtrabackup --backup", "xtrabackup --fifo-streams=1", "mariadb-backup --backup", "cat x"] {
        assert_eq!(made(line, None, None), Output::Stdout, "{line}");
        assert_eq!(made(line, Some(1), Some("/f")), Output::Stdout, "{line}");
    }
}

#[test]
fn the_last_of_several_counts() {
    assert_eq!(made("xtrabackup --fifo-streams=2 --fifo-streams=4", None, None), plan(4, None));
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |line, streams, dir| output(&words(line), &wish(streams, dir)).unwrap_err();
    let own = "xtrabackup --fifo-streams=3 --fifo-dir=/a";
    assert!(matches!(refused(own, Some(2), None), FifoError::Streams { ours: 2, theirs: 3 }));
    assert!(matches!(refused(own, Some(3), Some("/b")), FifoError::Dirs { .. }));
    assert!(matches!(refused("xtrabackup --fifo-streams=x", None, None), FifoError::NoNumber { .. }));
    assert!(matches!(refused("mariabackup --backup", Some(2), Some("/f")), FifoError::MariaDb));
    assert!(matches!(refused("./wrapper", Some(2), None), FifoError::NoDir));
}

#[test]
fn only_what_is_missing_is_added_and_only_for_xtrabackup() {
    let complete = |line| complete(words(line), 2, Path::new("/f"));
    assert_eq!(complete("xtrabackup --backup"), words("xtrabackup --backup --fifo-streams=2 --fifo-dir=/f"));
    assert_eq!(complete("xtrabackup --fifo-dir /f"), words("xtrabackup --fifo-dir /f --fifo-streams=2"));
    assert_eq!(complete("./wrapper --backup"), words("./wrapper --backup"));
}
