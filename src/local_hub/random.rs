//! Random bytes for keys and seeds, from the same source TLS uses.

use super::registry::Mint;
use crate::protocol::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the registry makes keys and counters from.
pub const MINT: Mint = Mint { key, number };

/// 32 bytes nobody can guess.
///
/// # Panics
/// When the system has no randomness to give: a hub with guessable keys must not start.
#[must_use]
pub fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

/// A new shared access key: base64 of 32 random bytes, as the hub makes them.
#[must_use]
pub fn key() -> Secret {
    Secret::new(STANDARD.encode(bytes()))
}

/// 64 random bits.
#[must_use]
pub fn number() -> u64 {
    bytes()[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A number to draw others from, short enough to be copied by hand.
#[must_use]
pub fn seed() -> u64 {
    let [a, b, c, d, ..] = bytes();
    u64::from(u32::from_be_bytes([a, b, c, d]))
}
