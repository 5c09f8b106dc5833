//! The hub's memory and the `twinscope hub` command: restart, kill, every acknowledged write is there.

mod broken;
pub mod command;
mod damage;
mod flaky;
mod full;
mod kill;
mod kill_more;
mod ledger;
mod restart;
mod sessions;
