//! The one integration binary: contract, panels, journeys, tidy.

// A test may stop where it stands.
#![allow(clippy::unwrap_used)]
// `json!` values read best where they are made.
#![allow(clippy::needless_pass_by_value)]

mod app;
mod client;
mod copy_as;
mod demo;
mod disk;
mod disk_damage;
mod disk_discarded;
mod disk_journal;
mod disk_kept;
mod disk_processes;
mod durations;
mod faults;
mod hub_authority;
mod hub_disk;
mod hub_events;
mod hub_faults;
mod hub_handshake;
mod hub_jobs;
mod hub_listen;
mod hub_messages;
mod hub_methods;
mod hub_mqtt;
mod hub_names;
mod hub_quirks;
mod hub_rest;
mod hub_x509;
mod journeys;
mod logging;
mod panels;
mod pointing;
mod protocol;
mod query;
mod restarting;
mod rounds;
mod secrets;
mod start;
mod support;
mod tidy;
mod token;
mod twin;
mod worker;
