//! A dialog does not stay open about what is no more: edits that were saved meanwhile, a tab that went with its device.

use super::{App, Dialog, Tab};

impl App {
    /// Closes the dialog in front if there is nothing left to ask; corrects the list of what is not saved.
    pub(super) fn leave_moot_dialog(&mut self) {
        let unsaved: Vec<_> = match &self.dialog {
            Some(Dialog::Quit { .. }) => self.unsaved().map(|tab| tab.id.clone()).collect(),
            _ => Vec::new(),
        };
        let is_moot = match &mut self.dialog {
            Some(Dialog::Quit { unsaved: listed }) => {
                listed.retain(|id| unsaved.contains(id));
                listed.is_empty()
            }
            Some(Dialog::Discard { id } | Dialog::ReloadFromHub { id }) => {
                let id = id.clone();
                !self.tab(&id).is_some_and(Tab::is_dirty)
            }
            Some(Dialog::CloseTab { id }) => {
                let id = id.clone();
                !self.tab(&id).is_some_and(Tab::would_lose)
            }
            Some(Dialog::ActAs { id, .. }) => {
                let id = id.clone();
                self.tab(&id).is_none_or(|tab| tab.act.is_some())
            }
            _ => false,
        };
        if is_moot {
            self.dialog = None;
        }
    }
}
