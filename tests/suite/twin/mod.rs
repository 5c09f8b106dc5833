//! Laws and cases of the pure twin room.

mod draft;
mod given;
mod laws;
mod patch;
mod rules;
mod text;
mod wire;
