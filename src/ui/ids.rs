//! The ids of what belongs to one twin. egui keeps carets, selections, scrolling and focus by id, and two hubs may have twins of the
//! same name: the hub in front is a part of each id.

use std::cell::Cell;
use std::hash::Hash;

thread_local! {
    /// The hub in front, of the window that this thread paints.
    static HUB: Cell<Option<egui::Id>> = const { Cell::new(None) };
}

/// What is painted from here on is of this hub. Called at the start of every frame.
pub(super) fn enter(hub: Option<egui::Id>) {
    HUB.set(hub);
}

/// The id of something of a twin of the hub in front; `parts` name the twin and what it is.
pub(super) fn of_twin(parts: impl Hash + std::fmt::Debug) -> egui::Id {
    egui::Id::unique((HUB.get(), parts))
}

/// The hub in front, for what takes its id from the place it is painted in.
pub(super) fn hub() -> Option<egui::Id> {
    HUB.get()
}
