//! Journeys: the whole program against a real hub, driven as a screen reader drives it. Only the native window is missing.

mod acting;
mod bad_input;
mod choosing;
mod compare;
mod conflict;
mod drafts;
mod events;
mod faults;
mod first_start;
mod history;
mod keyboard;
mod large;
mod messages;
mod methods;
mod odd_ids;
mod outage;
mod program;
mod replace;
mod second;
mod watching;

pub use second::Second;
