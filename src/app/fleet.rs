//! The list of devices and, under them, their modules; what of it the filter lets through.

use super::Remote;
use crate::query::ItemType;
use crate::twin::{ConnectionState, Json, TwinId};
use crate::worker::Failure;
use crate::worker::event::{DeviceRow, ModuleRow};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The devices of the open hub.
#[derive(Debug, Default)]
pub struct Fleet {
    /// In order of id. Grows page by page while loading.
    pub devices: Vec<DeviceRow>,
    /// Progress of the listing: the value is the number of devices.
    pub state: Remote<usize>,
    /// Modules per device, where they were asked for.
    pub modules: BTreeMap<String, Remote<Vec<ModuleRow>>>,
    pub expanded: BTreeSet<String>,
    pub filter: String,
    /// What the list shows, top to bottom; recomputed when something it depends on changes, never in a frame.
    pub visible: Vec<Row>,
    /// Devices among `visible`.
    pub matching: usize,
    pub query: QueryState,
    /// Rows of a refresh that is not whole yet.
    incoming: Vec<DeviceRow>,
    /// It was said that the list is not whole.
    pub(super) told_incomplete: bool,
    /// Nothing was listed before: rows are shown as they come.
    first_listing: bool,
}

/// One line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Index into `devices`.
    Device(usize),
    /// Index into `devices`, then into its modules.
    Module(usize, usize),
    /// The modules of this device are loading, empty or failed: a line that says so.
    Note(usize),
}

/// The Query tab of the fleet panel.
#[derive(Debug, Default)]
pub struct QueryState {
    pub text: String,
    /// Why the text was not sent to the local hub, and where (byte range).
    pub problem: Option<crate::query::QueryError>,
    /// What this program does not understand of a query that was sent to a hub other than its own; that hub decides.
    pub doubt: Option<crate::query::QueryError>,
    pub answer: Remote<Arc<QueryAnswer>>,
}

/// What a query brought.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryAnswer {
    pub item_type: ItemType,
    pub rows: Vec<Json>,
    /// There was more than was asked for.
    pub more: bool,
    pub ms: u64,
}

impl Fleet {
    /// The modules of a device if they have been loaded.
    pub fn modules_of(&self, device: &str) -> Option<&[ModuleRow]> {
        self.modules.get(device).and_then(|remote| remote.value()).map(Vec::as_slice)
    }

    /// The row of a device, if the list has it.
    pub fn device(&self, id: &str) -> Option<&DeviceRow> {
        let index = self.devices.binary_search_by(|row| row.id.as_str().cmp(id)).ok()?;
        self.devices.get(index)
    }

    /// The connection state last heard of an identity, if the list has it.
    pub fn connection_of(&self, id: &TwinId) -> Option<ConnectionState> {
        if id.module.is_none() {
            return Some(self.device(&id.device)?.connection_state);
        }
        self.modules_of(&id.device)?.iter().find(|row| row.id == *id).map(|row| row.connection_state)
    }

