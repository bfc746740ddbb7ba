//! A queue and a made-up file, beside what they should come to.

use proptest::prelude::*;

use super::*;

const SLOT: usize = 8;
const SLOTS: u64 = 3;
const MEMORY: usize = 5;

fn queue() -> Queue {
    Queue::new(MEMORY, Ring::new(SLOTS, SLOT))
}

/// What writer and reader do, each one step after the other.
#[derive(Clone, Debug)]
enum Step {
    /// Puts so many bytes, or begins to write them if nothing is being written.
    Put(usize),
    /// What is being written, is, or could not be.
    Written,
    NotWritten,
    /// Takes up to so many bytes, or begins to read a slot if none is being read.
    Take(usize),
    /// What is being read has been.
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..20_usize).prop_map(Step::Put),
        3 => Just(Step::Written),
        1 => Just(Step::NotWritten),
        4 => (1..20_usize).prop_map(Step::Take),
        3 => Just(Step::Read),
    ]
}

/// A queue with a file, beside what it should come to.
struct Played {
    queue: Queue,
    file: Vec<u8>,
    /// Bytes, and the CRC of their slot.
    writing: Option<(Vec<u8>, u32)>,
    reading: Option<Stored>,
    /// What was put and not yet taken.
    model: VecDeque<u8>,
    next: u8,
}

impl Played {
    fn new() -> Played {
        Played { queue: queue(), file: Vec::new(), writing: None, reading: None, model: VecDeque::new(), next: 0 }
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Put(len) if self.writing.is_none() => self.put(*len),
            Step::Written => self.written(),
            Step::NotWritten if self.writing.take().is_some() => self.queue.ring.not_written(),
            Step::Take(len) if self.reading.is_none() => self.take(*len),
            Step::Read => self.read(),
            _ => {}
        }
        if self.queue.ring.is_idle() {
            self.file.clear();
        }
    }

    fn put(&mut self, len: usize) {
        let bytes: Vec<u8> = (0..len).map(|n| self.next.wrapping_add(n as u8)).collect();
        match self.queue.put(&bytes, Spill::Now) {
            Put::Memory(len) => self.came_in(&bytes[..len]),
            Put::Disk(place) => {
                assert!(place.len > 0 && place.offset + place.len as u64 <= SLOTS * SLOT as u64);
                self.write(place, &bytes[..place.len]);
            }
            Put::Later => panic!("it may spill"),
            // But for the slot that is being read they are full.
            Put::Full => assert!(self.model.len() > (SLOTS as usize - 1) * SLOT, "full with {:?}", self.model),
        }
    }

    /// The bytes are in the file before that is known.
    fn write(&mut self, place: Place, bytes: &[u8]) {
        let (start, end) = (place.offset as usize, place.offset as usize + bytes.len());
        self.file.resize(self.file.len().max(end), 0);
        self.file[start..end].copy_from_slice(bytes);
        let mut crc = crc32fast::Hasher::new_with_initial(place.before);
        crc.update(bytes);
        self.writing = Some((bytes.to_vec(), crc.finalize()));
    }

    fn written(&mut self) {
        if let Some((bytes, crc)) = self.writing.take() {
            self.queue.ring.written(crc);
            self.came_in(&bytes);
        }
    }

    fn take(&mut self, len: usize) {
        let mut taken = Vec::new();
        match self.queue.take(&mut (&mut taken).limit(len)) {
            Take::Memory => self.went_out(&taken),
            Take::Disk(stored) => self.reading = Some(stored),
            Take::Nothing => assert!(self.model.is_empty() || self.writing.is_some()),
            Take::End => panic!("nobody has ended it"),
        }
    }

    fn read(&mut self) {
        let Some(stored) = self.reading.take() else { return };
        let bytes = self.file[stored.offset as usize..][..stored.len].to_vec();
        assert_eq!(crc32fast::hash(&bytes), stored.crc);
        self.queue.ring.release();
        self.went_out(&bytes);
    }

    fn came_in(&mut self, bytes: &[u8]) {
        self.next = self.next.wrapping_add(bytes.len() as u8);
        self.model.extend(bytes);
    }

    fn went_out(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        assert!(self.model.drain(..bytes.len()).eq(bytes.iter().copied()), "{bytes:?} are not next");
    }
}

