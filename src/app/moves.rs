//! What became of the version a draft stands on, noted as it happens: steps back in its texts need to know.

use super::App;
use super::tab::{Sent, Tab, Tried};
use crate::twin::patch::{self, Write};
use crate::twin::{Etag, Json, JsonMap, Twin};
use std::sync::Arc;

impl App {
    /// Looks what every draft stands on now.
    pub(super) fn see_bases(&mut self) {
        for tab in &mut self.tabs {
            if let Some(draft) = &tab.draft {
                tab.moves.see(&draft.base);
            }
        }
    }
}

impl Tab {
    /// The version with an etag that a write goes over: the hub's newest where the person was shown it, else the draft's base. Two
    /// lives of an id may have the same etag.
    pub(super) fn version_of(&self, etag: &Etag, tried: Tried) -> Option<Arc<Twin>> {
        let moved = self.moved.as_ref().map(|moved| &moved.theirs);
        // While something is undecided the base has the old etag, with what is decided in it.
        let base = self.draft.as_ref().map(|draft| &draft.base);
        let (first, second) = match tried {
            Tried::Merged | Tried::Overwrite => (moved, base),
            Tried::Save | Tried::Replace => (base, moved),
        };
        first.into_iter().chain(second).find(|twin| twin.etag == *etag).cloned()
    }

    /// A save was taken: what it changed in the version it went over is one's own, and all else is not.
    pub(super) fn saw_saved(&mut self, sent: &Sent) {
        let Some(over) = &sent.over else { return };
        let (body, write) = (&sent.outgoing.body, sent.outgoing.write);
        let desired = body.get("properties").and_then(|properties| properties.get("desired"));
        let mut after = (**over).clone();
        write_section(&mut after.desired.values, desired, write);
        write_section(&mut after.tags, body.get("tags"), write);
        self.moves.saved(over, &Arc::new(after));
    }
}

fn write_section(section: &mut JsonMap, body: Option<&Json>, write: Write) {
    let body = body.and_then(Json::as_object);
    match write {
        Write::Patch => patch::apply(section, body.unwrap_or(&JsonMap::new())),
        Write::Replace => *section = body.cloned().unwrap_or_default(),
    }
}
