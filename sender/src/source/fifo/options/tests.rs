//! Two command lines, and what they come to.

use super::*;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn wish(streams: Option<u16>, dir: Option<&str>) -> FifoWish {
    FifoWish { streams, dir: dir.map(PathBuf::from), timeout: Duration::ZERO }
}

fn plan(streams: u16, dir: Option<&str>) -> Output {
    Output::Fifos(FifoPlan { streams, dir: dir.map(PathBuf::from), timeout: Duration::ZERO })
}

#[test]
fn either_command_line_may_ask_for_fifos() {
    let own = words("sudo xtrabackup --backup --fifo_streams 3 --fifo-dir=/f");
    assert_eq!(output(&own, &wish(None, None)), Ok(plan(3, Some("/f"))));
    assert_eq!(output(&own, &wish(Some(3), Some("/f/"))), Ok(plan(3, Some("/f/"))));
    assert_eq!(output(&words("xtrabackup --backup"), &wish(Some(2), None)), Ok(plan(2, None)));
    assert_eq!(output(&words("./wrapper"), &wish(Some(2), Some("/f"))), Ok(plan(2, Some("/f"))));
    assert_eq!(output_of_tool(&words("--parallel=4"), &wish(Some(2), None)), Ok(plan(2, None)));
}

#[test]
fn one_stream_is_the_standard_output() {
    for line in ["xtrabackup --backup", "xtrabackup --fifo-streams=1", "mariadb-backup --backup", "cat x"] {
        assert_eq!(output(&words(line), &wish(None, None)), Ok(Output::Stdout), "{line}");
        assert_eq!(output(&words(line), &wish(Some(1), Some("/f"))), Ok(Output::Stdout), "{line}");
    }
}

#[test]
fn the_last_of_several_counts() {
    let twice = words("xtrabackup --fifo-streams=2 --fifo-streams=4");
    assert_eq!(output(&twice, &wish(None, None)), Ok(plan(4, None)));
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |line, streams, dir| output(&words(line), &wish(streams, dir)).unwrap_err();
    let own = "xtrabackup --fifo-streams=3 --fifo-dir=/a";
    assert_eq!(refused(own, Some(2), None), FifoError::Streams { ours: 2, theirs: 3 });
    let dirs = FifoError::Dirs { ours: "/b".into(), theirs: "/a".into() };
    assert_eq!(refused(own, Some(3), Some("/b")), dirs);
    assert_eq!(refused("xtrabackup --fifo-streams=x", None, None), FifoError::NoNumber { told: "x".into() });
    assert_eq!(refused("mariabackup --backup", Some(2), Some("/f")), FifoError::MariaDb);
    assert_eq!(refused("./wrapper", Some(2), None), FifoError::NoDir);
}

#[test]
fn only_what_is_missing_is_added_and_only_for_xtrabackup() {
    let complete = |line| complete(words(line), 2, Path::new("/f"));
    assert_eq!(complete("xtrabackup --backup"), words("xtrabackup --backup --fifo-streams=2 --fifo-dir=/f"));
    assert_eq!(complete("xtrabackup --fifo-dir /f"), words("xtrabackup --fifo-dir /f --fifo-streams=2"));
    assert_eq!(complete("./wrapper --backup"), words("./wrapper --backup"));
}
