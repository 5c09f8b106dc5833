//! Where a person was: the tab in front, its section, and which devices are unfolded; kept per hub, back at the next start.

use super::tab::Pane;
use super::tree::Face;
use super::update::hub_word;
use super::{App, HubState};
use crate::disk::Places;
use crate::twin::TwinId;
use crate::worker::Command;
use std::collections::BTreeMap;

/// Unfolded devices that are kept, of each hub: each costs a request at the next start.
const UNFOLDED_MAX: usize = 50;

/// Sections by the words they are kept under.
const PANES: [(Pane, &str); 9] = [
    (Pane::Desired, "desired"),
    (Pane::Reported, "reported"),
    (Pane::Tags, "tags"),
    (Pane::Document, "document"),
    (Pane::Identity, "identity"),
    (Pane::Methods, "methods"),
    (Pane::Messages, "messages"),
    (Pane::History, "history"),
    (Pane::Compare, "compare"),
];

fn word(pane: Pane) -> &'static str {
    PANES.iter().find(|(known, _)| *known == pane).map_or("desired", |(_, word)| word)
}

impl App {
    /// What the settings must be told, if anything.
    pub(super) fn keep_places(&mut self) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let hub = hub_word(&info.hub);
        let usual = |tab: &&super::Tab| tab.pane != Pane::default() || tab.face != Face::default();
        let sections = self.tabs.iter().filter(usual).map(|tab| {
            let tree = if tab.face == Face::Tree { " tree" } else { "" };
            (tab.title(), format!("{}{tree}", word(tab.pane)))
        });
        let places = Places {
            active: self.active_tab().map(super::Tab::title),
            sections: sections.collect::<BTreeMap<_, _>>(),
            unfolded: self.fleet.expanded.iter().take(UNFOLDED_MAX).cloned().collect(),
        };
        if self.settings.places.get(&hub).cloned().unwrap_or_default() == places {
            return Vec::new();
        }
        self.settings.places.insert(hub, places);
        self.keep_settings()
    }

    /// The tabs of this hub are open again: each as it was left.
    pub(super) fn take_places(&mut self, places: &Places) -> Vec<Command> {
        let mut commands = Vec::new();
        for device in places.unfolded.iter().take(UNFOLDED_MAX).filter(|device| TwinId::check(device).is_ok()) {
            if self.fleet.expanded.insert(device.clone()) {
                commands.extend(self.load_modules(device.clone()));
            }
        }
        for (title, section) in &places.sections {
            let Some(id) = title.parse::<TwinId>().ok().filter(|id| self.tab(id).is_some()) else { continue };
            let (section, tree) =
                section.strip_suffix(" tree").map_or((section.as_str(), false), |section| (section, true));
            if tree {
                commands.extend(self.show_face(&id, Face::Tree));
            }
            if let Some((pane, _)) = PANES.iter().find(|(_, word)| *word == section) {
                commands.extend(self.update(self.now, super::Action::ShowPane(id, *pane)));
            }
        }
        let active = places.active.as_ref().and_then(|title| title.parse::<TwinId>().ok());
        if let Some(index) = active.and_then(|id| self.tabs.iter().position(|tab| tab.id == id)) {
            commands.extend(self.select_tab(index));
        }
        commands
    }
}
