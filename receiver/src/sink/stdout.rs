//! `--stdout`: the stream goes to whoever reads our standard output.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;

use bytes::Bytes;
use xbproto::lane::{LaneDigest, LaneId};

use super::{Admission, Again, Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};
use crate::disk::DiskError;

const NAME: &str = "standard output";

/// Our standard output. What becomes of the bytes behind it is not known, so nothing here is ever durable. Writes
/// block as long as the reader does, because its open file description is not ours alone.
#[derive(Debug)]
pub struct StdoutSink {
    out: Option<OwnedFd>,
}

impl StdoutSink {
    /// Takes over `out`, a duplicate of standard output.
    pub fn new(out: OwnedFd) -> StdoutSink {
        StdoutSink { out: Some(out) }
    }
}

impl Sink for StdoutSink {
    fn left(&self) -> String {
        "nothing but the bytes that were handed to standard output, which are no backup".to_owned()
    }

    fn again(&self) -> Again {
        Again::Impossible
    }

    fn admission(&self) -> Admission {
        Admission::one_stream(NAME)
    }

    fn lane(&mut self, lane: LaneId, _from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        match self.out.take() {
            Some(out) => Ok(Box::new(StdoutLane { out: out.into() })),
            None => Err(SinkError::OneLane { lane, target: NAME.into() }),
        }
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn commit(&mut self, _sums: &[LaneSum]) -> Result<Reached, SinkError> {
        Ok(Reached::HandedToStdout)
    }

    fn abandon(&mut self) {}

    fn interrupter(&self) -> Interrupter {
        Interrupter::default()
    }

    fn target(&self) -> Target {
        Target { describe: NAME.into(), free: None }
    }
}

struct StdoutLane {
    out: File,
}

impl LaneSink for StdoutLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        self.out.write_all(bytes).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => SinkError::ReaderGone { target: NAME.into() },
            _ => DiskError::new("writing", NAME, error).into(),
        })?;
        Ok(())
    }

    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        Ok(written.len())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::journal::sample::digest;

    #[test]
    fn bytes_pass_in_order() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut sink = StdoutSink::new(writer.into());
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        lane.write(&Bytes::from_static(b"ab")).unwrap();
        lane.write(&Bytes::from_static(b"c")).unwrap();
        assert_eq!(lane.durable(&digest(b"abc")).unwrap(), 3);
        lane.finish().unwrap();
        drop(lane);
        assert_eq!(sink.commit(&[]).unwrap(), Reached::HandedToStdout);
        let mut got = String::new();
        reader.read_to_string(&mut got).unwrap();
        assert_eq!(got, "abc");
    }

    #[test]
    fn a_reader_that_left_is_named() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut lane = StdoutSink::new(writer.into()).lane(LaneId(0), &LaneDigest::default()).unwrap();
        let error = lane.write(&Bytes::from_static(b"ab")).unwrap_err();
        assert_eq!(error.to_string(), "writing standard output: its reader went away before the end of the backup");
    }

    #[test]
    fn a_second_lane_is_refused() {
        let mut sink = StdoutSink::new(tempfile::tempfile().unwrap().into());
        sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        assert!(matches!(
            sink.lane(LaneId(1), &LaneDigest::default()),
            Err(SinkError::OneLane { lane: LaneId(1), .. })
        ));
    }
}
