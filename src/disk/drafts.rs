//! Drafts: what was typed and is not on a hub yet, one file per twin, back after a crash or a pulled plug.
//!
//! Every running program has an instance of its own: its drafts carry its name, and a locked file says that it lives. So two
//! windows that edit the same twin do not write over each other, and what a window left behind is taken over by the next.

use super::file;
use super::seal::{seal, unseal};
use crate::twin::{Json, JsonMap, Twin, TwinId, wire};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file larger than this is no draft: a twin and two typed texts have their limits.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A lock is held within this time after it was made.
const LOCK_SETTLED: Duration = Duration::from_mins(1);

/// A draft as it is kept. Holds no secret: twins have none.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptDraft {
    /// Which hub: `local`, or the host's name.
    pub hub: String,
    /// The twin the edit started from.
    pub base: Arc<Twin>,
    /// The text of each section that was edited.
    pub desired: Option<String>,
    pub tags: Option<String>,
    /// A report typed and not sent.
    pub report: Option<String>,
    /// Milliseconds since 1970 when it was kept.
    pub at_ms: u64,
}

impl KeptDraft {
    fn to_bytes(&self) -> Vec<u8> {
        // By hand: serde's way into a `Json` respells the exponents of numbers.
        let text = |text: &Option<String>| text.as_deref().map_or(Json::Null, Json::from);
        let fields = [
            // First, so that also of half a file it is known whose draft it was.
            ("id", Json::from(self.base.id.to_string())),
            ("hub", Json::from(self.hub.as_str())),
            ("at", Json::from(self.at_ms)),
            ("base", wire::to_json(&self.base)),
            ("desired", text(&self.desired)),
            ("tags", text(&self.tags)),
            ("report", text(&self.report)),
        ];
        let fields: JsonMap = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        seal(&Json::Object(fields).to_string()).into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let bytes = unseal(bytes).map_err(|damaged| damaged.to_string())?;
        let mut value = wire::json(&bytes).map_err(|error| error.to_string())?;
        let base = value.get_mut("base").map(Json::take).ok_or("it has no base")?;
        let base = Arc::new(wire::from_json(base).map_err(|error| error.to_string())?);
        let text = |key: &str| value.get(key).and_then(Json::as_str).map(str::to_owned);
        Ok(Self {
            hub: text("hub").ok_or("it names no hub")?,
            base,
            desired: text("desired"),
            tags: text("tags"),
            report: text("report"),
            at_ms: value.get("at").and_then(Json::as_u64).unwrap_or(0),
        })
    }
}

/// The folder of drafts, as one running program sees it.
#[derive(Debug)]
pub struct Drafts {
    folder: PathBuf,
    instance: String,
    /// Locked while the program runs, by whatever way it ends.
    _alive: File,
}

/// What was found in the folder.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// The newest draft of each twin of the hub.
    pub drafts: Vec<KeptDraft>,
    /// Drafts of twins of the hub that gave way to a newer one and are in files of their own.
    pub older: Vec<Older>,
    /// What a person should know: a file that could not be read.
    pub notices: Vec<String>,
}

/// A draft that gave way to a newer one of the same twin.
#[derive(Debug, PartialEq)]
pub struct Older {
    pub draft: KeptDraft,
    pub file: PathBuf,
}

impl Older {
    /// It is kept elsewhere now.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn remove(&self) -> Result<(), String> {
        std::fs::remove_file(&self.file)
            .map_err(|error| format!("The draft in {} cannot be removed: {error}", self.file.display()))
    }
}

/// Bytes written to see whether there is room again: a draft with its twin is seldom larger.
const ROOM_BYTES: usize = 64 * 1024;

