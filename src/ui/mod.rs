//! Paints and listens: one file per panel. Never blocks, never locks, never reads a file; asks [`crate::app::App`] what is
//! known and answers with [`Action`]s.

use crate::app::{Action, App};

/// What only the painting needs to remember: scroll, caret, what is collapsed, measured widths.
#[derive(Default)]
pub struct View {
    _private: (),
}

/// Paints the whole window into `ui` and returns what the person meant by clicks and keys. Works without a native window (tests).
pub fn show(app: &App, view: &mut View, ui: &mut egui::Ui) -> Vec<Action> {
    let _ = (app, view, ui);
    todo!()
}

/// Sets fonts and styles once, before the first frame. `choice` is followed from then on by [`show`].
pub fn prepare(ctx: &egui::Context) {
    let _ = ctx;
    todo!()
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// One sentence naming what to install or to run instead, when there is no display, no GL driver or a system library is missing.
pub fn run(options: crate::worker::WorkerOptions) -> Result<(), String> {
    let _ = options;
    todo!()
}
