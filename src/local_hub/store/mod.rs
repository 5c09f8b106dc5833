//! Keeps the registry in a file that survives a pulled plug: redb, one record per identity, a transaction per group of writes.
//!
//! Every record is sealed (`seal`). A file is read whole and checked before anything is written to it (`read`); what is damaged
//! is set aside and said (`damage`), and what is whole in it goes into a new file. `backend` holds the file open between an error
//! and the next try; `mark` tells whether the file lacks what was acknowledged.

mod backend;
mod content;
mod damage;
mod mark;
mod read;
mod seal;

pub use content::{Founding, Items, Loaded};
pub use damage::{Damage, Keys, set_aside};
pub use read::{Certainty, Flaw};

use super::commit::{Item, Writes};
use super::registry::Kept;
use backend::Held;
use content::Understood;
use mark::Mark;
use read::{Contents, Form, guarded};
use redb::backends::FileBackend;
use redb::{Database, StorageBackend, TableDefinition};
use seal::{Table, seal};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `device` or `device/module` to the record as JSON; empty for a synthetic device that was deleted.
const IDENTITIES: TableDefinition<&str, &[u8]> = TableDefinition::new("identities");
/// What is kept beside identities; see [`Item`].
const ITEMS: TableDefinition<&str, &[u8]> = TableDefinition::new("items");
/// What concerns the whole hub: `format`, `fleet`, `policies`, `synthetic`, and what only this module reads.
const HUB: TableDefinition<&str, &[u8]> = TableDefinition::new("hub");
/// Goes up when an older program could not read the file any more.
const FORMAT: &[u8] = b"2";
/// The form before, without seals.
const FORMAT_PLAIN: &[u8] = b"1";
/// In [`HUB`]: the number of the commit, decimal.
const SEQUENCE: &str = "sequence";
/// In [`HUB`], for a moment: proof that there is room again.
const ROOM: &str = "room";
/// The most that room is asked for at once.
const ROOM_MAX: usize = 8 * 1024 * 1024;
const FILE: &str = "hub.redb";

/// Puts something between the store and its file; for tests of disks that fail.
pub type Layer = Arc<dyn Fn(FileBackend) -> Box<dyn StorageBackend> + Send + Sync>;

/// The file itself.
#[must_use]
pub fn no_layer() -> Layer {
    Arc::new(|file| Box::new(file))
}

/// An open data file; no other process can open it meanwhile.
pub struct Store {
    held: Held,
    /// `None` after an error: redb works on such a file only when it is opened again.
    database: Option<Database>,
    /// Of the last commit.
    sequence: u64,
    mark: Mark,
}

impl Store {
    /// Opens the file in `dir`, or makes it with what `fresh` gives.
    ///
    /// # Errors
    /// A sentence: another process has it open, it is of a newer program, or not accessible. A damaged file is no error: see
    /// [`Loaded::damage`].
    pub fn open(dir: &Path, layer: &Layer, fresh: impl FnOnce() -> Founding) -> Result<(Self, Loaded), String> {
        let text = |flaw: Flaw| format!("{FILE}: {flaw}");
        fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        let path = dir.join(FILE);
        if !fs::exists(&path).map_err(|error| format!("{FILE}: {error}"))? {
            if fs::exists(dir.join(mark::FILE)).unwrap_or(false) {
                tracing::warn!("{FILE} is gone, though there was one: the hub begins anew, with new keys");
            }
            let founding = fresh();
            let store = Self::create(dir, layer, &mut founding.contents()).map_err(text)?;
            return Ok((store, founding.into()));
        }
        let held = hold(&path, layer).map_err(text)?;
        let (mark, acknowledged) = Mark::open(dir);
        let flaw = match read::whole(&held) {
            Ok(contents) => {
                let lacks = acknowledged.unwrap_or(0).saturating_sub(contents.sequence);
                let understood = content::understand(contents, &BTreeSet::new());
                if lacks == 0 && understood.lost.is_empty() {
                    return Self::go_on(held, mark, understood, fresh).map_err(text);
                }
                let reason = match lacks {
                    0 => "not every record in it can be understood".to_owned(),
                    lacks => format!("it lacks the last {lacks} commits that were acknowledged"),
                };
                return recover(dir, layer, held, (understood, reason, Certainty::Sure), fresh).map_err(text);
            }
            Err(Flaw::Damaged(reason)) => reason,
            Err(flaw @ (Flaw::InUse | Flaw::Newer | Flaw::System(_))) => return Err(text(flaw)),
        };
        let read::Remains { contents, altered, certainty } = read::remains(&held);
        let understood = content::understand(contents, &altered);
        recover(dir, layer, held, (understood, flaw, certainty), fresh).map_err(text)
    }

