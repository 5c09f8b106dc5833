//! The hub's memory: restart, kill, every acknowledged write is there.
