//! Files, FIFOs and pipes, read as a pump does.

use std::io::Write;

use tokio::io::AsyncReadExt;
use xbproto::failure::Cause;

use super::*;

fn open_one(path: &Path) -> Result<(Started, Option<u64>), SourceError> {
    open(&[Origin::File(path.into())], Lead::SyncByte, &OnNote::default())
}

fn from_pipe(reader: io::PipeReader) -> (Started, Option<u64>) {
    let Opened { lane, input, length } = opened(reader.into(), "-".into(), None).unwrap();
    (Started { lanes: vec![lane], ending: Ending(Kind::Inputs(Inputs(vec![input]))) }, length)
}

async fn read(started: &mut Started) -> Vec<u8> {
    let mut all = Vec::new();
    started.lanes.remove(0).open().unwrap().read_to_end(&mut all).await.unwrap();
    all
}

#[tokio::test]
async fn a_file_knows_its_length_and_ends_well() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"backup").unwrap();
    let (mut started, length) = open_one(file.path()).unwrap();
    assert_eq!((length, length_of_file(file.path()).unwrap()), (Some(6), Some(6)));
    assert_eq!(started.names(), [file.path().to_str().unwrap()]);
    assert_eq!(read(&mut started).await, b"backup");
    started.ending.verdict().await.unwrap();
    started.ending.verdict().await.unwrap();
}

#[tokio::test]
async fn the_length_counts_from_where_the_file_stands() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"header and body").unwrap();
    file.seek(io::SeekFrom::Start(11)).unwrap();
    assert_eq!(opened(file.into(), "-".into(), None).unwrap().length, Some(4));
}

#[tokio::test]
async fn an_empty_stdin_is_a_failed_source_that_names_the_cure() {
    let (reader, _) = io::pipe().unwrap();
    let (mut started, length) = from_pipe(reader);
    assert_eq!((length, started.names()), (None, vec!["-".to_owned()]));
    assert_eq!(read(&mut started).await, b"");
    let error = started.ending.verdict().await.unwrap_err();
    assert_eq!(error.cause(), Cause::Source);
    let said = "stdin was empty; name the backup command after `--`, so that its failure is seen";
    assert_eq!(error.to_string(), said);
}

#[tokio::test]
async fn a_reader_dropped_before_the_end_is_no_good_ending() {
    let (reader, writer) = io::pipe().unwrap();
    let (mut started, _) = from_pipe(reader);
    (&writer).write_all(b"half").unwrap();
    let mut lane = started.lanes.remove(0).open().unwrap();
    lane.read_exact(&mut [0; 4]).await.unwrap();
    drop(lane);
    assert_eq!(started.ending.verdict().await.unwrap_err().to_string(), "stdin was not read to its end");
}

#[tokio::test]
async fn a_fifo_waits_for_its_first_writer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let (mut started, _) = open_one(&path).unwrap();
    let writing = tokio::spawn(async move {
        tokio::task::yield_now().await;
        tokio::task::spawn_blocking(move || std::fs::write(path, "late")).await.unwrap()
    });
    assert_eq!(read(&mut started).await, b"late");
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn several_are_lanes_in_order_and_not_all_of_them_may_be_empty() {
    let dir = tempfile::tempdir().unwrap();
    let origin = |name: &str, content: &str| {
        std::fs::write(dir.path().join(name), content).unwrap();
        Origin::File(dir.path().join(name))
    };
    let origins = [origin("b", "first"), origin("c", ""), origin("a", "third")];
    assert_eq!(length(&origins).unwrap(), Some(10));
    let (mut started, total) = open(&origins, Lead::SyncByte, &OnNote::default()).unwrap();
    assert_eq!(total, Some(10));
    for expected in [b"first".as_slice(), b"", b"third"] {
        assert_eq!(read(&mut started).await, expected);
    }
    started.ending.verdict().await.unwrap();

    let (mut started, _) = open(&[origin("c", ""), origin("d", "")], Lead::SyncByte, &OnNote::default()).unwrap();
    for _ in 0..2 {
        read(&mut started).await;
    }
    let error = started.ending.verdict().await.unwrap_err().to_string();
    assert!(error.contains("/c, ") && error.contains("/d was empty"), "{error}");
}

#[tokio::test]
async fn a_length_that_is_not_known_makes_the_sum_unknown() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "known").unwrap();
    let origins = [Origin::File(file.path().into()), Origin::File("/dev/null".into())];
    assert_eq!(length(&origins).unwrap(), None);
    assert_eq!(open(&origins, Lead::SyncByte, &OnNote::default()).unwrap().1, None);
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    for (path, said) in [("/", "opening /: is a directory"), ("/no/such", "opening /no/such: No such file")] {
        let error = open_one(Path::new(path)).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(error.cause(), Cause::Source);
    }
}
