//! Commands in, events out: the background half through its public face, against real hubs on free ports.

mod acting;
mod connections;
mod damage;
mod drafts;
mod fleet;
mod journal;
mod lives;
mod keyring;
mod once;
mod outages;
mod past;
mod proxy;
pub mod rig;
mod saving;
mod watching;
