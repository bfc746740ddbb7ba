//! What is measured, and what it has to show.

use crate::extent::Extent;
use crate::group::{Group, Row};
use crate::peer::{Mbstream, Mbuffer, Nc, Ours, Recipe, Socat, Ssh, To, TwoPasses, Unpack};
use crate::scenery::{Link, Place};
use crate::source::Source;
use crate::streams::Stream;
use crate::target::{Bound, Figure, Target};

/// All groups, the short ones first.
pub(crate) fn groups(extent: &Extent) -> Vec<Group> {
    let mut groups =
        vec![nowhere(), file(), extracted(), small_files(), wire("veth-1500", 1500), wire("veth-9000", 9000)];
    groups.extend([unpacked(), unpacked_small(), decompressed(ZSTD), decompressed(LZ4), qpress()]);
    groups.extend([compressed(), narrow(), pieces(), fair(extent)]);
    groups.extend(LONG.map(|(name, link)| long(name, link, extent)));
    for group in &mut groups {
        group.targets.push(Target { figure: Figure::Memory, bound: Bound::AtMost(200.0) });
    }
    groups
}

/// Loss-free, and long.
const CLEAN: Link = Link { round_trip: 50, rate: 500, loss: 0.0 };

/// One packet in a thousand.
const LOSSY: Link = Link { round_trip: 50, rate: 500, loss: 0.1 };

/// One packet in a hundred.
const BAD: Link = Link { round_trip: 100, rate: 200, loss: 1.0 };

/// Short, for a long link, and wide.
const WIDE: Link = Link { round_trip: 20, rate: 1000, loss: 0.0 };

const LONG: [(&str, Link); 4] = [("50ms", CLEAN), ("50ms-lossy", LOSSY), ("100ms-bad", BAD), ("20ms-wide", WIDE)];

fn ours(name: &'static str) -> Row {
    Row::new(name, Ours::default())
}

fn sending(name: &'static str, options: &'static str) -> Row {
    Row::new(name, Ours { sending: options, receiving: "" })
}

fn rate(row: &'static str, other: &'static str, least: f64) -> Target {
    Target { figure: Figure::Rate(row, other), bound: Bound::AtLeast(least) }
}

