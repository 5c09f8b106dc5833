//! Two sides: each difference under its path, side by side or inline; what is the same is folded.

use super::super::theme::{self, Palette, palette};
use super::super::{Frame, icons, when, widgets};
use super::{line_ui, push};
use crate::app::Tab;
use crate::app::compare::{CompareAct, Face};
use crate::twin::diff::ChangeKind;
use crate::twin::hunks::{Hunk, Part};
use crate::twin::text::compact;
use egui::accesskit::Role;
use egui::{Align, Color32, Id, Layout, Pos2, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, Vec2, WidgetInfo};

const LINE: f32 = 18.0;
const FOLD: f32 = 24.0;
const HEAD: f32 = 32.0;
/// Room for what can be done with a difference.
const ACTS: f32 = 152.0;

/// One line of the pane.
enum Line<'a> {
    Fold { part: usize, lines: usize, open: bool },
    Same(&'a str),
    Head { number: usize, hunk: &'a Hunk },
    Beside(Option<&'a str>, Option<&'a str>),
    Before(&'a str),
    After(&'a str),
}

impl Line<'_> {
    fn height(&self) -> f32 {
        match self {
            Self::Fold { .. } => FOLD,
            Self::Head { .. } => HEAD,
            _ => LINE,
        }
    }
}

fn lines<'a>(parts: &'a [Part], face: Face, open: &std::collections::HashSet<usize>) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut number = 0;
    for (part, piece) in parts.iter().enumerate() {
        match piece {
            Part::Same(same) => {
                let open = open.contains(&part);
                lines.push(Line::Fold { part, lines: same.len(), open });
                if open {
                    lines.extend(same.iter().map(|line| Line::Same(line)));
                }
            }
            Part::Hunk(hunk) => {
                lines.push(Line::Head { number, hunk });
                number += 1;
                if face == Face::Inline {
                    lines.extend(hunk.before.iter().map(|line| Line::Before(line)));
                    lines.extend(hunk.after.iter().map(|line| Line::After(line)));
                } else {
                    let at = |side: &'a [String], n: usize| side.get(n).map(String::as_str);
                    let longest = hunk.before.len().max(hunk.after.len());
                    lines.extend((0..longest).map(|n| Line::Beside(at(&hunk.before, n), at(&hunk.after, n))));
                }
            }
        }
    }
    lines
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, parts: &[Part], face: Face) {
    if !parts.iter().any(|part| matches!(part, Part::Hunk(_))) {
        let why = format!("{} and {}", tab.side_name(tab.compare.left), tab.side_name(tab.compare.right));
        let title = format!("Nothing differs in {}", tab.compare.section.word());
        if parts.is_empty() {
            widgets::empty(ui, &title, &format!("{why}: there is nothing in either"), |_| {});
            return;
        }
        ui.vertical_centered(|ui| widgets::heading(ui, &title));
    }
    let lines = lines(parts, face, &f.view.compare.open);
    let height: f32 = lines.iter().map(Line::height).sum();
    let (current, reveal) = (f.view.compare.current, std::mem::take(&mut f.view.compare.reveal));
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let scroll = ScrollArea::vertical().id_salt(("compare", tab.id.to_string()));
    scroll.min_scrolled_height(16.0).auto_shrink(false).show_viewport(ui, |ui, viewport| {
        ui.set_min_height(height + 8.0);
        let (left, right, top) = (ui.max_rect().left() + 12.0, ui.max_rect().right() - 12.0, ui.min_rect().top());
        let mut y = 0.0;
        for (n, line) in lines.iter().enumerate() {
            let rect = Rect::from_x_y_ranges(left..=right, top + y..=top + y + line.height());
            let next = y + line.height();
            let revealed = reveal && matches!(line, Line::Head { number, .. } if Some(*number) == current);
            if revealed {
                // With what belongs to it and a little before.
                ui.scroll_to_rect(rect.expand2(Vec2::new(0.0, 60.0)), None);
            }
            if revealed || next >= viewport.top() && y <= viewport.bottom() {
                one_ui(f, ui, tab, rect, n, line, revealed);
            }
            y = next;
        }
    });
}

fn one_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, rect: Rect, n: usize, line: &Line, revealed: bool) {
    let p = palette(ui);
    let id = Id::unique(("compare-line", n));
    match line {
        Line::Fold { part, lines, open } => fold_ui(f, ui, rect, *part, *lines, *open),
        Line::Head { number, hunk } => head_ui(f, ui, tab, rect, *number, hunk, revealed),
        Line::Same(text) => {
            line_ui(ui, id, rect.shrink2(Vec2::new(20.0, 0.0)), text, p.weak);
        }
        Line::Before(text) => signed_ui(ui, id, rect, "−", Some(text), p.bad, p.bad_back),
        Line::After(text) => signed_ui(ui, id, rect, "+", Some(text), p.good, p.info_back),
        Line::Beside(before, after) => {
            let middle = rect.center().x;
            signed_ui(ui, id.with("l"), rect.with_max_x(middle - 3.0), "−", *before, p.bad, p.bad_back);
            signed_ui(ui, id.with("r"), rect.with_min_x(middle + 3.0), "+", *after, p.good, p.info_back);
        }
    }
}

/// One line of one side, with its sign; hatched by emptiness where the side has none.
fn signed_ui(ui: &Ui, id: Id, rect: Rect, sign: &str, text: Option<&str>, color: Color32, back: Color32) {
    let p = palette(ui);
    let Some(text) = text else {
        ui.painter().rect_filled(rect, 0.0, p.panel);
        return;
    };
    ui.painter().rect_filled(rect, 0.0, back);
    let at = Pos2::new(rect.left() + 6.0, rect.center().y);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, sign, theme::mono(), color);
    line_ui(ui, id, rect.with_min_x(rect.left() + 20.0).with_max_x(rect.right() - 4.0), text, p.text);
}

