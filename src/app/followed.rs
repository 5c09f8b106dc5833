//! What others changed and the text took over by itself, as far as it still stands there.

use super::Moment;
use crate::twin::Section;
use crate::twin::diff::Change;
use crate::twin::draft::Draft;

/// Changes of others that went into the text by themselves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Followed {
    /// The twin's version that brought the newest, and when that was seen.
    pub version: u64,
    pub at: Moment,
    /// All of them, whatever was typed since: a step back may bring one back.
    changes: Vec<(Section, Change)>,
    /// Those the text has at the moment.
    pub there: Vec<(Section, Change)>,
}

impl Followed {
    /// Of several changes of one path the text before the first and the value after the last are told.
    pub(super) fn take(&mut self, version: u64, at: Moment, taken: Vec<(Section, Change)>) {
        (self.at, self.version) = (at, version);
        for (section, change) in taken {
            let same = self.changes.iter_mut().find(|(s, before)| *s == section && before.path == change.path);
            match same {
                Some((_, before)) => before.after = change.after,
                None => self.changes.push((section, change)),
            }
        }
    }

    /// Those nobody typed over since. Of a text that does not parse nothing else is known.
    pub(super) fn standing(&self, draft: &Draft) -> Vec<(Section, Change)> {
        let stands = |(section, change): &&(Section, Change)| {
            let document = draft.section(*section).parsed.document.as_ref();
            document.is_none_or(|mine| change.path.find(mine) == change.after.as_ref())
        };
        self.changes.iter().filter(stands).cloned().collect()
    }

    /// The text changed; one that is not read yet says nothing new.
    pub(super) fn look_at(&mut self, draft: &Draft) {
        if !draft.is_pending() {
            self.there = self.standing(draft);
        }
    }
}
