//! The list of devices and, under them, their modules; what of it the filter lets through.

use super::Remote;
use crate::query::ItemType;
use crate::twin::{ConnectionState, Json, TwinId};
use crate::worker::Failure;
use crate::worker::event::{DeviceRow, ModuleRow};
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
    /// Why the text is no query, and where (byte range); computed when the text changes.
    pub problem: Option<crate::query::QueryError>,
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

    /// The connection state last heard of an identity, if the list has it.
    pub fn connection_of(&self, id: &TwinId) -> Option<ConnectionState> {
        let _ = id;
        todo!()
    }

    /// Recomputes [`Self::visible`]. Case-insensitive: every word of the filter must occur in the id of the device, or of one of its loaded modules.
    pub fn refresh_visible(&mut self) {
        todo!()
    }

    /// Ids that fit a fuzzy pattern, best first, recent ones first among equals; at most `limit`.
    #[must_use]
    pub fn go_to(&self, pattern: &str, recent: &[TwinId], limit: usize) -> Vec<TwinId> {
        let _ = (pattern, recent, limit);
        todo!()
    }

    /// Why the list could not be loaded.
    pub fn failure(&self) -> Option<&Failure> {
        self.state.failure()
    }
}
