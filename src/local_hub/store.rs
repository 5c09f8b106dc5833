//! Keeps the registry in a file that survives a pulled plug: redb, one record per identity, a transaction per group of writes.

use super::FleetChoice;
use super::commit::{Item, Writes};
use super::policies::Policies;
use super::registry::{Kept, Record, Registry, Synthetic};
use crate::twin::{Json, TwinId};
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use std::collections::BTreeMap;
use std::path::Path;

/// `device` or `device/module` to the record as JSON; empty for a synthetic device that was deleted.
const IDENTITIES: TableDefinition<&str, &[u8]> = TableDefinition::new("identities");
/// What is kept beside identities; see [`Item`].
const ITEMS: TableDefinition<&str, &[u8]> = TableDefinition::new("items");
/// What concerns the whole hub: `format`, `fleet` (a word of [`fleet_word`]), `policies`, `synthetic`.
const HUB: TableDefinition<&str, &[u8]> = TableDefinition::new("hub");
/// Goes up when an older program could not read the file any more.
const FORMAT: &[u8] = b"1";
const FILE: &str = "hub.redb";

/// An open data file; no other process can open it meanwhile.
pub struct Store {
    database: Database,
}

/// What a hub needs to go on where it was.
pub struct Loaded {
    /// What it was founded with.
    pub fleet: FleetChoice,
    pub policies: Policies,
    pub registry: Registry,
    pub items: Items,
}

/// What was kept beside identities, by key.
pub type Items = BTreeMap<String, Vec<u8>>;

/// A store just opened: fresh, or with what it holds.
pub enum Opened {
    /// Nothing in it yet; [`Store::found`] makes it a hub's.
    Fresh(Store),
    Kept(Store, Box<Loaded>),
}

impl Store {
    /// Opens or makes the file in `dir`.
    ///
    /// # Errors
    /// A sentence: another process has it open, it is damaged, of a newer program, or not accessible.
    pub fn open(dir: &Path) -> Result<Opened, String> {
        std::fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        let file = dir.join(FILE);
        let database = Database::create(&file).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => {
                "another hub is running on it: stop that one, or choose another folder".to_owned()
            }
            other => format!("{FILE}: {other}"),
        })?;
        super::certs::owner_only(&file).map_err(|error| error.to_string())?;
        let store = Self { database };
        match store.load().map_err(|reason| format!("{FILE}: {reason}"))? {
            Some(loaded) => Ok(Opened::Kept(store, Box::new(loaded))),
            None => Ok(Opened::Fresh(store)),
        }
    }

    /// Writes everything of a new hub in one transaction: after a crash it is there whole, or the file is fresh still.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn found<'a>(
        &mut self,
        fleet: FleetChoice,
        policies: &Policies,
        synthetic: &Synthetic,
        identities: impl Iterator<Item = &'a (TwinId, Kept)>,
    ) -> Result<(), String> {
        let synthetic = serde_json::json!({
            "count": synthetic.count,
            "seed": synthetic.seed.to_vec(),
            "created": synthetic.created_s,
        });
        self.transaction(|tables| {
            let hub = &mut tables.hub;
            hub.insert("format", FORMAT)?;
            hub.insert("fleet", fleet_word(fleet).as_bytes())?;
            hub.insert("policies", policies.to_json().to_string().as_bytes())?;
            hub.insert("synthetic", synthetic.to_string().as_bytes())?;
            put(&mut tables.identities, identities)
        })
    }

    /// Keeps a group of writes. When this returns, they survive a pulled plug.
    ///
    /// # Errors
    /// When the file cannot be written; then none of them is kept.
    pub fn commit(&mut self, group: &[&Writes]) -> Result<(), String> {
        self.transaction(|tables| {
            put(&mut tables.identities, group.iter().flat_map(|writes| &writes.identities))?;
            put_items(&mut tables.items, group.iter().flat_map(|writes| &writes.items))
        })
    }

    fn transaction(&mut self, work: impl FnOnce(&mut Tables<'_>) -> Result<(), redb::Error>) -> Result<(), String> {
        let run = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                work(&mut Tables {
                    hub: transaction.open_table(HUB)?,
                    identities: transaction.open_table(IDENTITIES)?,
                    items: transaction.open_table(ITEMS)?,
                })?;
            }
            transaction.commit()?;
            Ok(())
        };
        run().map_err(|error| error.to_string())
    }

    fn load(&self) -> Result<Option<Loaded>, String> {
        let text = |error: redb::Error| error.to_string();
        let transaction = self.database.begin_read().map_err(|error| text(error.into()))?;
        let hub = match transaction.open_table(HUB) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(text(error.into())),
        };
        let value = |key: &str| -> Result<Vec<u8>, String> {
            let value = hub.get(key).map_err(|error| text(error.into()))?;
            value.map(|value| value.value().to_vec()).ok_or_else(|| format!("it lacks {key}"))
        };
        if value("format")? != FORMAT {
            return Err("it was written by a newer program".to_owned());
        }
        let json = |key: &str| -> Result<Json, String> {
            serde_json::from_slice(&value(key)?).map_err(|error| format!("{key}: {error}"))
        };
        let policies = Policies::from_json(&json("policies")?).ok_or("the policies are incomplete")?;
        let synthetic = synthetic(&json("synthetic")?).ok_or("the fleet's seed is incomplete")?;
        let count = synthetic.count;
        let choices = [FleetChoice::Demo, FleetChoice::Empty, FleetChoice::Synthetic(count)];
        let word = value("fleet")?;
        let fleet = choices.into_iter().find(|choice| fleet_word(*choice).as_bytes() == word);
        let fleet = fleet.ok_or("the fleet it was founded with is none this program knows")?;
        let mut registry = Registry::new(synthetic, super::random::MINT);

        let identities = transaction.open_table(IDENTITIES).map_err(|error| text(error.into()))?;
        let mut modules = Vec::new();
        for entry in identities.iter().map_err(|error| text(error.into()))? {
            let (key, value) = entry.map_err(|error| text(error.into()))?;
            let id: TwinId = key.value().parse().map_err(|error| format!("{}: {error}", key.value()))?;
            if value.value().is_empty() {
                registry.restore_gone(&id.device);
                continue;
            }
            let record = Record::from_bytes(value.value()).map_err(|error| format!("the record of {id}: {error}"))?;
            // A device's record may come after those of its modules: `+` sorts before `/`.
            if id.module.is_some() {
                modules.push((id, record));
            } else {
                registry.restore(&id, record);
            }
        }
        for (id, record) in modules {
            if !registry.restore(&id, record) {
                tracing::warn!(%id, "a module without its device is left out");
            }
        }
        let mut kept = Items::new();
        match transaction.open_table(ITEMS) {
            Ok(items) => {
                for entry in items.iter().map_err(|error| text(error.into()))? {
                    let (key, value) = entry.map_err(|error| text(error.into()))?;
                    kept.insert(key.value().to_owned(), value.value().to_vec());
                }
            }
            // Written by a program that kept identities only.
            Err(redb::TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(text(error.into())),
        }
        Ok(Some(Loaded { fleet, policies, registry, items: kept }))
    }
}

