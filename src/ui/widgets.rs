//! Small pieces several panels are made of: named buttons, fields, headings, banners.

use super::describe::Said;
use super::field;
use super::theme::{self, Palette, palette};
use crate::twin::text::visible;
use egui::accesskit::Role;
use egui::{Button, Frame, Margin, Response, RichText, Sense, Ui, Vec2, WidgetInfo};

/// A quiet text in the weak colour.
pub fn weak(ui: &mut Ui, text: impl Into<String>) -> Response {
    let color = palette(ui).weak;
    ui.label(shown(text.into()).color(color))
}

/// A text that may be of foreign origin: what of it cannot be seen is written as its code point.
pub fn shown(text: impl AsRef<str>) -> RichText {
    RichText::new(visible::lines(text.as_ref()))
}

/// A text a person may want to select and copy.
pub fn selectable(ui: &mut Ui, text: RichText) -> Response {
    ui.add(egui::Label::new(text).selectable(true).wrap())
}

pub fn heading(ui: &mut Ui, text: &str) -> Response {
    ui.label(shown(text).font(theme::strong()))
}

/// A button that may be off, with the reason on it.
pub fn act(ui: &mut Ui, name: &str, off: Option<&str>) -> Response {
    let response = ui.add_enabled(off.is_none(), Button::new(shown(name)));
    match off {
        Some(why) => {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
            response.on_disabled_hover_text(why)
        }
        None => response,
    }
}

/// The one act a pane is for.
pub fn primary(ui: &mut Ui, name: &str, off: Option<&str>) -> Response {
    let p = palette(ui);
    let text = shown(name).font(theme::strong());
    let button = if off.is_none() { Button::new(text.color(p.on_accent)).fill(p.accent) } else { Button::new(text) };
    let response = ui.add_enabled(off.is_none(), button);
    if response.has_focus() {
        let ring = egui::Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(response.rect.expand(2.0), 6.0, ring, egui::StrokeKind::Outside);
    }
    match off {
        Some(why) => {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
            response.on_disabled_hover_text(why)
        }
        None => response,
    }
}

/// A button without a frame until the pointer is on it.
pub fn quiet(ui: &mut Ui, name: &str) -> Response {
    ui.add(Button::new(shown(name)).frame_when_inactive(false).frame(true))
}

/// One of several of which one is shown; role and state of a tab.
pub fn tab(ui: &mut Ui, selected: bool, name: &str) -> Response {
    tab_in(ui, selected, name, if selected { theme::strong() } else { theme::body() })
}

/// A tab where there is little room.
pub fn small_tab(ui: &mut Ui, selected: bool, name: &str) -> Response {
    tab_in(ui, selected, name, theme::small())
}

fn tab_in(ui: &mut Ui, selected: bool, name: &str, font: egui::FontId) -> Response {
    let p = palette(ui);
    let color = if selected { p.text } else { p.weak };
    let response = ui.add(
        Button::new(RichText::new(name).font(font).color(color))
            .fill(egui::Color32::TRANSPARENT)
            .stroke(egui::Stroke::NONE)
            .corner_radius(0),
    );
    let rect = response.rect;
    if selected {
        ui.painter().hline(rect.x_range().shrink(4.0), rect.bottom() - 1.0, egui::Stroke::new(2.0, p.accent));
    } else if response.hovered() {
        ui.painter().hline(rect.x_range().shrink(4.0), rect.bottom() - 1.0, egui::Stroke::new(2.0, p.line));
    }
    as_tab(ui, &response, selected, name);
    response
}

/// Says that a widget is a tab.
pub fn as_tab(ui: &Ui, response: &Response, selected: bool, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Tab, ui.is_enabled(), name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(selected));
}

/// How wide the cross in a search field is.
const CROSS: i8 = 22;

/// A field of one line with its name for screen readers. Returns the new text when it changed.
pub fn field(ui: &mut Ui, id: egui::Id, name: &str, text: &str, hint: &str, width: f32) -> (Response, Option<String>) {
    let mut edited = text.to_owned();
    let weak = palette(ui).weak;
    let response = field::one_line(ui, &mut edited, id, &theme::body(), |edit| {
        edit.hint_text(RichText::new(hint).color(weak)).desired_width(width).min_size(Vec2::new(0.0, theme::ROW))
    })
    .accessible_name(name);
    let changed = response.changed().then_some(edited);
    (response, changed)
}

/// A field of one line that searches a list: Esc and the cross in it empty it, and the focus stays. Returns the new text when it
/// changed.
pub fn search_field(
    ui: &mut Ui,
    id: egui::Id,
    name: &str,
    text: &str,
    hint: &str,
    width: f32,
) -> (Response, Option<String>) {
    let mut edited = text.to_owned();
    let p = palette(ui);
    let response = field::one_line(ui, &mut edited, id, &theme::body(), |edit| {
        edit.hint_text(RichText::new(hint).color(p.weak))
            .desired_width(width)
            // No letter under the cross.
            .margin(Margin { left: 4, right: CROSS, top: 2, bottom: 2 })
            .min_size(Vec2::new(0.0, theme::ROW))
    })
    .accessible_name(name);
    let mut changed = response.changed().then_some(edited);
    if text.is_empty() {
        return (response, changed);
    }
    let place = response.rect.with_min_x(response.rect.right() - f32::from(CROSS));
    let cross = ui.interact(place, id.with("clear"), Sense::CLICK).on_hover_cursor(egui::CursorIcon::Default);
    super::icons::cross(ui.painter(), place, if cross.hovered() { p.text } else { p.weak });
    cross.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Clear search"));
    let esc = response.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Escape));
    if cross.on_hover_text("Clear search").clicked() || esc {
        response.request_focus();
        changed = Some(String::new());
    }
    (response, changed)
}