/// Every peer at its best.
fn nowhere() -> Group {
    let rows = vec![
        Row::new("nc", Nc),
        Row::new("recipe", Recipe),
        Row::new("mbuffer", Mbuffer),
        Row::new("socat TLS", Socat),
        Row::new("ssh", Ssh(None)),
        Row::new("ssh aes128-gcm", Ssh(Some("aes128-gcm@openssh.com"))),
        ours("ours"),
        sending("ours, 2 links", "--links=2"),
    ];
    let targets = vec![rate("ours", "nc", 0.5)];
    Group { name: "null", place: Place::Loopback, stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

/// Ours synced and committed, the peers as people run them: without a sync.
fn file() -> Group {
    let rows = vec![
        Row::new("recipe", Recipe),
        Row::new("nc", Nc),
        Row::new("mbuffer", Mbuffer),
        Row::new("socat TLS", Socat),
        Row::new("ssh", Ssh(None)),
        ours("ours"),
        Row::new("ours, --no-direct", Ours { sending: "", receiving: "--no-direct" }),
    ];
    let cpu = Target { figure: Figure::Cpu("ours", "recipe"), bound: Bound::AtMost(0.333) };
    let targets = vec![rate("ours", "recipe", 3.5), cpu];
    Group { name: "file", place: Place::Loopback, stream: Stream::Backup, to: To::File, rows, targets }
}

/// The same, unpacked.
fn extracted() -> Group {
    let rows = vec![Row::new("recipe", Recipe), Row::new("nc", Nc), Row::new("ssh", Ssh(None)), ours("ours")];
    let targets = vec![rate("ours", "recipe", 4.5)];
    Group { name: "extract", place: Place::Loopback, stream: Stream::Backup, to: To::Folder, rows, targets }
}

/// From the network, unpacked and synced, against a stream that is there, unpacked and not synced.
fn small_files() -> Group {
    let rows = vec![Row::new("mbstream, local", Mbstream), sending("ours", "--expect=xbstream")];
    let targets = vec![rate("ours", "mbstream, local", 1.0)];
    Group { name: "small-files", place: Place::Loopback, stream: Stream::SmallFiles, to: To::Folder, rows, targets }
}

/// A stored stream, unpacked: ours synced, `mbstream` not.
fn unpacked() -> Group {
    let rows = vec![
        Row::new("mbstream", Mbstream),
        Row::new("ours", Unpack("")),
        Row::new("ours, 1 thread", Unpack("--parallel=1")),
        Row::new("ours, with a manifest", Unpack("--manifest=$DIR/sums-$RANDOM$RANDOM")),
    ];
    let (place, targets) = (Place::Loopback, vec![rate("ours", "mbstream", 1.0)]);
    Group { name: "unpack", place, stream: Stream::Backup, to: To::Folder, rows, targets }
}

/// The same, with nothing but small files.
fn unpacked_small() -> Group {
    let rows = vec![Row::new("mbstream", Mbstream), Row::new("ours", Unpack("--expect=xbstream"))];
    let (place, targets) = (Place::Loopback, Vec::new());
    Group { name: "unpack-small", place, stream: Stream::SmallFiles, to: To::Folder, rows, targets }
}

/// A codec, and who undoes it today.
type Codec = (&'static str, Stream, TwoPasses);

const ZSTD: Codec = ("unpack-zst", Stream::Zstd, TwoPasses { program: "zstd -d -q --rm", suffix: ".zst" });
const LZ4: Codec = ("unpack-lz4", Stream::Lz4, TwoPasses { program: "lz4 -d -q -m --rm", suffix: ".lz4" });

/// A stored stream of compressed files, in one pass against two.
fn decompressed((name, stream, today): Codec) -> Group {
    let rows = vec![Row::new("two passes", today), Row::new("ours", Unpack("--decompress"))];
    let targets = vec![rate("ours", "two passes", 1.0)];
    Group { name, place: Place::Loopback, stream, to: To::Folder, rows, targets }
}

/// The same of a tool that few systems have any more.
fn qpress() -> Group {
    let rows = vec![Row::new("mbstream, left compressed", Mbstream), Row::new("ours", Unpack("--decompress"))];
    let (place, targets) = (Place::Loopback, Vec::new());
    Group { name: "unpack-qp", place, stream: Stream::Qpress, to: To::Folder, rows, targets }
}

/// Two hosts at one switch.
fn wire(name: &'static str, mtu: u16) -> Group {
    let rows = vec![
        Row::new("nc", Nc),
        Row::new("recipe", Recipe),
        Row::new("socat TLS", Socat),
        ours("ours"),
        sending("ours, 2 links", "--links=2"),
    ];
    let targets = if mtu == 1500 { vec![rate("ours", "nc", 0.8)] } else { Vec::new() };
    Group { name, place: Place::Veth(mtu), stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

/// Compression where nobody needs it.
fn compressed() -> Group {
    let rows = vec![ours("ours"), sending("ours, compressed", "--compress=auto")];
    let targets = vec![rate("ours, compressed", "ours", 0.9)];
    Group { name: "compress", place: Place::Loopback, stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

/// Compression where it helps.
fn narrow() -> Group {
    let link = Link { round_trip: 10, rate: 100, loss: 0.0 };
    let rows = vec![Row::new("nc", Nc), ours("ours"), sending("ours, compressed", "--compress=auto")];
    let targets = vec![rate("ours, compressed", "nc", 1.8)];
    Group { name: "narrow", place: Place::Long(link), stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

/// A source that hands out little at a time, on a link that holds much.
fn pieces() -> Group {
    let link = Link { round_trip: 100, rate: 500, loss: 0.0 };
    let rows = vec![ours("ours, a file"), ours("ours, 64 KiB at a time").from(Source::Pieces)];
    let targets = vec![rate("ours, 64 KiB at a time", "ours, a file", 0.95)];
    Group { name: "pieces", place: Place::Long(link), stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

/// Ours beside one flow of TCP.
fn fair(extent: &Extent) -> Group {
    let source = Source::Lasting(extent.lasting);
    let rows = vec![
        sending("ours beside nc", "--raw").from(source).beside(Nc),
        Row::new("nc beside nc", Nc).from(source).beside(Nc),
    ];
    let targets = vec![Target { figure: Figure::Share("ours beside nc"), bound: Bound::Between(30.0, 70.0) }];
    Group { name: "fair", place: Place::Long(CLEAN), stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

/// Transfers that last, so that their beginning does not count.
fn long(name: &'static str, link: Link, extent: &Extent) -> Group {
    let rows = vec![
        Row::new("nc, cubic", Nc),
        Row::new("nc, bbr", Nc).over("bbr"),
        Row::new("ssh, cubic", Ssh(None)),
        Row::new("ssh, bbr", Ssh(None)).over("bbr"),
        sending("ours", "--raw"),
        sending("ours, 2 links", "--raw --links=2"),
    ];
    let rows = rows.into_iter().map(|row| row.from(Source::Lasting(extent.lasting))).collect();
    let targets = long_targets(link);
    Group { name, place: Place::Long(link), stream: Stream::Backup, to: To::Nowhere, rows, targets }
}

fn long_targets(link: Link) -> Vec<Target> {
    let of_link = |least| Target { figure: Figure::LinkUse("ours", link), bound: Bound::AtLeast(least) };
    let mut targets = match link {
        LOSSY => vec![of_link(85.0), rate("ours", "nc, cubic", 25.0), rate("ours", "nc, bbr", 1.0)],
        BAD => vec![of_link(80.0)],
        _ => Vec::new(),
    };
    targets.push(Target { figure: Figure::Wasted("ours"), bound: Bound::AtMost(3.0) });
    targets
}
