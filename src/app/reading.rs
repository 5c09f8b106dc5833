//! A large text is read in the background while somebody types: one reading at a time for each text, then one of the newest.
//!
//! Until its answer is here a draft knows what its text was, not what it is. So the drafts are settled, at the one place where
//! actions and news come in, before anything but typing looks at one.

use super::tab::Tab;
use super::tree::Face;
use super::{Action, App, Purpose};
use crate::twin::{Section, TwinId};
use crate::worker::event::Outcome;
use crate::worker::{Command, Event, Fact, Key};

impl App {
    /// Takes a text that was typed.
    pub(super) fn edit(&mut self, id: &TwinId, section: Section, text: String) -> Vec<Command> {
        // An act in the tree is no keystroke, and the next one starts from the rows it leads to.
        let face = self.tab(id).map(|tab| tab.face);
        self.with_draft(id, |draft| match face {
            Some(Face::Tree) => draft.set_text(section, text),
            _ => draft.type_text(section, text),
        });
        self.ask_to_read(id, section)
    }

    /// Has the text of a section read, unless one of it is being read.
    fn ask_to_read(&mut self, id: &TwinId, section: Section) -> Vec<Command> {
        let asked = (id.clone(), section);
        if section == Section::Reported || self.readings.values().any(|reading| *reading == asked) {
            return Vec::new();
        }
        let draft = self.tab(id).and_then(|tab| tab.draft.as_ref());
        let Some(reading) = draft.and_then(|draft| draft.unread(section)) else { return Vec::new() };
        let key = self.next_key();
        self.readings.insert(key, asked);
        vec![Command::ReadText { key, reading: Box::new(reading) }]
    }

    /// A reading ended. Where the text was changed meanwhile the answer is dropped, and the text as it is now is read.
    pub(super) fn settle_reading(&mut self, id: &TwinId, section: Section, event: Event) -> Vec<Command> {
        match event {
            Event::Done { outcome: Ok(Outcome::TextRead(read)), .. } => {
                if let Some(tab) = self.tab_mut(id)
                    && let Some(draft) = &mut tab.draft
                    && draft.take_read(section, *read)
                {
                    tab.compare_with_hub();
                }
            }
            // Nobody else will.
            _ => self.settle_drafts(),
        }
        self.ask_to_read(id, section)
    }

    /// Whether an action looks at no more of a draft than its letters.
    pub(super) fn is_typing(action: &Action) -> bool {
        matches!(action, Action::Edit { .. })
    }

    /// Whether news are about no twin that is open.
    pub(super) fn is_apart(&self, event: &Event) -> bool {
        match event {
            Event::Fact(fact) => matches!(
                fact,
                Fact::Requests(_) | Fact::FleetPage { .. } | Fact::HubEvents { .. } | Fact::EventsFailed { .. }
            ),
            Event::Done { key, .. } => self.running.get(key).is_some_and(|running| {
                matches!(running.purpose, Purpose::Fleet | Purpose::Modules(_) | Purpose::Query | Purpose::Faults)
            }),
        }
    }

    /// Reads what is not read yet: from here on every draft knows its text.
    pub(super) fn settle_drafts(&mut self) {
        self.tabs.iter_mut().for_each(Tab::settle);
    }

    /// The text this answer is about, if it ends a reading.
    pub(super) fn end_reading(&mut self, key: Key) -> Option<(TwinId, Section)> {
        self.readings.remove(&key)
    }
}

impl Tab {
    fn settle(&mut self) {
        if let Some(draft) = &mut self.draft
            && draft.settle()
        {
            self.compare_with_hub();
        }
    }
}
