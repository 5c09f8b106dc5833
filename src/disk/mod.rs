//! Remembers: settings, connections, secrets in the OS keyring.