proptest! {
    #[test]
    fn whatever_writer_and_reader_do_the_bytes_keep_their_order(steps in prop::collection::vec(step(), 0..200)) {
        let mut played = Played::new();
        steps.iter().for_each(|step| played.play(step));
        // What is still there comes out too, and leaves nothing behind.
        played.play(&Step::Written);
        for _ in 0..200 {
            played.play(&Step::Read);
            played.play(&Step::Take(20));
        }
        prop_assert!(played.model.is_empty());
        prop_assert!(played.queue.ring.is_idle() && played.file.is_empty());
        played.queue.end();
        prop_assert_eq!(played.queue.take(&mut Vec::new()), Take::End);
    }
}

#[test]
fn the_disk_is_left_alone_while_the_window_has_room() {
    let mut queue = queue();
    assert_eq!(queue.put(b"1234567", Spill::NotYet), Put::Memory(MEMORY));
    assert_eq!(queue.put(b"67", Spill::NotYet), Put::Later);
    assert_eq!(queue.put(b"67", Spill::Now), Put::Disk(Place { offset: 0, len: 2, before: 0 }));
    queue.ring.written(0);
    // What came later must not overtake it.
    queue.take(&mut Vec::new());
    assert_eq!(queue.put(b"8", Spill::NotYet), Put::Disk(Place { offset: 2, len: 1, before: 0 }));
}

#[test]
fn the_disk_is_left_alone_while_there_is_room_in_memory() {
    let mut queue = queue();
    for _ in 0..100 {
        assert_eq!(queue.put(b"1234", Spill::Now), Put::Memory(4));
        assert_eq!(queue.take(&mut Vec::new()), Take::Memory);
    }
    assert_eq!(queue.put(b"1234567", Spill::Now), Put::Memory(MEMORY));
    assert_eq!(queue.put(b"67", Spill::Now), Put::Disk(Place { offset: 0, len: 2, before: 0 }));
}

#[test]
fn a_queue_whose_last_slot_is_full_takes_no_more() {
    let mut queue = queue();
    queue.put(&[0; MEMORY], Spill::Now);
    for slot in 0..SLOTS {
        let place = Place { offset: slot * SLOT as u64, len: SLOT, before: 0 };
        assert_eq!(queue.put(&[0; 100], Spill::Now), Put::Disk(place));
        queue.ring.written(0);
    }
    assert_eq!(queue.put(b"1", Spill::Now), Put::Full);
}

#[test]
fn small_pieces_share_a_slot() {
    let mut queue = queue();
    queue.put(&[0; MEMORY], Spill::Now);
    for (piece, offset, before) in [(&b"123"[..], 0, 0), (b"456", 3, 7), (b"789", 6, 8)] {
        let len = piece.len().min(SLOT - offset as usize);
        assert_eq!(queue.put(piece, Spill::Now), Put::Disk(Place { offset, len, before }));
        queue.ring.written(before + if before == 0 { 7 } else { 1 });
    }
    queue.take(&mut Vec::new());
    assert_eq!(queue.take(&mut Vec::new()), Take::Disk(Stored { offset: 0, len: SLOT, crc: 9 }));
}

#[test]
fn a_slot_that_is_written_to_is_not_taken() {
    let mut queue = queue();
    queue.put(&[0; MEMORY], Spill::Now);
    queue.put(b"123", Spill::Now);
    queue.ring.written(0);
    queue.take(&mut Vec::new());
    queue.put(b"456", Spill::Now);
    queue.end();
    assert_eq!(queue.take(&mut Vec::new()), Take::Nothing);
    queue.ring.not_written();
    assert_eq!(queue.take(&mut Vec::new()), Take::Disk(Stored { offset: 0, len: 3, crc: 0 }));
}