    /// Recomputes [`Self::visible`]. Case-insensitive: every word of the filter must occur in the id of the device, or of
    /// one of its loaded modules.
    pub fn refresh_visible(&mut self) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        self.visible.clear();
        self.matching = 0;
        for index in 0..self.devices.len() {
            self.show_device(index, &words);
        }
    }

    fn show_device(&mut self, index: usize, words: &[String]) {
        let device = &self.devices[index].id;
        let modules = self.modules.get(device);
        let loaded = modules.and_then(Remote::value).map_or(&[][..], Vec::as_slice);
        let hit = |text: &str| words.iter().all(|word| contains_ignoring_case(text, word));
        let device_hit = words.is_empty() || hit(device);
        let module_hit = |row: &ModuleRow| hit(&row.id.to_string());
        if !device_hit && !loaded.iter().any(module_hit) {
            return;
        }
        self.matching += 1;
        self.visible.push(Row::Device(index));
        // A module that fits the filter is shown even under a closed device: it is why the device is here.
        let open = self.expanded.contains(device);
        for (n, row) in loaded.iter().enumerate() {
            if (open && device_hit) || (!device_hit && module_hit(row)) {
                self.visible.push(Row::Module(index, n));
            }
        }
        if open && loaded.is_empty() {
            self.visible.push(Row::Note(index));
        }
    }

    /// Takes a page of the listing. While the first listing runs its rows are shown as they come; a refresh is collected
    /// aside and takes the place of the old list when it is whole.
    pub(super) fn take_page(&mut self, rows: Vec<DeviceRow>) {
        if self.first_listing {
            let grown_from = self.devices.len();
            let in_order = rows.first().is_none_or(|row| self.devices.last().is_none_or(|last| last.id < row.id))
                && rows.is_sorted_by(|a, b| a.id < b.id);
            self.devices.extend(rows);
            if !in_order {
                self.devices.sort_by(|a, b| a.id.cmp(&b.id));
                self.devices.dedup_by(|a, b| a.id == b.id);
            }
            if in_order && self.filter.is_empty() && self.expanded.is_empty() {
                self.visible.extend((grown_from..self.devices.len()).map(Row::Device));
                self.matching = self.devices.len();
            } else {
                self.refresh_visible();
            }
        } else {
            self.incoming.extend(rows);
        }
    }

    /// The listing is whole (or as whole as it gets): a refresh is shown now.
    pub(super) fn finish_listing(&mut self) {
        if !self.first_listing {
            self.devices = std::mem::take(&mut self.incoming);
            self.devices.sort_by(|a, b| a.id.cmp(&b.id));
            self.devices.dedup_by(|a, b| a.id == b.id);
        }
        self.first_listing = false;
        // Modules go with their device.
        let devices = &self.devices;
        let listed = |id: &String| devices.binary_search_by(|row| row.id.cmp(id)).is_ok();
        self.modules.retain(|device, _| listed(device));
        self.refresh_visible();
    }

    /// A listing begins.
    pub(super) fn begin_listing(&mut self) {
        self.incoming.clear();
        self.first_listing = self.devices.is_empty() || self.first_listing;
        if self.first_listing {
            self.devices.clear();
            self.visible.clear();
            self.matching = 0;
        }
    }

    /// Puts a device into its place, or updates it.
    pub(super) fn put_device(&mut self, row: DeviceRow) {
        match self.devices.binary_search_by(|have| have.id.cmp(&row.id)) {
            Ok(index) => self.devices[index] = row,
            Err(index) => self.devices.insert(index, row),
        }
        self.refresh_visible();
    }

    /// Forgets an identity that was deleted.
    pub(super) fn remove(&mut self, id: &TwinId) {
        if id.module.is_none() {
            self.devices.retain(|row| row.id != id.device);
            self.modules.remove(&id.device);
            self.expanded.remove(&id.device);
        } else if let Some(Remote::Ready { value, .. }) = self.modules.get_mut(&id.device) {
            value.retain(|row| row.id != *id);
        }
        self.refresh_visible();
    }

    /// What a twin that was just read says of its identity; repaints nothing when nothing changed.
    pub(super) fn note(&mut self, id: &TwinId, state: ConnectionState, status: Option<crate::twin::Status>) {
        if id.module.is_none() {
            if let Ok(index) = self.devices.binary_search_by(|row| row.id.as_str().cmp(&id.device)) {
                self.devices[index].connection_state = state;
                if let Some(status) = status {
                    self.devices[index].status = status;
                }
            }
        } else if let Some(Remote::Ready { value, .. }) = self.modules.get_mut(&id.device)
            && let Some(row) = value.iter_mut().find(|row| row.id == *id)
        {
            row.connection_state = state;
        }
    }

    /// Ids that fit a fuzzy pattern, best first; with an empty pattern the recent ones, then the list. At most `limit`.
    #[must_use]
    pub fn go_to(&self, pattern: &str, recent: &[TwinId], limit: usize) -> Vec<TwinId> {
        let modules = self.modules.values().filter_map(Remote::value).flatten().map(|row| row.id.clone());
        let devices = self.devices.iter().map(|row| TwinId::device(row.id.clone()));
        if pattern.trim().is_empty() {
            let others = devices.take(limit).filter(|id| !recent.contains(id));
            return recent.iter().cloned().chain(others).take(limit).collect();
        }
        let typed = self.module_as_typed(pattern.trim());
        let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
        let pattern = Pattern::parse(pattern, CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let known: BTreeSet<TwinId> = recent.iter().cloned().chain(modules).collect();
        let rest = devices.filter(|id| !known.contains(id));
        let mut scored: Vec<(u32, usize, TwinId)> = known
            .iter()
            .cloned()
            .chain(rest)
            .filter_map(|id| {
                let text = id.to_string();
                let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
                let age = recent.iter().position(|have| *have == id).unwrap_or(recent.len());
                Some((score, age, id))
            })
            .collect();
        scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut ids: Vec<TwinId> = scored.into_iter().take(limit).map(|(_, _, id)| id).collect();
        if let Some(typed) = typed.filter(|typed| !ids.contains(typed)) {
            ids.truncate(limit.saturating_sub(1));
            ids.push(typed);
        }
        ids
    }

    /// The modules of a device are known once it was unfolded: `device/module` typed in full may be one of the others.
    fn module_as_typed(&self, text: &str) -> Option<TwinId> {
        let id: TwinId = text.parse().ok()?;
        (id.module.is_some() && self.devices.iter().any(|row| row.id == id.device)).then_some(id)
    }

    /// Why the list could not be loaded.
    pub fn failure(&self) -> Option<&Failure> {
        self.state.failure()
    }
}

/// Whether `text` contains `word` (already in lower case), ignoring ASCII case. Ids are ASCII.
fn contains_ignoring_case(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    word.is_empty() || text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}
