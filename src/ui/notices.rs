//! Messages that stay until they are dismissed or overtaken.

use super::Frame;
use super::theme::palette;
use super::widgets::{self, Tone};
use crate::app::{Action, NoticeKind};
use egui::Ui;

/// Notices on screen at once; older ones wait behind them.
const SHOWN: usize = 3;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    if app.notices.is_empty() {
        return;
    }
    let fill = palette(ui).panel;
    egui::Panel::bottom("notices").frame(egui::Frame::new().fill(fill)).resizable(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let waiting = app.notices.len().saturating_sub(SHOWN);
        for notice in &app.notices[waiting..] {
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
        if waiting > 0 {
            ui.horizontal(|ui| {
                ui.add_space(12.0);
                widgets::weak(ui, format!("and {waiting} more"));
                if ui.button("Dismiss all").clicked() {
                    f.push(Action::DismissAll);
                }
            });
        }
    });
}
