//! Commands in, events out: the background half through its public face, against real hubs on free ports.

mod acting;
mod connections;
mod damage;
mod drafts;
mod endless;
mod fleet;
mod journal;
mod keyring;
mod lives;
mod once;
mod outages;
mod past;
mod proxy;
pub mod rig;
mod saving;
mod watching;
