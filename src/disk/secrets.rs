//! Secrets: in the OS keyring (Secret Service, Keychain, Credential Manager), or in memory for this session where there
//! is none.
//!
//! The keyring's calls block, some of them until a person has typed a password into a prompt of the OS. Each runs on a
//! thread of its own with a time limit: a call that never returns costs that thread and nothing else, and does not hold
//! up the end of the program.

use crate::protocol::secret::Secret;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// What the keyring files our entries under; the account is the connection's id.
const SERVICE: &str = "twinscope";
/// The account asked for to see whether there is a keyring at all. It never exists, so nothing is unlocked for it.
const PROBE_ACCOUNT: &str = "is-there-a-keyring";
/// Long enough for a session bus to start the keyring, short enough for a start without one.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// The OS may ask a person to unlock the keyring.
const PROMPT_LIMIT: Duration = Duration::from_mins(1);

/// Whether the OS keyring is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyringChoice {
    #[default]
    System,
    /// Secrets live for this session only, whatever the OS offers.
    SessionOnly,
}

/// Where one secret went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    InKeyring,
    /// Gone when the program ends; the sentence says why.
    ForThisSession {
        why: String,
    },
}

/// Why a secret could not be had. Never holds one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    #[error("the keyring did not answer within {} s: it may be waiting to be unlocked", .0.as_secs())]
    TimedOut(Duration),
    #[error("the keyring cannot be used: {0}")]
    Unusable(String),
}

/// The secrets of this run. Entries of the session are asked first.
#[derive(Debug)]
pub struct Keyring {
    choice: KeyringChoice,
    session: Mutex<HashMap<String, Secret>>,
}

impl Keyring {
    #[must_use]
    pub fn new(choice: KeyringChoice) -> Self {
        Self { choice, session: Mutex::default() }
    }

    /// Whether there is a keyring that answers, by asking for an entry that does not exist: no prompt comes up.
    /// At most five seconds.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn probe(&self) -> Result<(), String> {
        if self.choice == KeyringChoice::SessionOnly {
            return Err("the keyring is not used in this run".to_owned());
        }
        match on_a_thread(PROBE_LIMIT, || read(PROBE_ACCOUNT)).await {
            Ok(_) => Ok(()),
            Err(SecretsError::TimedOut(limit)) => {
                Err(format!("the keyring did not answer within {} s", limit.as_secs()))
            }
            Err(SecretsError::Unusable(why)) => Err(why),
        }
    }

    /// The secret of a connection. The OS may ask a person to unlock the keyring: at most a minute.
    ///
    /// # Errors
    /// When the keyring does not answer or refuses. A secret that is simply not there is `None`.
    pub async fn get(&self, account: &str) -> Result<Option<Secret>, SecretsError> {
        if let Some(secret) = self.session().get(account) {
            return Ok(Some(secret.clone()));
        }
        if self.choice == KeyringChoice::SessionOnly {
            return Ok(None);
        }
        let account = account.to_owned();
        on_a_thread(PROMPT_LIMIT, move || read(&account)).await
    }

    /// Whether the session holds it, without asking the keyring.
    #[must_use]
    pub fn in_session(&self, account: &str) -> bool {
        self.session().contains_key(account)
    }

    /// Keeps a secret: in the keyring, or for this session when that fails. At most a minute.
    pub async fn put(&self, account: &str, secret: &Secret) -> Kept {
        let why = match self.put_in_keyring(account, secret).await {
            Ok(()) => {
                self.session().remove(account);
                return Kept::InKeyring;
            }
            Err(why) => why,
        };
        self.session().insert(account.to_owned(), secret.clone());
        Kept::ForThisSession { why }
    }

    async fn put_in_keyring(&self, account: &str, secret: &Secret) -> Result<(), String> {
        self.probe().await?;
        let (account, secret) = (account.to_owned(), secret.clone());
        on_a_thread(PROMPT_LIMIT, move || {
            entry(&account)?.set_password(secret.reveal()).map_err(|error| unusable(&error))
        })
        .await
        .map_err(|error| error.to_string())
    }

    /// Forgets a secret everywhere. One that is not there is forgotten already. At most a minute.
    ///
    /// # Errors
    /// When the keyring may still hold it.
    pub async fn remove(&self, account: &str) -> Result<(), SecretsError> {
        self.session().remove(account);
        // Without a keyring there is nothing that could still hold it.
        if self.probe().await.is_err() {
            return Ok(());
        }
        let account = account.to_owned();
        on_a_thread(PROMPT_LIMIT, move || match entry(&account)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(unusable(&error)),
        })
        .await
    }

    fn session(&self) -> std::sync::MutexGuard<'_, HashMap<String, Secret>> {
        // A map of plain values is whole even if a thread died holding the lock.
        self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn entry(account: &str) -> Result<keyring::Entry, SecretsError> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(unusable(error));
    }
    keyring::Entry::new(SERVICE, account).map_err(|error| unusable(&error))
}

fn read(account: &str) -> Result<Option<Secret>, SecretsError> {
    match entry(account)?.get_password() {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(unusable(&error)),
    }
}

/// The keyring's own words. Variants that carry the stored bytes print none of them.
fn unusable(error: &keyring::Error) -> SecretsError {
    use keyring::Error;
    SecretsError::Unusable(match error {
        Error::PlatformFailure(inner) | Error::NoStorageAccess(inner) => inner.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry is not ours".to_owned(),
        Error::Ambiguous(_) => "it holds several entries for this connection".to_owned(),
        other => other.to_string(),
    })
}

async fn on_a_thread<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, SecretsError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("twinscope-keyring".to_owned()).spawn(move || {
        if answer.send(call()).is_err() {
            tracing::debug!("the keyring answered after nobody waited any more");
        }
    });
    if let Err(error) = thread {
        return Err(SecretsError::Unusable(error.to_string()));
    }
    match tokio::time::timeout(limit, answered).await {
        Ok(Ok(answer)) => answer,
        // The thread ended without an answer: the keyring's client panicked.
        Ok(Err(_gone)) => Err(SecretsError::Unusable("its client broke".to_owned())),
        Err(_elapsed) => Err(SecretsError::TimedOut(limit)),
    }
}