type Table<'t> = redb::Table<'t, &'static str, &'static [u8]>;

/// The tables of a transaction that writes.
struct Tables<'t> {
    hub: Table<'t>,
    identities: Table<'t>,
    items: Table<'t>,
}

fn put_items<'a>(table: &mut Table<'_>, items: impl Iterator<Item = &'a Item>) -> Result<(), redb::Error> {
    for Item { key, value } in items {
        match value {
            Some(value) => drop(table.insert(key.as_str(), value.as_slice())?),
            None => drop(table.remove(key.as_str())?),
        }
    }
    Ok(())
}

fn put<'a>(table: &mut Table<'_>, writes: impl Iterator<Item = &'a (TwinId, Kept)>) -> Result<(), redb::Error> {
    for (id, kept) in writes {
        let key = id.to_string();
        match kept {
            Kept::Record(bytes) => drop(table.insert(key.as_str(), bytes.as_slice())?),
            Kept::Tombstone => drop(table.insert(key.as_str(), [].as_slice())?),
            Kept::Nothing => drop(table.remove(key.as_str())?),
        }
    }
    Ok(())
}

/// How the file says which fleet it was founded with; the size of a synthetic one stands beside its seed.
fn fleet_word(fleet: FleetChoice) -> &'static str {
    match fleet {
        FleetChoice::Demo => "demo",
        FleetChoice::Empty => "empty",
        FleetChoice::Synthetic(_) => "synthetic",
    }
}

fn synthetic(value: &Json) -> Option<Synthetic> {
    let seed: Vec<u8> = serde_json::from_value(value.get("seed")?.clone()).ok()?;
    Some(Synthetic {
        count: u32::try_from(value.get("count")?.as_u64()?).ok()?,
        seed: seed.try_into().ok()?,
        created_s: value.get("created")?.as_u64()?,
        gone: std::collections::HashSet::new(),
    })
}
