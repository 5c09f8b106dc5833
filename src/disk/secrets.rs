//! Secrets: in the OS keyring (Secret Service, Keychain, Credential Manager), or in memory for this session where there
//! is none.
//!
//! The keyring's calls block, some of them until a person has typed a password into a prompt of the OS. Each runs on a
//! thread of its own with a time limit: a call that never returns costs that thread and nothing else, and does not hold
//! up the end of the program.

mod system;

use crate::protocol::secret::Secret;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The account asked for to see whether there is a keyring at all. It never exists, so nothing is unlocked for it.
const PROBE_ACCOUNT: &str = "is-there-a-keyring";
/// Long enough for a session bus to start the keyring, short enough for a start without one.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// The OS may ask a person to unlock the keyring.
const PROMPT_LIMIT: Duration = Duration::from_mins(1);

/// Where secrets outlive the session. The calls block.
pub trait SecretStorage: fmt::Debug + Send + Sync {
    /// A secret that is not there is `None`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretsError>;

    /// Keeps a secret in place of what the account had.
    ///
    /// # Errors
    /// When it is not kept.
    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretsError>;

    /// Forgets a secret. One that is not there is forgotten already.
    ///
    /// # Errors
    /// When it may still be there.
    fn remove(&self, account: &str) -> Result<(), SecretsError>;
}

/// Whether secrets outlive the session, and where.
#[derive(Debug, Clone, Default)]
pub enum KeyringChoice {
    /// In the keyring of the operating system.
    #[default]
    System,
    /// Secrets live for this session only, whatever the OS offers.
    SessionOnly,
    /// In a store of the caller.
    Given(Arc<dyn SecretStorage>),
}

/// Where one secret went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    InKeyring,
    /// Gone when the program ends.
    ForThisSession {
        why: SecretsError,
    },
}

/// Why a secret could not be had or kept, with what to do about it. Never holds one, and none of the keyring's own words: those
/// are in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    #[error("the keyring is not used in this run")]
    NotUsed,
    #[error("the keyring has not answered yet")]
    NotYet,
    #[error(
        "no keyring is running: start one, such as GNOME Keyring, KWallet or KeePassXC, in the session Twinscope runs in"
    )]
    NoKeyring,
    #[error("the keyring is locked, and was not unlocked: unlock it and try again")]
    Locked,
    #[error(
        "the keyring has no default collection to put keys into: make one, for instance in Passwords and Keys (seahorse) with File, \
         New, Password keyring, and Set as default, and try again"
    )]
    NoCollection,
    #[error("the keyring did not answer within {} s: it may be waiting to be unlocked", .0.as_secs())]
    TimedOut(Duration),
    #[error(
        "the keyring holds something else under the name of this connection: remove that entry in the keyring's own program"
    )]
    NotOurs,
    #[error("the keyring refused: see the log (RUST_LOG=twinscope=debug) for its own words")]
    Refused,
}

/// The secrets of this run. Entries of the session are asked first.
#[derive(Debug)]
pub struct Keyring {
    /// `None` where secrets live for this session only.
    store: Option<Arc<dyn SecretStorage>>,
    session: Mutex<HashMap<String, Secret>>,
}

impl Keyring {
    #[must_use]
    pub fn new(choice: KeyringChoice) -> Self {
        let store = match choice {
            KeyringChoice::System => Some(Arc::new(system::SystemKeyring::default()) as Arc<dyn SecretStorage>),
            KeyringChoice::SessionOnly => None,
            KeyringChoice::Given(store) => Some(store),
        };
        Self { store, session: Mutex::default() }
    }

    /// Whether there is a keyring that answers, by asking for an entry that does not exist: no prompt comes up.
    /// At most five seconds. Whether it takes a secret is known only when one is put into it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn probe(&self) -> Result<(), SecretsError> {
        self.ask(PROBE_LIMIT, |store| store.get(PROBE_ACCOUNT)).await.map(drop)
    }

    /// The secret of a connection. The OS may ask a person to unlock the keyring: at most a minute.
    ///
    /// # Errors
    /// When the keyring does not answer or refuses. A secret that is simply not there is `None`.
    pub async fn get(&self, account: &str) -> Result<Option<Secret>, SecretsError> {
        if let Some(secret) = self.session().get(account) {
            return Ok(Some(secret.clone()));
        }
        if self.store.is_none() {
            return Ok(None);
        }
        let account = account.to_owned();
        self.ask(PROMPT_LIMIT, move |store| store.get(&account)).await
    }

    /// Whether the session holds it, without asking the keyring.
    #[must_use]
    pub fn in_session(&self, account: &str) -> bool {
        self.session().contains_key(account)
    }

    /// Keeps a secret: in the keyring, or for this session when that fails. At most a minute.
    pub async fn put(&self, account: &str, secret: &Secret) -> Kept {
        match self.put_in_keyring(account, secret).await {
            Ok(()) => Kept::InKeyring,
            Err(why) => {
                self.session().insert(account.to_owned(), secret.clone());
                Kept::ForThisSession { why }
            }
        }
    }

    /// Keeps a secret in the keyring or not at all. At most a minute.
    ///
    /// # Errors
    /// Why it is not kept there. The session holds what it held.
    pub async fn put_in_keyring(&self, account: &str, secret: &Secret) -> Result<(), SecretsError> {
        self.probe().await?;
        let (name, secret) = (account.to_owned(), secret.clone());
        self.ask(PROMPT_LIMIT, move |store| store.set(&name, &secret)).await?;
        self.session().remove(account);
        Ok(())
    }

    /// Forgets a secret everywhere. One that is not there is forgotten already. At most a minute.
    ///
    /// # Errors
    /// When the keyring may still hold it.
    pub async fn remove(&self, account: &str) -> Result<(), SecretsError> {
        self.session().remove(account);
        // Without a keyring there is nothing that could still hold it.
        match self.probe().await {
            Ok(()) => {}
            Err(SecretsError::NotUsed | SecretsError::NoKeyring) => return Ok(()),
            Err(why) => return Err(why),
        }
        let account = account.to_owned();
        self.ask(PROMPT_LIMIT, move |store| store.remove(&account)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce(&dyn SecretStorage) -> Result<T, SecretsError> + Send + 'static,
    ) -> Result<T, SecretsError> {
        let Some(store) = self.store.clone() else { return Err(SecretsError::NotUsed) };
        on_a_thread(limit, move || call(&*store)).await
    }

    fn session(&self) -> std::sync::MutexGuard<'_, HashMap<String, Secret>> {
        // A map of plain values is whole even if a thread died holding the lock.
        self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
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
        tracing::warn!(%error, "no thread for the keyring");
        return Err(SecretsError::Refused);
    }
    match tokio::time::timeout(limit, answered).await {
        Ok(Ok(answer)) => answer,
        // The thread ended without an answer: the keyring's client panicked.
        Ok(Err(_gone)) => Err(SecretsError::Refused),
        Err(_elapsed) => Err(SecretsError::TimedOut(limit)),
    }
}
