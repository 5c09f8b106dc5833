//! The hub moved while somebody types: a banner, marks beside the lines, and what touches no edit goes into the text around the
//! caret.

use super::editor::{EditorView, selection, shown};
use super::theme::palette;
use super::twin::strip;
use super::widgets::{self, Tone};
use super::{Frame, editor_id, when};
use crate::app::tab::{Mark, MarkKind, Moved};
use crate::app::{Action, Tab};
use crate::twin::text::splice::Edit;
use egui::{Context, Galley, Rect, Stroke, Ui, Vec2, WidgetInfo};
use std::ops::Range;

pub(super) fn banners_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    match (&tab.moved, &tab.followed) {
        (Some(moved), _) => moved_ui(f, ui, tab, moved),
        (None, Some(followed)) if !followed.there.is_empty() => {
            let age = when::ago(ui.ctx(), f.app.now, followed.at);
            let text = format!(
                "The hub moved to version {}, {age}: {}, none of them yours. Your text has them now, marked beside it.",
                followed.version,
                when::count(followed.there.len(), "path"),
            );
            strip(ui, "moved", |ui| {
                widgets::banner(ui, Tone::Info, &text, |ui| {
                    if ui.button("Dismiss").clicked() {
                        f.push(Action::DismissFollowed(tab.id.clone()));
                    }
                });
            });
        }
        (None, _) => {}
    }
}

fn moved_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let age = when::ago(ui.ctx(), f.app.now, moved.at);
    let version = moved.version;
    let followed = tab.followed.as_ref().map_or(0, |followed| followed.there.len());
    let (changes, clashes) = (moved.changes.len() + followed, moved.clashes.len());
    // Untouched text stands still only because the caret is in it.
    let untouched = !tab.is_dirty();
    let text = if moved.recreated {
        format!(
            "{} was deleted and created again, seen {age}: the hub has a new twin at version {version}. {}",
            tab.id,
            if untouched { "This is the text of the one before." } else { "Your edits were made on the one before." }
        )
    } else if moved.unparsed {
        format!("The hub moved to version {version}, {age}; {}. It is untouched.", super::conflict::UNPARSED)
    } else if untouched {
        format!("The hub has a newer version of this text, {version}, {age}: {} changed.", when::count(changes, "path"))
    } else {
        let what = match (changes, clashes) {
            (0, 0) => "nothing you edit".to_owned(),
            (n, 0) => format!("{}, none of them yours", when::count(n, "path")),
            (n, c) => format!("{}, {c} of them edited here too", when::count(n, "path")),
        };
        // What came in by itself, and what came since the question was opened.
        let rest = match (followed, moved.theirs_only.len()) {
            (0, _) => "Your text is untouched.".to_owned(),
            (_, 0) if changes == clashes + 1 => "The other is in your text now.".to_owned(),
            (_, 0) => "The others are in your text now.".to_owned(),
            (there, waiting) => format!("{there} in your text now, {waiting} not yet."),
        };
        format!("The hub moved to version {version}, {age}: {what}. {rest}")
    };
    let tone = if clashes == 0 && !moved.unparsed && !moved.recreated { Tone::Info } else { Tone::Warn };
    strip(ui, "moved", |ui| {
        widgets::banner(ui, tone, &text, |ui| {
            if untouched {
                if ui.button("Show it").clicked() {
                    f.push(Action::DiscardNow(tab.id.clone()));
                }
            } else if ui.button("Resolve…").clicked() {
                f.push(Action::ShowConflict(tab.id.clone()));
            }
        });
    });
}

/// What others changed goes into the texts once no caret stands in it; the editors then keep caret and view on what they are on.
/// Comes after the editors in a frame: a key typed in the same frame goes first.
pub(super) fn follow(f: &mut Frame, ctx: &Context, tab: &Tab) {
    let (Some(sections), Some(draft)) = (tab.to_follow(), &tab.draft) else { return };
    if f.out.iter().any(|action| matches!(action, Action::Edit { .. } | Action::RevertChange { .. })) {
        return;
    }
    let focused = ctx.memory(egui::Memory::focused);
    for (section, edits) in sections {
        let (id, text) = (editor_id(&tab.id, *section), &draft.section(*section).text);
        let selected = || selection(ctx, id, text).range();
        if focused == Some(id) && edits.iter().any(|edit| touches(edit, &selected())) {
            return;
        }
    }
    if let Some(shown) = tab.shown() {
        f.push(Action::FollowHub { id: tab.id.clone(), shown });
    }
}

/// Whether an edit takes away or replaces something the selection is in or stands at. What is only put in beside it, or goes right
/// behind it, does not.
fn touches(edit: &Edit, selected: &Range<usize>) -> bool {
    if edit.range.is_empty() {
        return edit.range.start > selected.start && edit.range.start < selected.end;
    }
    let start = if edit.text.is_empty() { edit.range.start + 1 } else { edit.range.start };
    start <= selected.end && edit.range.end >= selected.start
}

impl EditorView {
    /// Signs beside the lines the hub changed, each with its words. `top` is where the galley begins.
    pub(super) fn marks_ui(ui: &Ui, strip: Rect, galley: &Galley, top: f32, marks: &[&Mark]) {
        let p = palette(ui);
        for (n, mark) in marks.iter().enumerate() {
            let Some(row) = shown(galley, mark.line - 1) else { continue };
            let y = top + row.pos.y + row.row.size.y / 2.0;
            if y < strip.top() || y > strip.bottom() {
                continue;
            }
            let center = egui::pos2(strip.left() + 6.0, y);
            let around = |points: [(f32, f32); 4]| points.map(|(x, y)| center + Vec2::new(x, y)).to_vec();
            let diamond = around([(0.0, -4.0), (4.0, 0.0), (0.0, 4.0), (-4.0, 0.0)]);
            let shape = match mark.kind {
                MarkKind::Followed => egui::Shape::convex_polygon(diamond, p.accent, Stroke::NONE),
                MarkKind::Waiting => egui::Shape::closed_line(diamond, Stroke::new(1.5, p.accent)),
                MarkKind::Clash => {
                    let triangle = around([(0.0, -4.0), (4.5, 4.0), (0.0, 4.0), (-4.5, 4.0)]);
                    egui::Shape::convex_polygon(triangle, p.warn, Stroke::NONE)
                }
            };
            ui.painter_at(strip).add(shape);
            let rect = Rect::from_center_size(center, Vec2::new(12.0, 18.0));
            let word = match mark.kind {
                MarkKind::Followed => "",
                MarkKind::Waiting => ", not in your text yet",
                MarkKind::Clash => ", and here too",
            };
            let name = format!("Line {}, {}{word}", mark.line, mark.words);
            let response = ui.interact(rect, ui.scope_id().with(("mark", n)), egui::Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Label, true, &name));
            response.on_hover_text(name);
        }
    }
}
