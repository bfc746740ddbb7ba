//! The CPU time of everything that has ended.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time, user and system, of all children of this process that have been waited for, and theirs.
pub(crate) fn of_ended_children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("reading /proc/self/stat")?;
    let ticks = ticks_of_children(&stat).context("/proc/self/stat is not as proc(5) says")?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Fields 16 and 17 of `stat` (proc(5)). The second field is in parentheses, and may have spaces in it.
fn ticks_of_children(stat: &str) -> Option<u64> {
    let (_, from_third) = stat.rsplit_once(") ")?;
    let mut fields = from_third.split(' ').skip(13);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fields_are_counted_from_the_end_of_the_name() {
        let stat = "1 (a ) b) S 4 5 6 7 8 9 10 11 12 13 14 15 160 17 18";
        assert_eq!(super::ticks_of_children(stat), Some(177));
        assert_eq!(super::ticks_of_children("1 (a) S 4"), None);
    }
}
