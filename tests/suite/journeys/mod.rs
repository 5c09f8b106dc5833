//! Journeys: the whole program against a real hub, driven as a screen reader drives it. Only the native window is missing.

mod acting;
mod bad_input;
mod conflict;
mod drafts;
mod events;
mod faults;
mod first_start;
mod keyboard;
mod messages;
mod methods;
mod odd_ids;
mod outage;
mod program;
mod second;
mod watching;
