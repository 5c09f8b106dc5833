//! The signs of folding, beside and behind the lines of a text: the same in the editor and where a text is only read.

use super::editor::squiggles;
use super::theme::{self, Palette, palette};
use super::{icons, when};
use crate::twin::text::fold::Fold;
use egui::accesskit::Role;
use egui::{CursorIcon, FontId, Id, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

/// How wide a sign is in the gutter, in points.
pub(super) const SIGN: f32 = 14.0;

/// Between a line and what stands for what is folded into it.
const GAP: f32 = 8.0;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Folded,
}

/// The sign of a line, `y` its middle, at the right end of a gutter. It is seen while the pointer is in the gutter, a folded
/// one's always. Returns whether it was clicked.
pub(super) fn sign_ui(ui: &Ui, id: Id, gutter: Rect, y: f32, fold: &Fold, state: State) -> bool {
    let size = Vec2::new(SIGN + 4.0, theme::LINE);
    let rect = Rect::from_center_size(egui::pos2(gutter.right() - size.x / 2.0, y), size).intersect(gutter);
    if !rect.is_positive() {
        return false;
    }
    let p = palette(ui);
    let seen = state == State::Folded || ui.rect_contains_pointer(gutter);
    let act = if state == State::Open { "Fold" } else { "Unfold" };
    let name = format!("{act} line {}", fold.head + 1);
    // Not a stop of the Tab key: there is one at almost every line, and the keys fold.
    let response = ui.interact(rect, id.with(("fold", fold.open)), Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.hovered() {
        ui.set_cursor_icon(CursorIcon::PointingHand);
    }
    if seen {
        let color = if response.hovered() { p.text } else { p.weak };
        icons::arrow(&ui.painter_at(gutter), rect.center(), state == State::Open, color);
    }
    response.on_hover_text(name).clicked()
}

/// What stands behind a folded line, `line` being its letters on the screen: how much is folded, and the closing bracket.
/// `wrong` says each problem in it. Returns whether it was clicked.
pub(super) fn stub_ui(ui: &mut Ui, id: Id, line: Rect, fold: &Fold, wrong: &[String]) -> bool {
    let p = palette(ui);
    let amount = format!("{} {}", when::grouped(fold.count), fold.kind.word(fold.count));
    let laid = |text: String, font: FontId, color| ui.painter().layout_no_wrap(text, font, color);
    let words = laid(format!("… {amount}"), theme::small(), p.weak);
    let tail = laid(fold.tail.to_owned(), theme::mono(), p.weak);
    let left = egui::pos2(line.right() + GAP, line.center().y);
    let chip = Rect::from_min_size(left - Vec2::new(0.0, 8.0), Vec2::new(words.size().x + 10.0, 16.0));
    let behind = egui::pos2(chip.right() + 4.0, line.center().y - tail.size().y / 2.0);
    let whole = chip.union(Rect::from_min_size(behind, tail.size()));
    ui.expand_to_include_rect(whole.expand2(Vec2::new(GAP, 0.0)));
    if !ui.is_rect_visible(whole) {
        return false;
    }
    // A drag that begins here is none of the text behind it.
    let response = ui.interact(whole, id.with(("stub", fold.open)), Sense::CLICK | Sense::DRAG);
    let problems = match wrong.len() {
        0 => String::new(),
        n => format!(", with {}", when::count(n, "problem")),
    };
    let name = format!("Show {amount} of line {}{problems}", fold.head + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let at = egui::pos2(chip.left() + 5.0, chip.center().y - words.size().y / 2.0);
    frame_ui(ui, p, chip, &response, wrong);
    ui.painter().galley(at, words, p.weak);
    ui.painter().galley(behind, tail, p.weak);
    if response.hovered() {
        ui.set_cursor_icon(CursorIcon::PointingHand);
    }
    let clicked = response.clicked();
    response.on_hover_ui(|ui| {
        ui.set_max_width(420.0);
        ui.label(name);
        for problem in wrong.iter().take(8) {
            ui.label(egui::RichText::new(problem).color(p.bad));
        }
    });
    clicked
}

fn frame_ui(ui: &Ui, p: &Palette, chip: Rect, response: &Response, wrong: &[String]) {
    let fill = if response.hovered() { p.button_hover } else { p.button };
    let edge = if wrong.is_empty() { p.line } else { p.bad };
    ui.painter().rect(chip, 3.0, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    if !wrong.is_empty() {
        let under = Rect::from_min_max(Pos2::new(chip.left(), chip.top()), chip.max + Vec2::new(0.0, 2.0));
        ui.painter().add(squiggles::wave(under, p.bad));
    }
}
