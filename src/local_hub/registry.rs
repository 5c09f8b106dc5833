//! What the hub knows: identities and twins. Every mutation is a synchronous function that returns what changed.