/// A square button showing a painted sign.
pub fn sign(ui: &mut Ui, name: &str, paint: impl FnOnce(&egui::Painter, egui::Rect, &Palette)) -> Response {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(theme::ROW), Sense::click());
    if response.hovered() || response.has_focus() {
        let edge = if response.has_focus() { p.accent } else { p.hover };
        ui.painter().rect(rect, 4.0, p.hover, egui::Stroke::new(1.0, edge), egui::StrokeKind::Inside);
    }
    paint(ui.painter(), rect, p);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    response.on_hover_text(name)
}

/// A sign that is on or off, and said to be. Returns whether it was clicked.
pub fn switch_sign(
    ui: &mut Ui,
    name: &str,
    on: bool,
    paint: impl FnOnce(&egui::Painter, egui::Rect, &Palette),
) -> bool {
    let response = sign(ui, name, |painter, rect, p| {
        if on {
            painter.rect(rect, 4.0, p.chosen, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
        }
        paint(painter, rect, p);
    });
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_toggled(on.into()));
    response.clicked()
}

/// A sign that may be off, with the reason on it. Returns whether it was clicked.
pub fn act_sign(
    ui: &mut Ui,
    name: &str,
    off: Option<&str>,
    paint: impl FnOnce(&egui::Painter, egui::Rect, &Palette),
) -> bool {
    let response = ui.add_enabled_ui(off.is_none(), |ui| sign(ui, name, paint)).inner;
    if let Some(why) = off {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
        response.on_disabled_hover_text(why);
        return false;
    }
    response.clicked()
}

/// What kind of news a banner brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Info,
    Warn,
    Bad,
}

/// A strip that says something and offers what to do.
pub fn banner(ui: &mut Ui, tone: Tone, text: &str, acts: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    let (back, front, word) = match tone {
        Tone::Good => (p.info_back, p.good, "Done"),
        Tone::Info => (p.info_back, p.accent, "Note"),
        Tone::Warn => (p.warn_back, p.warn, "Attention"),
        Tone::Bad => (p.bad_back, p.bad, "Problem"),
    };
    Frame::new().fill(back).inner_margin(Margin::symmetric(12, 4)).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(word).font(theme::strong()).color(front));
            ui.add(egui::Label::new(shown(text)).wrap().selectable(true));
            acts(ui);
        });
    });
}

/// A failure with its advice and a way to copy the details.
pub fn failure_banner(ui: &mut Ui, said: &Said, acts: impl FnOnce(&mut Ui)) {
    let text = match &said.advice {
        Some(advice) => format!("{}. {}", said.sentence, super::describe::sentence(advice)),
        None => said.sentence.clone(),
    };
    banner(ui, Tone::Bad, &text, |ui| {
        acts(ui);
        copy_details(ui, &said.detail);
    });
}

pub fn copy_details(ui: &mut Ui, detail: &str) {
    if ui.button("Copy details").on_hover_text(detail).clicked() {
        ui.ctx().copy_text(detail.to_owned());
    }
}

/// Fills an empty pane: what there is not, why, and the next step.
pub fn empty(ui: &mut Ui, title: &str, why: &str, acts: impl FnOnce(&mut Ui)) {
    let width = ui.available_width().min(360.0);
    ui.add_space((ui.available_height() * 0.2).min(96.0));
    ui.vertical_centered(|ui| {
        ui.set_max_width(width);
        heading(ui, title);
        if !why.is_empty() {
            let color = palette(ui).weak;
            ui.add(egui::Label::new(shown(why).color(color)).wrap());
        }
        ui.add_space(theme::STEP);
        acts(ui);
    });
}

/// A spinner with a word, but only when it has taken longer than 150 ms; quicker answers would only flicker.
pub fn spinner(ui: &mut Ui, now: crate::app::Moment, since: crate::app::Moment, word: &str) {
    const PATIENCE_MS: u64 = 150;
    let ms = now.ms.saturating_sub(since.ms);
    if ms < PATIENCE_MS {
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(PATIENCE_MS - ms));
        return;
    }
    ui.horizontal(|ui| {
        let color = palette(ui).accent;
        ui.add(egui::Spinner::new().size(14.0).color(color)).accessible_name(word);
        weak(ui, word);
    });
}

/// A text cut off where its width ends.
pub fn clipped(
    ui: &Ui,
    text: &str,
    font: egui::FontId,
    color: egui::Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(visible::text(text).into_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(0.0));
    ui.painter().layout_job(job)
}
