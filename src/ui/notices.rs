//! Messages that stay until they are dismissed or overtaken.

use super::Frame;
use super::theme::palette;
use super::widgets::{self, Tone};
use crate::app::{Action, Notice, NoticeKind};
use egui::{ScrollArea, Ui};

/// As much of the window as they take at most; what has no room scrolls.
const SHARE: f32 = 0.3;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    if app.notices.is_empty() {
        return;
    }
    let fill = palette(ui).panel;
    let room = (ui.ctx().content_rect().height() * SHARE).max(96.0);
    egui::Panel::bottom("notices").frame(egui::Frame::new().fill(fill)).resizable(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let list = ScrollArea::vertical().id_salt("notices").max_height(room).min_scrolled_height(room);
        // The newest is in view.
        list.auto_shrink([false, true]).stick_to_bottom(true).show(ui, |ui| {
            for notice in &app.notices {
                notice_ui(f, ui, notice);
            }
        });
        if app.notices.len() > 1 {
            ui.horizontal(|ui| {
                ui.add_space(12.0);
                widgets::weak(ui, format!("{} messages", app.notices.len()));
                if ui.button("Dismiss all").clicked() {
                    f.push(Action::DismissAll);
                }
            });
        }
    });
}

fn notice_ui(f: &mut Frame, ui: &mut Ui, notice: &Notice) {
    let tone = match notice.kind {
        NoticeKind::Good => Tone::Good,
        NoticeKind::Info => Tone::Info,
        NoticeKind::Problem => Tone::Bad,
    };
    let text = super::describe::sentence(&notice.text);
    widgets::banner(ui, tone, &text, |ui| {
        if let Some(detail) = &notice.detail {
            widgets::copy_details(ui, detail);
        }
        if ui.button("Dismiss").clicked() {
            f.push(Action::Dismiss(notice.number));
        }
    });
}