    /// Goes on with a file that is whole; one without seals is given them.
    fn go_on(
        held: Held,
        mark: Mark,
        understood: Understood,
        fresh: impl FnOnce() -> Founding,
    ) -> Result<(Self, Loaded), Flaw> {
        let (form, sequence) = (understood.contents.form, understood.contents.sequence);
        let mut store = Self { held, database: None, sequence, mark };
        if form == Form::Plain {
            let mut contents = Contents { hub: understood.contents.hub.clone(), ..Contents::default() };
            contents.identities.clone_from(&understood.contents.identities);
            contents.items.clone_from(&understood.contents.items);
            contents.hub.insert("format".to_owned(), FORMAT.to_vec());
            store.write(|tables| tables.put_all(&contents)).map_err(Flaw::System)?;
        }
        store.acknowledge();
        Ok((store, understood.into_loaded(fresh).0))
    }

    /// Makes the file in one step: after a crash it is there whole, or not at all.
    fn create(dir: &Path, layer: &Layer, contents: &mut Contents) -> Result<Self, Flaw> {
        let system = |error: std::io::Error| Flaw::System(error.to_string());
        let path = dir.join(FILE);
        let temporary = dir.join(format!(".{FILE}.{}", uuid::Uuid::new_v4().simple()));
        let (mark, acknowledged) = Mark::open(dir);
        let made = (|| {
            let held = hold(&temporary, layer)?;
            let sequence = contents.sequence.max(acknowledged.unwrap_or(0));
            let mut store = Self { held, database: None, sequence, mark };
            contents.hub.insert("format".to_owned(), FORMAT.to_vec());
            store.write(|tables| tables.put_all(contents)).map_err(Flaw::System)?;
            // A hard link never replaces what another program just made; where there are none, a rename has to do.
            match fs::hard_link(&temporary, &path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(Flaw::InUse),
                Err(_) => fs::rename(&temporary, &path).map_err(system)?,
            }
            Ok(store)
        })();
        // After a rename it is gone already.
        fs::remove_file(&temporary).unwrap_or_default();
        sync_dir(dir);
        let mut store = made?;
        store.acknowledge();
        Ok(store)
    }

    /// Keeps a group of writes. When this returns, they survive a pulled plug.
    ///
    /// # Errors
    /// When the file cannot be written; then none of them is kept, or all are. The next call opens the file again.
    pub fn commit(&mut self, group: &[&Writes]) -> Result<(), String> {
        self.write(|tables| group.iter().try_for_each(|writes| tables.put(writes)))?;
        self.acknowledge();
        Ok(())
    }

    /// Whether there is room for so many bytes: they are written, and taken out again.
    ///
    /// # Errors
    /// When there is none.
    pub fn try_room(&mut self, bytes: usize) -> Result<(), String> {
        let filler = vec![0; bytes.clamp(4096, ROOM_MAX)];
        self.write(|tables| tables.insert(Table::Hub, ROOM, &filler))?;
        self.write(|tables| tables.remove(Table::Hub, ROOM))
    }