impl Drafts {
    /// Whether something could be written now. Leaves nothing behind.
    ///
    /// # Errors
    /// What hinders it.
    pub fn try_room(&self) -> std::io::Result<()> {
        let path = self.folder.join(format!("{}.room", self.instance));
        let written =
            std::fs::write(&path, vec![b' '; ROOM_BYTES]).and_then(|()| std::fs::File::open(&path)?.sync_all());
        let removed = std::fs::remove_file(&path);
        written.and(removed)
    }

    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let instance = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        let open = || -> std::io::Result<File> {
            file::make_folder(folder)?;
            let file =
                OpenOptions::new().create(true).truncate(false).write(true).open(lock_path(folder, &instance))?;
            file.lock()?;
            Ok(file)
        };
        let alive = open().map_err(|error| format!("Drafts cannot be kept in {}: {error}", folder.display()))?;
        let drafts = Self { folder: folder.to_path_buf(), instance, _alive: alive };
        if let Err(error) = drafts.tidy() {
            tracing::debug!(%error, "locks of programs that ended stay behind");
        }
        Ok(drafts)
    }

    /// Removes the locks of programs that ended without doing so.
    fn tidy(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(instance) = name.to_str().and_then(|name| name.strip_suffix(".lock")) else { continue };
            // One just made may not be locked yet.
            let settled = entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age >= LOCK_SETTLED);
            if settled && instance != self.instance && self.lives(instance) {
                tracing::debug!(instance, "another window runs");
            }
        }
        Ok(())
    }

    /// Keeps a draft in place of what was kept of that twin. When this returns, it survives a pulled plug.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn keep(&self, draft: &KeptDraft) -> Result<(), String> {
        let path = self.path(&draft.hub, &draft.base.id);
        file::not_a_link(&self.folder)
            .and_then(|()| file::replace(&path, &draft.to_bytes()))
            .map_err(|error| format!("The draft of {} cannot be kept in {}: {error}", draft.base.id, path.display()))
    }

    /// Forgets the draft of a twin; one that is not there is forgotten already.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn forget(&self, hub: &str, id: &TwinId) -> Result<(), String> {
        let path = self.path(hub, id);
        match file::not_a_link(&self.folder).and_then(|()| std::fs::remove_file(&path)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("The draft in {} cannot be removed: {error}", path.display())),
        }
    }

    /// The drafts of a hub: our own, and those of programs that run no more, which become ours. A file that cannot be read is set
    /// aside; of two drafts of one twin the older is kept beside and told.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn found(&self, hub: &str) -> Result<Found, String> {
        let wrong = |error: std::io::Error| format!("The drafts in {} cannot be read: {error}", self.folder.display());
        let mut found = Found::default();
        let mut living = HashMap::new();
        let mut files = Vec::new();
        file::not_a_link(&self.folder).map_err(wrong)?;
        for entry in std::fs::read_dir(&self.folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if path.extension().is_some_and(|end| end == "older") {
                match older(path, hub) {
                    Ok(older) => found.older.extend(older),
                    Err(notice) => found.notices.push(notice),
                }
                continue;
            }
            let Some(owner) = owner(&path) else { continue };
            let ours = owner == self.instance;
            if ours || !*living.entry(owner.clone()).or_insert_with(|| self.lives(&owner)) {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            match file::read(&path, BYTES_MAX) {
                // Another window that started at the same moment took it.
                Ok(None) => {}
                Ok(Some(bytes)) => match KeptDraft::from_bytes(&bytes) {
                    Ok(draft) if draft.hub == hub => self.adopt(&path, draft, &mut found),
                    Ok(_) => {}
                    Err(reason) => found.notices.push(unreadable(&path, named(&bytes).as_ref(), &reason)),
                },
                Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                    found.notices.push(unreadable(&path, None, &error.to_string()));
                }
                Err(error) => found.notices.push(format!("The draft in {} cannot be read: {error}", path.display())),
            }
        }
        Ok(found)
    }

    /// Makes a file ours, and its draft the one of its twin unless there is a newer one.
    fn adopt(&self, path: &Path, draft: KeptDraft, found: &mut Found) {
        let ours = self.path(&draft.hub, &draft.base.id);
        let Some(known) = found.drafts.iter_mut().find(|known| known.base.id == draft.base.id) else {
            if path == ours || std::fs::rename(path, &ours).is_ok() {
                found.drafts.push(draft);
            }
            return;
        };
        // Two of one twin: the newer one goes on, the other is kept beside.
        let newer = draft.at_ms > known.at_ms;
        let older = if newer { ours.clone() } else { path.to_owned() };
        let aside = ours.with_extension(format!("{}.older", uuid::Uuid::new_v4().simple()));
        if let Err(error) = std::fs::rename(&older, &aside) {
            tracing::debug!(%error, "an older draft was taken by another window");
            return;
        }
        let gave_way = if newer { std::mem::replace(known, draft) } else { draft };
        if newer && let Err(error) = std::fs::rename(path, &ours) {
            tracing::debug!(%error, "the newer draft stays under the name of a program that ended");
        }
        found.older.push(Older { draft: gave_way, file: aside });
    }

    /// Whether the program of that name runs still; what it left of its lock is removed when it does not.
    fn lives(&self, instance: &str) -> bool {
        let path = lock_path(&self.folder, instance);
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { return false };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => true,
            // A lock that cannot be asked about may be held: leave that program's drafts alone.
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "cannot tell whether another window runs");
                true
            }
            Ok(()) => {
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::debug!(%error, "the lock of a program that ended stays behind");
                }
                false
            }
        }
    }

    fn path(&self, hub: &str, id: &TwinId) -> PathBuf {
        self.folder.join(format!("{}.{}.json", twin_name(hub, id), self.instance))
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(lock_path(&self.folder, &self.instance)) {
            tracing::debug!(%error, "the lock of this program stays behind");
        }
    }
}