fn fold_ui(f: &mut Frame, ui: &Ui, rect: Rect, part: usize, lines: usize, open: bool) {
    let p = palette(ui);
    let response = ui.interact(rect, Id::unique(("compare-fold", part)), Sense::click());
    let edge = if response.has_focus() { p.accent } else { Color32::TRANSPARENT };
    let fill = if response.hovered() { p.hover } else { Color32::TRANSPARENT };
    ui.painter().rect(rect.shrink(1.0), 4.0, fill, egui::Stroke::new(1.0, edge), egui::StrokeKind::Inside);
    let verb = if open { "Hide" } else { "Show" };
    let name = format!("{verb} {}", when::count(lines, "unchanged line"));
    icons::arrow(ui.painter(), Pos2::new(rect.left() + 10.0, rect.center().y), open, p.weak);
    let galley = widgets::clipped(ui, &name, theme::small(), p.weak, rect.width() - 24.0);
    ui.painter().galley(Pos2::new(rect.left() + 20.0, rect.center().y - galley.size().y / 2.0), galley, p.weak);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.clicked() {
        let unfolded = &mut f.view.compare.open;
        if !unfolded.remove(&part) {
            unfolded.insert(part);
        }
    }
}

fn kind_word(kind: ChangeKind, p: &Palette) -> (&'static str, &'static str, Color32) {
    match kind {
        ChangeKind::Added => ("+", "only on the right", p.good),
        ChangeKind::Removed => ("−", "only on the left", p.bad),
        ChangeKind::Changed => ("~", "differs", p.accent),
    }
}

/// What taking over does to the draft, which stands on the right.
fn act_words(kind: ChangeKind) -> (&'static str, &'static str) {
    match kind {
        ChangeKind::Added => ("Remove here", "Takes this out of the draft: the left side has none; nothing is sent"),
        ChangeKind::Removed => ("Add here", "Puts what the left side has into the draft; nothing is sent"),
        ChangeKind::Changed => ("Take from left", "Makes the draft say what the left side says; nothing is sent"),
    }
}

/// The path of a difference, and what can be done with it.
fn head_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, rect: Rect, number: usize, hunk: &Hunk, revealed: bool) {
    let p = palette(ui);
    let path = hunk.change.path.to_string();
    let (sign, word, color) = kind_word(hunk.change.kind(), p);
    let response =
        ui.interact(rect.with_max_x(rect.right() - ACTS - 2.0), Id::unique(("hunk", number)), Sense::click());
    if revealed {
        response.request_focus();
    }
    if response.clicked() {
        f.view.compare.current = Some(number);
    }
    if f.view.compare.current == Some(number) {
        ui.painter().rect_filled(rect.shrink2(Vec2::new(0.0, 2.0)), 4.0, p.chosen);
    }
    if response.has_focus() {
        let ring = egui::Stroke::new(1.0, p.accent);
        ui.painter().rect_stroke(rect.shrink2(Vec2::new(0.0, 2.0)), 4.0, ring, egui::StrokeKind::Inside);
    }
    let at = Pos2::new(rect.left() + 6.0, rect.center().y);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, sign, theme::mono(), color);
    let room = rect.width() - 20.0 - ACTS - 8.0;
    let title = widgets::clipped(ui, &path, theme::mono(), p.text, room);
    let (width, elided) = (title.size().x, title.elided);
    ui.painter().galley(Pos2::new(rect.left() + 20.0, rect.center().y - title.size().y / 2.0), title, p.text);
    let said = widgets::clipped(ui, word, theme::small(), p.weak, (room - width - 10.0).max(0.0));
    let place = Pos2::new(rect.left() + 30.0 + width, rect.center().y - said.size().y / 2.0);
    ui.painter().galley(place, said, p.weak);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{path}, {word}")));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(f.view.compare.current == Some(number)));
    if elided {
        response.on_hover_text(&path);
    }
    let acts = rect.with_min_x(rect.right() - ACTS).shrink2(Vec2::new(4.0, 4.0));
    let builder = UiBuilder::new().max_rect(acts).id_salt(("hunk-acts", number));
    let mut ui = ui.new_child(builder.layout(Layout::right_to_left(Align::Center)));
    ui.spacing_mut().item_spacing.x = 4.0;
    acts_ui(f, &mut ui, tab, &path, hunk);
}

fn acts_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, path: &str, hunk: &Hunk) {
    let off = tab.take_refusal();
    let (act, means) = act_words(hunk.change.kind());
    let button = egui::Button::new(crate::ui::widgets::shown(act).font(theme::small()));
    let take = ui.add_enabled(off.is_none(), button).accessible_name(format!("{act}: {path}"));
    ui.ctx().accesskit_node_builder(take.id, |node| node.set_description(off.unwrap_or(means)));
    let take = take.on_hover_text(means).on_disabled_hover_text(off.unwrap_or_default());
    if take.clicked() {
        push(f, tab, CompareAct::Take(vec![hunk.change.clone()]));
    }
    let copy = ui.menu_button(RichText::new("Copy").font(theme::small()), |ui| {
        let sides = [("Left value", &hunk.change.before), ("Right value", &hunk.change.after)];
        for (name, value) in sides {
            let value = value.as_ref().map(compact);
            let absent = value.is_none().then_some("There is none on this side");
            if widgets::act(ui, name, absent).clicked()
                && let Some(value) = value
            {
                ui.ctx().copy_text(value);
            }
        }
        if ui.button("Path").clicked() {
            ui.ctx().copy_text(path.to_owned());
        }
    });
    copy.response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Copy of {path}")));
}
