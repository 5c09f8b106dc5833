//! The two faces of a draft: its text, and the tree over the same text.
//!
//! An edit in the tree is an edit of the text, and comes as [`Action::Edit`](super::Action::Edit) like one that was typed.

use super::App;
use crate::twin::TwinId;
use crate::worker::Command;

/// How desired and tags are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Face {
    #[default]
    Text,
    Tree,
}

impl Face {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Text => Self::Tree,
            Self::Tree => Self::Text,
        }
    }
}

impl App {
    pub(super) fn show_face(&mut self, id: &TwinId, face: Face) -> Vec<Command> {
        if let Some(tab) = self.tab_mut(id) {
            tab.face = face;
        }
        Vec::new()
    }
}
