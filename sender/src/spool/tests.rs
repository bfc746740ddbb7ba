//! Both ends of a spool, and what it tells, over real files.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};
use xbproto::cli::{Event, Face, Moment, Screen, Verbosity};

use super::*;

/// What was told.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Face for Heard {
    fn show(&mut self, _: Moment, event: &Event) {
        if let Event::Warning(text) | Event::Detail(text) = event {
            self.0.lock().unwrap().push(text.clone());
        }
    }
}

impl Heard {
    fn reporter(&self) -> Reporter {
        Reporter::with_face(Box::new(self.clone()), Screen::Elsewhere, Verbosity::Verbose)
    }

    /// Everything, when nothing more is told.
    fn all(self, reporter: Reporter) -> Vec<String> {
        reporter.finish();
        self.0.lock().unwrap().clone()
    }
}

/// So many bytes, none like its neighbours.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes()[3]).collect()
}

fn spool(slots: usize) -> Spool {
    Spool::prepare(SpoolPlan { dir: std::env::temp_dir(), size: ByteSize((slots * SLOT) as u64) }).unwrap()
}

async fn read_all(mut outlet: Outlet) -> Vec<u8> {
    let mut all = Vec::new();
    outlet.read_to_end(&mut all).await.unwrap();
    all
}

/// A window that takes nothing.
async fn full_window() {}

#[tokio::test(start_paused = true)]
async fn a_window_that_has_room_costs_neither_disk_nor_time() {
    let (heard, sent, spool) = (Heard::default(), bytes(5 * MEMORY), spool(4));
    let reporter = heard.reporter();
    let (mut inlet, outlet) = spool.lane(1, &reporter).unwrap();
    let put = async {
        inlet.put(&sent, std::future::pending::<()>).await;
        inlet.end();
    };
    let begun = Instant::now();
    let ((), read) = tokio::join!(put, read_all(outlet));
    assert!(read == sent);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(heard.all(reporter), Vec::<String>::new());
}

#[tokio::test]
async fn what_memory_does_not_hold_is_on_the_disk_and_counted() {
    let (heard, sent, spool) = (Heard::default(), bytes(MEMORY + 3 * SLOT + 17), spool(8));
    let reporter = heard.reporter();
    let (mut inlet, outlet) = spool.lane(1, &reporter).unwrap();
    for piece in sent.chunks(100_000) {
        inlet.put(piece, full_window).await;
    }
    inlet.end();
    let gauge = spool.gauge();
    assert_eq!((gauge.queued(), gauge.limit()), (3 * SLOT as u64 + 17, 8 * SLOT as u64));
    assert!(read_all(outlet).await == sent);
    assert_eq!(gauge.queued(), 0);
    let dir = std::env::temp_dir();
    let told = [
        format!("the link takes less than the source gives: spooling to {}", dir.display()),
        format!("the spool in {} has run empty", dir.display()),
    ];
    assert_eq!(heard.all(reporter), told);
}

#[tokio::test]
async fn a_full_spool_holds_up_the_source_and_says_so_once() {
    let (heard, sent, spool) = (Heard::default(), bytes(MEMORY + 20 * SLOT), spool(2));
    let reporter = heard.reporter();
    let (mut inlet, outlet) = spool.lane(1, &reporter).unwrap();
    let put = async {
        inlet.put(&sent, full_window).await;
        inlet.end();
    };
    let ((), read) = tokio::join!(put, read_all(outlet));
    assert!(read == sent);
    let said = format!("the spool of 2.0 MiB in {} is full, the source waits", std::env::temp_dir().display());
    assert_eq!(heard.all(reporter).iter().filter(|told| **told == said).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn room_is_taken_as_soon_as_it_is_there() {
    let (sent, spool) = (bytes(MEMORY + 3 * SLOT), spool(2));
    let (mut inlet, mut outlet) = spool.lane(1, &crate::silent::reporter()).unwrap();
    let mut room = vec![0; MEMORY];
    let read = async {
        outlet.read_exact(&mut room).await.unwrap();
        // There is room in memory now, but not behind what is on the disk.
        tokio::task::yield_now().await;
        outlet.read_exact(&mut room[..SLOT]).await.unwrap();
    };
    let begun = Instant::now();
    tokio::join!(biased; inlet.put(&sent, full_window), read);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn threads_may_put_and_read_at_once() {
    let (sent, spool) = (bytes(40 * SLOT), spool(3));
    let expected = sent.clone();
    let (mut inlet, outlet) = spool.lane(1, &crate::silent::reporter()).unwrap();
    let putting = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for piece in sent.chunks(77_777) {
                inlet.put(piece, full_window).await;
            }
        });
        inlet.end();
    });
    assert!(read_all(outlet).await == expected);
    putting.join().unwrap();
}

/// The ends of a queue of four slots over this file.
fn over(file: File, spool: &Spool, reporter: &Reporter) -> (Inlet, Outlet) {
    let (dir, queue) = (PathBuf::from("/dev"), Queue::new(MEMORY, Ring::new(4, SLOT)));
    let store = Store { dir: dir.clone(), file };
    let lane = Arc::new(Lane::new(dir, store, queue, spool.gauge(), reporter.clone()));
    (Inlet::new(lane.clone()), Outlet::new(lane))
}

#[tokio::test]
async fn space_is_given_back_as_the_queue_shrinks() {
    let (sent, spool, file) = (bytes(MEMORY + 4 * SLOT), spool(4), tempfile::tempfile().unwrap());
    let (mut inlet, mut outlet) = over(file.try_clone().unwrap(), &spool, &crate::silent::reporter());
    inlet.put(&sent, full_window).await;
    let used = || file.metadata().unwrap().blocks();
    let full = used();
    outlet.read_exact(&mut vec![0; MEMORY + SLOT]).await.unwrap();
    assert!(used() < full, "{} blocks of {full}", used());
    outlet.read_exact(&mut vec![0; 3 * SLOT]).await.unwrap();
    assert_eq!(file.metadata().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_no_more_holds_up_the_source_and_says_so_once() {
    let (heard, spool) = (Heard::default(), spool(4));
    let reporter = heard.reporter();
    let file = File::options().read(true).write(true).open("/dev/full").unwrap();
    let (mut inlet, mut outlet) = over(file, &spool, &reporter);
    let sent = bytes(MEMORY + SLOT);
    let mut put = Box::pin(inlet.put(&sent, full_window));
    assert!(timeout(Duration::from_secs(600), &mut put).await.is_err(), "there is no room");
    let mut read = vec![0; sent.len()];
    let ((), _) = tokio::join!(put, async { outlet.read_exact(&mut read).await.unwrap() });
    assert!(read == sent);
    let told = heard.all(reporter);
    assert_eq!(
        told,
        ["the spool in /dev takes no more: No space left on device (os error 28); 0 B are queued, the source waits"]
    );
}

#[tokio::test]
async fn lanes_share_alike() {
    let (sent, spool) = (bytes((MEMORY + 4 * SLOT) / 2), spool(4));
    let lanes = [0, 1].map(|_| spool.lane(2, &crate::silent::reporter()).unwrap());
    for (mut inlet, outlet) in lanes {
        let room = timeout(Duration::from_secs(60), inlet.put(&sent, full_window)).await;
        assert!(room.is_ok(), "half of everything is not enough for a half");
        drop(outlet);
    }
    assert_eq!(spool.gauge().queued(), 4 * SLOT as u64);
}
