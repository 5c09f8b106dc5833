//! The keyring of the operating system: Secret Service, Keychain or Credential Manager.

use super::{SecretStorage, SecretsError};
use crate::protocol::secret::Secret;
use keyring_core::{CredentialStore, Entry, Error};
use std::sync::{Arc, Mutex, PoisonError};

/// What the keyring files our entries under; the account is the connection's id.
const SERVICE: &str = "twinscope";

/// Connected when it is first asked, and again when the connection turns out to be gone: a keyring may be started, or started
/// again, while the program runs.
#[derive(Default)]
pub(super) struct SystemKeyring(Mutex<Option<Arc<CredentialStore>>>);

impl std::fmt::Debug for SystemKeyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemKeyring")
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    zbus_secret_service_keyring_store::Store::new().map(|store| store as Arc<CredentialStore>)
}

#[cfg(target_os = "macos")]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    apple_native_keyring_store::keychain::Store::new().map(|store| store as Arc<CredentialStore>)
}

#[cfg(windows)]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    windows_native_keyring_store::Store::new().map(|store| store as Arc<CredentialStore>)
}

impl SystemKeyring {
    fn with<T>(&self, account: &str, call: impl Fn(&Entry) -> Result<T, Error>) -> Result<T, SecretsError> {
        // A connection that was open before may have died with its keyring: that is no answer yet.
        if let Some(store) = self.known() {
            match on_entry(&store, account, &call) {
                Err(Error::PlatformFailure(cause)) => {
                    tracing::debug!(%cause, "connecting to the keyring again");
                    *self.slot() = None;
                }
                answer => return answer.map_err(|error| plain(&error)),
            }
        }
        // Whatever it says: there is none to connect to.
        let store = connect().map_err(|error| match plain(&error) {
            SecretsError::Refused => SecretsError::NoKeyring,
            cause => cause,
        })?;
        *self.slot() = Some(store.clone());
        on_entry(&store, account, &call).map_err(|error| plain(&error))
    }

    fn known(&self) -> Option<Arc<CredentialStore>> {
        self.slot().clone()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<CredentialStore>>> {
        // It is replaced whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn on_entry<T>(
    store: &Arc<CredentialStore>,
    account: &str,
    call: impl Fn(&Entry) -> Result<T, Error>,
) -> Result<T, Error> {
    call(&store.build(SERVICE, account, None)?)
}

impl SecretStorage for SystemKeyring {
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretsError> {
        self.with(account, |entry| match entry.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretsError> {
        self.with(account, |entry| entry.set_password(secret.reveal()))
    }

    fn remove(&self, account: &str) -> Result<(), SecretsError> {
        self.with(account, |entry| match entry.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            answer => answer,
        })
    }
}

/// The cause in plain words; the library's own go to the log. Variants that carry the stored bytes are not printed.
fn plain(error: &Error) -> SecretsError {
    let cause = match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::Ambiguous(_) => return SecretsError::NotOurs,
        other => other.to_string(),
    };
    tracing::warn!(cause, "the keyring failed");
    // What the Secret Service client and the bus say; see `secret_service::Error`. Other systems have one cause less to tell apart.
    let says = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    if says(&["object locked", "IsLocked", "prompt dismissed", "prompt completed"]) {
        SecretsError::Locked
    } else if says(&["result not returned"]) {
        SecretsError::NoCollection
    } else if says(&[
        "no secret service provider",
        "ServiceUnknown",
        "NameHasNoOwner",
        "I/O error",
        "NoReply",
        "Disconnected",
    ]) {
        SecretsError::NoKeyring
    } else {
        SecretsError::Refused
    }
}
