//! Any bytes as the path of a file in a backup, held against what the standard library makes of it; and as a whole stream,
//! held against a model.

mod model;
mod whole;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use xbproto::xbstream::{Item, STAGING_PREFIX, StreamPath};

use super::naming::path::{MAX_NAME, SafePath, Trailing, make_safe};

pub use whole::extraction;

/// Judges `bytes` as a path. One that is taken has become the names of which it consists, none of which leads elsewhere or
/// is ours, and stays below any directory it is joined to; one that is refused is not such a path.
///
/// # Panics
///
/// If one of these does not hold.
pub fn path(bytes: &[u8]) {
    let given = StreamPath(bytes.into());
    for trailing in [Trailing::Refused, Trailing::Allowed] {
        match SafePath::parse(&given, trailing) {
            Ok(safe) => stays_below(bytes, &safe),
            Err(_) => assert!(!is_harmless(bytes, trailing), "why not?"),
        }
    }
    every_item_agrees(&given);
}

fn stays_below(bytes: &[u8], safe: &SafePath) {
    let (names, path) = (names(bytes).expect("only names"), safe.as_path());
    assert_eq!(path.as_os_str().as_bytes(), names.join(&b'/'), "one spelling");
    assert!(path.components().all(|part| matches!(part, Component::Normal(name) if name.len() <= MAX_NAME)));
    assert!(!bytes.contains(&0) && !names[0].starts_with(STAGING_PREFIX.as_bytes()));
    let folder = Path::new("/target/folder");
    assert_eq!(folder.join(path).strip_prefix(folder), Ok(path));
    assert_eq!(folder.join(path).components().count(), folder.components().count() + names.len());
    assert_eq!((safe.parent().join(safe.name()).as_path(), safe.name().as_bytes()), (path, names[names.len() - 1]));
    assert_eq!(SafePath::parse(&safe.clone().into_stream(), Trailing::Refused).as_ref(), Ok(safe), "as it is now");
}

/// Whether there is nothing wrong with a path, as far as the standard library can tell.
fn is_harmless(bytes: &[u8], trailing: Trailing) -> bool {
    let names_a_directory = bytes.ends_with(b"/") || bytes.ends_with(b"/.");
    let fits = |names: Vec<&[u8]>| {
        let ours = names.first().is_none_or(|first| first.starts_with(STAGING_PREFIX.as_bytes()));
        !ours && names.iter().all(|name| name.len() <= MAX_NAME)
    };
    let may_end_so = trailing == Trailing::Allowed || !names_a_directory;
    may_end_so && !bytes.contains(&0) && names(bytes).is_some_and(fits)
}

/// The names a path leads through, if it leads only downwards.
fn names(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let parts = Path::new(OsStr::from_bytes(bytes)).components().filter(|part| *part != Component::CurDir);
    let name = |part| match part {
        Component::Normal(name) => Some(name.as_bytes()),
        _ => None,
    };
    parts.map(name).collect()
}

fn every_item_agrees(given: &StreamPath) {
    let (path, good) = (|| given.clone(), || StreamPath::from("good"));
    let file = SafePath::parse(given, Trailing::Refused).map(SafePath::into_stream);
    let renamed = |from, to| Item::Rename { from, to };
    for (mut item, safe) in [
        (Item::End { path: path() }, file.clone().map(|path| Item::End { path })),
        (Item::Seek { path: path(), offset: 1 }, file.clone().map(|path| Item::Seek { path, offset: 1 })),
        (renamed(path(), good()), file.clone().map(|from| renamed(from, good()))),
        (renamed(good(), path()), file.map(|to| renamed(good(), to))),
    ] {
        assert_eq!(make_safe(&mut item).map(|()| item), safe);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        // Few orders but for payloads and ends, so that many a stream is right.
        #[test]
        fn any_orders_are_followed(
            orders in prop::collection::vec(
                (prop_oneof![6 => 0_u8..8, 1 => 8_u8..13, 1 => 0x80_u8..0x90], 0_u8..20, any::<u8>(), any::<u8>(), 0_u8..0xD0),
                0..30,
            ),
        ) {
            let orders = orders.into_iter().flat_map(|(what, name, other, len, kind)| [what, name, other, len, kind]);
            super::extraction(&orders.collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            super::path(&bytes);
        }

        #[test]
        fn any_path_is_judged(path in r"(\.xbrecv-)?[a./\x00]{0,12}(a{254,257})?[a./]{0,4}") {
            super::path(path.as_bytes());
        }
    }
}
