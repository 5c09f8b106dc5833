//! What is to be kept as soon as that is possible: the newest of each key.

use super::{Item, Writes};
use crate::local_hub::registry::Kept;
use crate::twin::TwinId;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Owed {
    identities: BTreeMap<TwinId, Kept>,
    items: BTreeMap<String, Option<Vec<u8>>>,
}

impl Owed {
    pub fn add(&mut self, writes: Writes) {
        self.identities.extend(writes.identities);
        self.items.extend(writes.items.into_iter().map(|Item { key, value }| (key, value)));
    }

    pub fn writes(&self) -> Writes {
        Writes {
            identities: self.identities.iter().map(|(id, kept)| (id.clone(), kept.clone())).collect(),
            items: self.items.iter().map(|(key, value)| Item { key: key.clone(), value: value.clone() }).collect(),
        }
    }
}
