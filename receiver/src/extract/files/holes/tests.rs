use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

const PAGE: usize = 16 << 10;
const BLOCK: usize = 4096;

/// A page whose first `len` bytes are not zero, of this type.
fn page(kind: u16, len: usize) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    page[..len].fill(7);
    page[24..26].copy_from_slice(&kind.to_be_bytes());
    page
}

/// A tablespace with these flags, whose first page is full.
fn space(flags: u32, pages: &[Vec<u8>]) -> Vec<u8> {
    let mut first = page(8, PAGE);
    first[54..58].copy_from_slice(&flags.to_be_bytes());
    [&[first], pages].concat().concat()
}

/// What is written of a file that comes in pieces of these sizes: its blocks of 4 KiB, and its content.
fn thinned(file: &[u8], sizes: impl Iterator<Item = usize>) -> (Vec<bool>, Vec<u8>) {
    let mut thinning = Thinning::new();
    let mut blocks = vec![false; file.len().div_ceil(BLOCK)];
    let mut disk = vec![0; file.len()];
    let mut at = 0;
    for size in sizes {
        let piece = &file[at..(at + size).min(file.len())];
        let Ok(()) = thinning.put(at as u64, piece, |offset, bytes| {
            let offset = usize::try_from(offset).unwrap();
            disk[offset..offset + bytes.len()].copy_from_slice(bytes);
            blocks[offset / BLOCK..=(offset + bytes.len() - 1) / BLOCK].fill(true);
            Ok::<(), Infallible>(())
        });
        at += piece.len();
        if at == file.len() {
            break;
        }
    }
    (blocks, disk)
}

fn blocks(file: &[u8]) -> Vec<bool> {
    thinned(file, std::iter::repeat(10 << 20)).0
}

#[test]
fn each_compressed_page_of_mysql_has_its_hole() {
    let file = space(0x4021, &[page(14, 5000), page(17855, 100), page(16, 4096), page(14, PAGE)]);
    let expected = [
        [true; 4],
        [true, true, false, false],
        // A normal page keeps its zeros.
        [true; 4],
        [true, false, false, false],
        [true; 4],
    ];
    assert_eq!(blocks(&file), expected.concat());
}

#[test]
fn a_compressed_tablespace_of_mariadb_has_holes_in_all_pages() {
    // The last is one that could not be compressed: zeros inside of it are no hole.
    let mut full = page(17855, 100);
    full[PAGE - 1] = 1;
    let pages = [page(34_354, 300), vec![0; PAGE], page(17855, 4097), full];
    // As up to 10.4, and with full_crc32: 16 KiB, compressed with zlib.
    for flags in [1 << 16, 0x10 | 5 | 1 << 5] {
        let expected = [[true; 4], [true, false, false, false], [false; 4], [true, true, false, false], [true; 4]];
        assert_eq!(blocks(&space(flags, &pages)), expected.concat(), "{flags:x}");
    }
}

#[test]
fn other_page_sizes_are_understood() {
    let pages = [page(14, 100), page(14, 100)].concat();
    // 8 KiB: the second half of each of ours is a page of type 0.
    let file = space(4 << 6, &[pages]);
    assert_eq!(blocks(&file)[4..], [true, false, true, true, true, false, true, true]);
}

#[test]
fn nothing_else_is_thinned() {
    assert!(Thinning::may_be_for(b"shop/t.ibd") && !Thinning::may_be_for(b"mysql/slow_log.CSV"));
    let file = space(0x4021, &[vec![0; PAGE], page(17855, 100)]);
    assert_eq!(blocks(&file), [true; 12]);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        kinds in prop::collection::vec((prop_oneof![Just(14_u16), Just(17_855)], 40_usize..PAGE), 0..6),
        flags in prop_oneof![Just(0x4021_u32), Just(1 << 16), Just(0x35)],
        sizes in prop::collection::vec(prop_oneof![1_usize..40, 1_usize..20_000], 1..9),
    ) {
        let pages: Vec<Vec<u8>> = kinds.into_iter().map(|(kind, len)| page(kind, len)).collect();
        let file = space(flags, &pages);
        let whole = thinned(&file, std::iter::repeat(file.len()));
        let pieces = thinned(&file, sizes.into_iter().cycle());
        prop_assert!(pieces.1 == file);
        prop_assert_eq!(pieces.0, whole.0);
    }
}

/// Where pieces may lie that no server writes: from and to any place in a page.
#[test]
fn zeros_of_one_page_are_not_written_over_another() {
    let pages = [page(14, PAGE), page(14, 5000), page(8, PAGE), page(14, PAGE)];
    let file = space(0x4021, &pages);
    // All but the first byte of the third page and of the fourth.
    let pieces = [0..3 * PAGE, 3 * PAGE + 1..4 * PAGE, 4 * PAGE + 1..5 * PAGE];
    expect_content(&file, &pieces);
}

/// These pieces of `file` are on the disk, and zeros between them.
fn expect_content(file: &[u8], pieces: &[std::ops::Range<usize>]) {
    let (mut thinning, mut disk, mut expected) = (Thinning::new(), vec![0; file.len()], vec![0; file.len()]);
    for piece in pieces {
        expected[piece.clone()].copy_from_slice(&file[piece.clone()]);
        let Ok(()) = thinning.put(piece.start as u64, &file[piece.clone()], |offset, bytes| {
            let offset = usize::try_from(offset).unwrap();
            disk[offset..offset + bytes.len()].copy_from_slice(bytes);
            Ok::<(), Infallible>(())
        });
    }
    assert!(disk == expected);
}

proptest! {
    #[test]
    fn gaps_make_no_difference(
        kinds in prop::collection::vec((prop_oneof![Just(14_u16), Just(17_855)], 40_usize..PAGE), 3..6),
        flags in prop_oneof![Just(0x4021_u32), Just(1 << 16), Just(0x35)],
        steps in prop::collection::vec((prop_oneof![Just(0_usize), 1_usize..40, 1_usize..20_000], 1_usize..20_000), 1..20),
    ) {
        let pages: Vec<Vec<u8>> = kinds.into_iter().map(|(kind, len)| page(kind, len)).collect();
        let (file, mut at, mut pieces) = (space(flags, &pages), 0, Vec::new());
        for (skip, len) in steps {
            let start = (at + skip).min(file.len());
            at = (start + len).min(file.len());
            pieces.push(start..at);
        }
        expect_content(&file, &pieces);
    }
}
