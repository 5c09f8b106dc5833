//! A version of the past in words: by what way it was seen, how much it changed, what was not seen before it.

use super::when;
use crate::disk::journal::{Changed, Entry, Seen};

/// What stands between a version and the one before it.
pub(super) fn gap_words(entry: &Entry) -> Option<String> {
    match entry.unseen {
        Some(0) => None,
        Some(1) => Some("1 version not seen".to_owned()),
        Some(n) => Some(format!("{} versions not seen", when::grouped(usize::try_from(n).unwrap_or(usize::MAX)))),
        None => Some("deleted and made again".to_owned()),
    }
}

/// The same where there is little room.
pub(super) fn short_source(seen: Seen) -> &'static str {
    match seen {
        Seen::Watch => "watched",
        Seen::Event => "by event",
        Seen::Load | Seen::Save => source(seen),
    }
}

/// By what way a version was seen.
pub(super) fn source(seen: Seen) -> &'static str {
    match seen {
        Seen::Load => "loaded",
        Seen::Save => "saved here",
        Seen::Watch => "seen by the watch",
        Seen::Event => "told by an event",
    }
}

pub(super) fn changed_words(changed: Option<Changed>) -> String {
    match changed {
        None => "first one seen".to_owned(),
        Some(changed) => match changed.total() {
            0 => "nothing changed".to_owned(),
            n => format!("{} changed", when::count(n, "path")),
        },
    }
}
