//! The hub's memory and the `twinscope hub` command: restart, kill, every acknowledged write is there.

mod command;
mod kill;
mod restart;
