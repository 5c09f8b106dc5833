//! Reads a data file whole: as it should be, or what is left of a damaged one. Neither changes the file.

use super::backend::{Held, Overlay};
use super::seal::{self, Table};
use super::{FORMAT, FORMAT_PLAIN, HUB, IDENTITIES, ITEMS, SEQUENCE};
use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of pages that are held in memory while a file is read or written.
const CACHE: usize = 16 * 1024 * 1024;

/// Why a file cannot be read as it is.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    #[error("another hub is running on it: stop that one, or choose another folder")]
    InUse,
    #[error("it was written by a newer program")]
    Newer,
    /// The system refuses: what the file holds is not known.
    #[error("{0}")]
    System(String),
    #[error("{0}")]
    Damaged(String),
}

/// Keys and values of one table.
pub type Rows = BTreeMap<String, Vec<u8>>;

/// The content of a data file.
#[derive(Default)]
pub struct Contents {
    /// The number of the last commit.
    pub sequence: u64,
    pub hub: Rows,
    pub identities: Rows,
    pub items: Rows,
    pub form: Form,
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As by a program that did not seal them.
    Plain,
    #[default]
    Sealed,
}

/// What is left of a damaged file.
#[derive(Default)]
pub struct Remains {
    pub contents: Contents,
    /// Keys of records that are there but altered.
    pub altered: BTreeSet<(Table, String)>,
    pub certainty: Certainty,
}

/// What is known of the records that were recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certainty {
    /// Each is as it was written last.
    #[default]
    Sure,
    /// The order of the file is lost: some may be older than the last that was written, or were deleted.
    MayBeOld,
    /// They carry no checksums: some may be altered.
    Unchecked,
}

impl Contents {
    pub fn rows_mut(&mut self, table: Table) -> &mut Rows {
        match table {
            Table::Hub => &mut self.hub,
            Table::Identities => &mut self.identities,
            Table::Items => &mut self.items,
        }
    }
}

impl From<redb::Error> for Flaw {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            // What the system said has a number; the rest is redb's own finding about the content.
            redb::Error::Io(error) if error.raw_os_error().is_some() => Self::System(error.to_string()),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<DatabaseError> for Flaw {
    fn from(error: DatabaseError) -> Self {
        redb::Error::from(error).into()
    }
}

/// redb panics on some damage; that is an answer about the file, not a mistake of ours.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Flaw>) -> Result<T, Flaw> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Flaw::Damaged(format!("its structure makes no sense ({})", text.unwrap_or("no reason given"))))
    })
}

/// Opens the file for reading and writing. A commit that was cut off is undone.
pub fn database(backend: impl redb::StorageBackend) -> Result<Database, Flaw> {
    Ok(Database::builder().set_cache_size(CACHE).create_with_backend(backend)?)
}

fn overlaid(held: &Held) -> Result<Database, Flaw> {
    database(Overlay::new(held.clone()).map_err(|error| Flaw::System(error.to_string()))?)
}

/// Reads a file of which every byte that counts is as it was written.
///
/// # Errors
/// See [`Flaw`].
pub fn whole(held: &Held) -> Result<Contents, Flaw> {
    guarded(|| {
        let mut database = overlaid(held)?;
        if !database.check_integrity()? {
            return Err(Flaw::Damaged("its checksums do not fit".to_owned()));
        }
        let transaction = database.begin_read().map_err(|error| Flaw::from(redb::Error::from(error)))?;
        let mut contents = Contents::default();
        for table in [Table::Hub, Table::Identities, Table::Items] {
            let rows = strict(&transaction, table)?;
            *contents.rows_mut(table) = rows;
        }
        unseal(contents)
    })
}

fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    match table {
        Table::Hub => HUB,
        Table::Identities => IDENTITIES,
        Table::Items => ITEMS,
    }
}

fn strict(transaction: &ReadTransaction, table: Table) -> Result<Rows, Flaw> {
    let opened = match transaction.open_table(definition(table)) {
        Ok(opened) => opened,
        // Written by a program that had no items.
        Err(redb::TableError::TableDoesNotExist(_)) if table == Table::Items => return Ok(Rows::new()),
        Err(redb::TableError::TableDoesNotExist(_)) => return Err(Flaw::Damaged("it is incomplete".to_owned())),
        Err(error) => return Err(redb::Error::from(error).into()),
    };
    let mut rows = Rows::new();
    for entry in opened.iter().map_err(redb::Error::from)? {
        let (key, value) = entry.map_err(redb::Error::from)?;
        rows.insert(key.value().to_owned(), value.value().to_vec());
    }
    Ok(rows)
}

/// Takes the seals off rows that were just read.
fn unseal(mut contents: Contents) -> Result<Contents, Flaw> {
    match contents.hub.get("format").map(Vec::as_slice) {
        Some(FORMAT_PLAIN) => {
            contents.form = Form::Plain;
            return Ok(contents);
        }
        Some(format) => match seal::open(format) {
            Some((sealed, _)) if sealed.value == FORMAT => {}
            _ => return Err(Flaw::Newer),
        },
        None => return Err(Flaw::Damaged("it lacks format".to_owned())),
    }
    for table in [Table::Hub, Table::Identities, Table::Items] {
        for (key, value) in contents.rows_mut(table) {
            let sealed = sealed(table, value).filter(|(of, _)| of == key);
            let (_, plain) = sealed.ok_or_else(|| Flaw::Damaged(format!("the record of {key} is altered")))?;
            *value = plain;
        }
    }
    contents.sequence = sequence(&contents.hub);
    Ok(contents)
}

