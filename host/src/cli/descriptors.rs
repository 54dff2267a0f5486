//! The number of connections that the limit of open files allows. Each connection takes a descriptor; so do databases,
//! programs that compile, and requests of plugins.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything but connections: two for each request in progress, one for each request of a plugin, and
/// a reserve.
const OTHERS: u64 = 320;

/// Returns how many of `wanted` connections the limit of open files has room for, next to everything else. Raises the
/// soft limit of this process as far as needed and allowed. Warns if the room is less than wanted.
pub(super) fn connections(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let soft = limit.current.unwrap_or(u64::MAX);
    let raised = needed.min(limit.maximum.unwrap_or(u64::MAX)).max(soft);
    let soft = if raised == soft {
        soft
    } else {
        let raising = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit });
        if raising.is_ok() { raised } else { soft }
    };
    let room = within(wanted, soft);
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            descriptors = soft,
            "the limit of open files leaves room for fewer connections: raise it, as with `ulimit -n`"
        );
    }
    room
}

/// Returns how many of `wanted` connections `descriptors` have room for, at least one. Keeps [`OTHERS`] descriptors for
/// everything else, but at most half of them.
fn within(wanted: usize, descriptors: u64) -> usize {
    let room = descriptors - OTHERS.min(descriptors / 2);
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_room_for_everything_else() {
        let found = [0, 1, 64, 256, 640, 1024, 1344, 1_048_576, u64::MAX].map(|descriptors| within(1024, descriptors));
        assert_eq!(found, [1, 1, 32, 128, 320, 704, 1024, 1024, 1024]);
    }
}