    /// One transaction. After an error, or a panic of redb, the file is opened again by the next one.
    fn write(&mut self, work: impl FnOnce(&mut Tables<'_>) -> Result<(), redb::Error>) -> Result<(), String> {
        if self.database.is_none() {
            let (held, known) = (self.held.clone(), self.sequence);
            let opened = guarded(|| {
                let database = read::database(held)?;
                // A commit that was reported as failed may be in the file all the same.
                let sequence = read::last_sequence(&database).max(known);
                Ok((database, sequence))
            });
            let (database, sequence) = opened.map_err(|flaw| flaw.to_string())?;
            (self.database, self.sequence) = (Some(database), sequence);
        }
        let Some(database) = self.database.take() else { return Err("the file is closed".to_owned()) };
        let sequence = self.sequence + 1;
        let written = guarded(|| Ok(transaction(&database, sequence, work)?));
        match written {
            Ok(()) => {
                (self.database, self.sequence) = (Some(database), sequence);
                Ok(())
            }
            Err(flaw) => {
                if let Err(flaw) = guarded(|| {
                    drop(database);
                    Ok(())
                }) {
                    tracing::debug!(%flaw, "the data file was not closed as it should");
                }
                Err(flaw.to_string())
            }
        }
    }

    /// Everything up to the last commit may be acknowledged.
    fn acknowledge(&mut self) {
        if let Err(error) = self.mark.write(self.sequence) {
            tracing::debug!(%error, "the number of the last commit is not written");
        }
    }
}

/// Takes what is left of a damaged file into a new one, and sets the damaged one aside. The new one is whole before the old one
/// is touched.
fn recover(
    dir: &Path,
    layer: &Layer,
    held: Held,
    (understood, reason, certainty): (Understood, String, Certainty),
    fresh: impl FnOnce() -> Founding,
) -> Result<(Store, Loaded), Flaw> {
    let system = |error: std::io::Error| Flaw::System(error.to_string());
    let (lost, recovered) = (understood.lost.clone(), understood.recovered);
    let sequence = understood.contents.sequence;
    let (mut loaded, keys, mut contents) = understood.into_loaded_with_contents(fresh);
    contents.sequence = sequence;
    let path = dir.join(FILE);
    let staged = dir.join(format!(".{FILE}.{}", uuid::Uuid::new_v4().simple()));
    fs::create_dir(&staged).map_err(system)?;
    // Written where it stands in nobody's way; should that fail, the damaged file is where it was.
    let made = Store::create(&staged, layer, &mut contents).map(drop);
    let put = made.and_then(|()| {
        let aside = set_aside(&path).map_err(system)?;
        fs::rename(staged.join(FILE), &path).map_err(system)?;
        Ok(aside)
    });
    fs::remove_dir_all(&staged).unwrap_or_default();
    drop(held);
    let aside = put?;
    sync_dir(dir);
    let (mark, acknowledged) = Mark::open(dir);
    let mut store = Store { held: hold(&path, layer)?, database: None, sequence: acknowledged.unwrap_or(0), mark };
    // Its number must be above any that was acknowledged.
    store.write(|_| Ok(())).map_err(Flaw::System)?;
    store.acknowledge();
    let file = FILE.to_owned();
    loaded.damage = Some(Damage { file, reason, aside, recovered, lost, certainty, keys });
    Ok((store, loaded))
}

/// Opens the file, or makes an empty one, for its owner alone. The lock is taken by whoever reads it first.
fn hold(path: &PathBuf, layer: &Layer) -> Result<Held, Flaw> {
    let system = |error: std::io::Error| Flaw::System(error.to_string());
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(system)?;
    super::certs::owner_only(path).map_err(system)?;
    Ok(Held::new(layer(FileBackend::new(file)?)))
}

/// So that a name survives a pulled plug too, where the system can do that.
fn sync_dir(dir: &Path) {
    if let Err(error) = fs::File::open(dir).and_then(|dir| dir.sync_all()) {
        tracing::trace!(%error, "a folder cannot be written out");
    }
}

type RedbTable<'t> = redb::Table<'t, &'static str, &'static [u8]>;

/// The tables of a transaction that writes.
struct Tables<'t> {
    sequence: u64,
    hub: RedbTable<'t>,
    identities: RedbTable<'t>,
    items: RedbTable<'t>,
}

fn transaction(
    database: &Database,
    sequence: u64,
    work: impl FnOnce(&mut Tables<'_>) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut tables = Tables {
            sequence,
            hub: transaction.open_table(HUB)?,
            identities: transaction.open_table(IDENTITIES)?,
            items: transaction.open_table(ITEMS)?,
        };
        work(&mut tables)?;
        tables.insert(Table::Hub, SEQUENCE, sequence.to_string().as_bytes())?;
    }
    transaction.commit()?;
    Ok(())
}

impl<'t> Tables<'t> {
    fn table(&mut self, table: Table) -> &mut RedbTable<'t> {
        match table {
            Table::Hub => &mut self.hub,
            Table::Identities => &mut self.identities,
            Table::Items => &mut self.items,
        }
    }

    fn insert(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), redb::Error> {
        let too_long = || redb::Error::ValueTooLarge(value.len());
        let sealed = seal(table, self.sequence, key, value).ok_or_else(too_long)?;
        self.table(table).insert(key, sealed.as_slice())?;
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &str) -> Result<(), redb::Error> {
        self.table(table).remove(key)?;
        Ok(())
    }

    fn put_all(&mut self, contents: &Contents) -> Result<(), redb::Error> {
        let tables =
            [(Table::Hub, &contents.hub), (Table::Identities, &contents.identities), (Table::Items, &contents.items)];
        for (table, rows) in tables {
            for (key, value) in rows {
                self.insert(table, key, value)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, writes: &Writes) -> Result<(), redb::Error> {
        for (id, kept) in &writes.identities {
            let key = id.to_string();
            match kept {
                Kept::Record(bytes) => self.insert(Table::Identities, &key, bytes)?,
                Kept::Tombstone => self.insert(Table::Identities, &key, &[])?,
                Kept::Nothing => self.remove(Table::Identities, &key)?,
            }
        }
        for Item { key, value } in &writes.items {
            match value {
                Some(value) => self.insert(Table::Items, key, value)?,
                None => self.remove(Table::Items, key)?,
            }
        }
        Ok(())
    }
}