/// Key and value of a record that is whole.
fn sealed(table: Table, bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let (sealed, length) = seal::open(bytes)?;
    let fits = sealed.table == table as u8 && length == bytes.len();
    fits.then(|| (sealed.key.to_owned(), sealed.value.to_vec()))
}

/// The number of the last commit in an open file; 0 where there is none.
pub fn last_sequence(database: &Database) -> u64 {
    let read = || -> Result<u64, redb::Error> {
        let table = database.begin_read()?.open_table(HUB)?;
        let value = table.get(SEQUENCE)?.map(|value| value.value().to_vec());
        let plain = value.and_then(|value| sealed(Table::Hub, &value));
        Ok(plain.map_or(0, |row| sequence(&Rows::from([row]))))
    };
    read().unwrap_or(0)
}

fn sequence(hub: &Rows) -> u64 {
    let text = hub.get(SEQUENCE).and_then(|value| std::str::from_utf8(value).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// What is left of a damaged file. Each record vouches for itself; where the way to it is lost, it is looked for among all bytes.
pub fn remains(held: &Held) -> Remains {
    let mut remains = Remains::default();
    let complete = guarded(|| walk(held, &mut remains)).unwrap_or(false);
    if remains.contents.form == Form::Plain {
        remains.certainty = Certainty::Unchecked;
    } else if !complete {
        remains.certainty = Certainty::MayBeOld;
        match held.bytes() {
            Ok(bytes) => search(&bytes, &mut remains),
            Err(error) => tracing::warn!(%error, "the damaged file cannot be read whole"),
        }
    }
    remains.contents.sequence = sequence(&remains.contents.hub);
    remains
}

/// Follows the order of the file as far as that goes; whether it went all the way.
fn walk(held: &Held, remains: &mut Remains) -> Result<bool, Flaw> {
    let database = overlaid(held)?;
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let mut complete = true;
    let mut tables = Vec::new();
    for table in [Table::Hub, Table::Identities, Table::Items] {
        let mut rows = Rows::new();
        // From the front, and from the end: one damaged page then hides nothing but itself.
        let forwards = guarded(|| collect(&transaction, table, Direction::Forwards, &mut rows));
        if forwards.is_err() {
            complete = false;
            // What this finds before it ends is what counts.
            drop(guarded(|| collect(&transaction, table, Direction::Backwards, &mut rows)));
        }
        tables.push((table, rows));
    }
    // The record that says so may be the damaged one.
    let any_sealed = tables.iter().any(|(table, rows)| rows.values().any(|value| sealed(*table, value).is_some()));
    let any = tables.iter().any(|(_, rows)| !rows.is_empty());
    remains.contents.form = if any && !any_sealed { Form::Plain } else { Form::Sealed };
    for (table, rows) in tables {
        take(table, rows, remains);
    }
    Ok(complete)
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Forwards,
    Backwards,
}

fn collect(transaction: &ReadTransaction, table: Table, from: Direction, rows: &mut Rows) -> Result<(), Flaw> {
    let opened = match transaction.open_table(definition(table)) {
        Err(redb::TableError::TableDoesNotExist(_)) if table == Table::Items => return Ok(()),
        opened => opened.map_err(redb::Error::from)?,
    };
    let mut iter = opened.iter().map_err(redb::Error::from)?;
    loop {
        let entry = match from {
            Direction::Forwards => iter.next(),
            Direction::Backwards => iter.next_back(),
        };
        let Some(entry) = entry else { return Ok(()) };
        let (key, value) = entry.map_err(redb::Error::from)?;
        if rows.insert(key.value().to_owned(), value.value().to_vec()).is_some() {
            // The two ways have met, or the damage leads in a circle.
            return Ok(());
        }
    }
}

fn take(table: Table, rows: Rows, remains: &mut Remains) {
    for (key, value) in rows {
        if remains.contents.form == Form::Plain {
            remains.contents.rows_mut(table).insert(key, value);
        } else if let Some((key, value)) = sealed(table, &value) {
            remains.contents.rows_mut(table).insert(key, value);
        } else {
            remains.altered.insert((table, key));
        }
    }
}

/// Adds the newest whole record of each key that is not known yet.
fn search(bytes: &[u8], remains: &mut Remains) {
    let mut newest: BTreeMap<(u8, &str), seal::Sealed<'_>> = BTreeMap::new();
    for found in seal::find(bytes) {
        let place = newest.entry((found.table, found.key)).or_insert(found);
        if found.sequence > place.sequence {
            *place = found;
        }
    }
    for ((table, key), found) in newest {
        let tables = [Table::Hub, Table::Identities, Table::Items];
        let Some(table) = tables.into_iter().find(|known| *known as u8 == table) else { continue };
        if !remains.altered.contains(&(table, key.to_owned())) {
            let rows = remains.contents.rows_mut(table);
            rows.entry(key.to_owned()).or_insert_with(|| found.value.to_vec());
        }
    }
}
