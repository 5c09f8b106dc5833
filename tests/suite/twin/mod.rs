//! Laws and cases of the pure twin room.

mod change;
mod draft;
mod fold;
mod given;
mod history;
mod hunks;
mod known;
mod laws;
mod lines;
mod merge;
mod paste;
mod patch;
mod rebase;
mod replace;
mod rules;
mod search;
mod shift;
mod splice;
mod spot;
mod suggest;
mod text;
mod tree;
mod typing;
mod undo;
mod visible;
mod wire;
