//! Paths that need no decision: changed by one side only, or by both alike.

use crate::twin::Section;
use crate::twin::diff::Change;
use crate::ui::changes::{Revert, change_ui};
use crate::ui::theme;
use crate::ui::widgets;
use egui::{RichText, Ui};

const SHOWN: usize = 300;

pub(super) fn list_ui(ui: &mut Ui, title: &str, changes: &[(Section, Change)]) {
    if changes.is_empty() {
        return;
    }
    ui.add_space(8.0);
    ui.label(RichText::new(format!("{title} ({})", changes.len())).font(theme::strong()));
    let mut last = None;
    for (section, change) in changes.iter().take(SHOWN) {
        if last != Some(*section) {
            widgets::weak(ui, section.word());
            last = Some(*section);
        }
        change_ui(ui, change, Revert::Absent);
    }
    if changes.len() > SHOWN {
        widgets::weak(ui, format!("and {} more", changes.len() - SHOWN));
    }
}
