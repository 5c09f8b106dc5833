//! Laws and cases of the pure twin room.

mod draft;
mod given;
mod hunks;
mod laws;
mod merge;
mod patch;
mod rules;
mod splice;
mod text;
mod wire;