/// A file name for a twin: ids hold characters that file names do not, and may be longer.
pub(super) fn twin_name(hub: &str, id: &TwinId) -> String {
    let mut name = file::digest(format!("{hub}\n{id}").as_bytes());
    name.truncate(32);
    name
}

fn lock_path(folder: &Path, instance: &str) -> PathBuf {
    folder.join(format!("{instance}.lock"))
}

/// The instance in `TWIN.INSTANCE.json`.
fn owner(path: &Path) -> Option<String> {
    let (_, instance) = path.file_name()?.to_str()?.strip_suffix(".json")?.split_once('.')?;
    (!instance.contains('.')).then(|| instance.to_owned())
}

/// What gave way to a newer draft at an earlier start and was not kept elsewhere yet; or the notice that it cannot be read.
fn older(file: PathBuf, hub: &str) -> Result<Option<Older>, String> {
    let bytes = match file::read(&file, BYTES_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            return Err(unreadable(&file, None, &error.to_string()));
        }
        Err(error) => return Err(format!("The draft in {} cannot be read: {error}", file.display())),
    };
    match KeptDraft::from_bytes(&bytes) {
        Ok(draft) => Ok((draft.hub == hub).then_some(Older { draft, file })),
        Err(reason) => Err(unreadable(&file, named(&bytes).as_ref(), &reason)),
    }
}

/// The twin that a damaged file names at its begin.
fn named(bytes: &[u8]) -> Option<TwinId> {
    let rest = bytes.strip_prefix(br#"{"id":"#)?;
    let mut texts = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
    texts.next()?.ok()?.parse().ok()
}

fn unreadable(path: &Path, id: Option<&TwinId>, reason: &str) -> String {
    let whose = id.map_or_else(|| "A draft".to_owned(), |id| format!("The draft of {id}"));
    match file::set_aside(path) {
        Ok(aside) => format!(
            "{whose} cannot be read ({reason}); the file is kept as {}, and what was typed can be looked for there",
            aside.display()
        ),
        Err(error) => {
            format!("{whose} in {} cannot be read ({reason}) nor set aside ({error})", path.display())
        }
    }
}
