//! Laws and cases of the pure twin room.

mod draft;
mod given;
mod laws;
mod merge;
mod patch;
mod replace;
mod rules;
mod splice;
mod text;
mod wire;
