//! How streams run and end.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::NamedTempFile;

use super::*;

/// Counts what it gets, and fails where it is told to.
#[derive(Default)]
struct Counter {
    bytes: Arc<AtomicU64>,
    fails_at: Option<u64>,
    panics: bool,
}

impl Consumer for Counter {
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError> {
        assert!(!self.panics, "on purpose");
        let taken = self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        match self.fails_at {
            Some(limit) if taken > limit => Err(LocalError::Directory { name: "a consumer".into() }),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), LocalError> {
        Ok(())
    }
}

fn file(len: u64) -> (NamedTempFile, Input) {
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len(len).unwrap();
    let input = Input::find(file.path()).unwrap();
    (file, input)
}

fn flow(input: Input, lead: Counter, beside: Vec<Counter>) -> Flow {
    let beside = beside.into_iter().map(|consumer| Box::new(consumer) as Box<dyn Consumer>).collect();
    Flow { input, lead: Box::new(lead), beside }
}

async fn run_all(flows: Vec<Flow>) -> (Result<(), LocalError>, u64) {
    let gauge = Arc::new(Gauge::default());
    let done = run(flows, &gauge, &Stop::default()).await;
    (done, gauge.sample().bytes)
}

#[tokio::test]
async fn every_consumer_gets_all_bytes_and_only_the_leads_are_counted() {
    let lengths = [0, 1, MAX_BLOCK as u64, 10 * MAX_BLOCK as u64 + 7];
    let counts: Vec<Arc<AtomicU64>> = (0..8).map(|_| Arc::default()).collect();
    let counter = |n: usize| Counter { bytes: Arc::clone(&counts[n]), ..Counter::default() };
    let (files, inputs): (Vec<_>, Vec<_>) = lengths.map(file).into_iter().unzip();
    let flows = inputs.into_iter().enumerate().map(|(n, input)| flow(input, counter(n), vec![counter(n + 4)]));
    let (done, counted) = run_all(flows.collect()).await;
    done.unwrap();
    drop(files);
    let taken: Vec<u64> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    assert_eq!(taken, [lengths, lengths].concat());
    assert_eq!(counted, lengths.iter().sum::<u64>());
}

#[tokio::test]
async fn the_first_error_ends_all_streams() {
    let (reader, mut endless) = std::io::pipe().unwrap();
    endless.write_all(b"and no end").unwrap();
    let waiting = Input::of_test(std::fs::File::from(OwnedFd::from(reader)));
    let (_file, input) = file(20 * MAX_BLOCK as u64);
    let failing = Counter { fails_at: Some(3 * MAX_BLOCK as u64), ..Counter::default() };
    let flows = vec![flow(waiting, Counter::default(), vec![]), flow(input, Counter::default(), vec![failing])];
    let (done, counted) = run_all(flows).await;
    assert!(matches!(done, Err(LocalError::Directory { .. })), "{done:?}");
    assert!(counted < 20 * MAX_BLOCK as u64, "{counted} bytes were taken after the end");
    drop(endless);
}

#[tokio::test]
async fn a_stop_ends_what_waits_for_a_writer() {
    let (reader, endless) = std::io::pipe().unwrap();
    let waiting = Input::of_test(std::fs::File::from(OwnedFd::from(reader)));
    let (gauge, stop) = (Arc::default(), Stop::default());
    let flows = vec![flow(waiting, Counter::default(), vec![])];
    let stopping = async {
        tokio::task::yield_now().await;
        stop.raise();
    };
    let (done, ()) = tokio::join!(run(flows, &gauge, &stop), stopping);
    assert!(matches!(done, Err(LocalError::Interrupted)), "{done:?}");
    drop(endless);
}

#[tokio::test]
async fn a_consumer_that_panics_is_an_error() {
    let (_file, input) = file(100);
    let flows = vec![flow(input, Counter::default(), vec![Counter { panics: true, ..Counter::default() }])];
    let (done, _) = run_all(flows).await;
    assert!(matches!(done, Err(LocalError::Panicked(_))), "{done:?}");
}
