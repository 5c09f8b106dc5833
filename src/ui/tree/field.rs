//! Fields in place of a row's key or value. What is typed stays until it is taken, or left with Esc.

use super::act::take;
use super::{Page, Sheet};
use crate::twin::tree::Row;
use crate::twin::tree::edit::{self, Act, Fault, Part};
use crate::twin::{Json, JsonMap, Path, Segment};
use crate::ui::theme::{self, palette};
use crate::ui::{Frame, widgets};
use egui::{Id, Key, Margin, Rect, Response, RichText, Ui, Vec2};

/// What a field is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Value(Path),
    Key(Path),
    Add { parent: Path, behind: Option<Segment> },
}

/// What is being typed.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub what: What,
    pub key: String,
    pub value: String,
    /// Why it was not taken.
    pub fault: Option<Fault>,
    /// It takes the focus.
    pub fresh: bool,
    /// Which of its two parts does; `None` for the one with the fault, else the first.
    toward: Option<Part>,
    /// What stood there: left as it was, it changes nothing.
    before: (String, String),
    /// It begins with another value than the one that stands there, which Enter takes as it is.
    offered: bool,
}

impl Field {
    fn new(what: What, key: String, value: String) -> Self {
        let before = match what {
            What::Add { .. } => (String::new(), String::new()),
            _ => (key.clone(), value.clone()),
        };
        Self { what, key, value, fault: None, fresh: true, toward: None, before, offered: false }
    }

    pub fn value(path: Path, value: String) -> Self {
        Self::new(What::Value(path), String::new(), value)
    }

    /// Another value than the one that stands there.
    pub fn offer(path: Path, value: String) -> Self {
        Self { offered: true, ..Self::value(path, value) }
    }

    /// A value that was refused.
    pub fn refused(path: Path, value: String, fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::offer(path, value) }
    }

    pub fn rename(row: &Row) -> Self {
        Self::new(What::Key(row.path.clone()), row.name.clone(), String::new())
    }

    pub fn add(parent: Path, behind: Option<Segment>, key: String, value: String) -> Self {
        Self::new(What::Add { parent, behind }, key, value)
    }

    /// Whether there is something to take.
    pub fn is_touched(&self) -> bool {
        (&self.key, &self.value) != (&self.before.0, &self.before.1)
    }

    pub fn act(&self) -> Act {
        match &self.what {
            What::Value(path) => Act::Set { path: path.clone(), value: self.value.clone() },
            What::Key(path) => Act::Rename { path: path.clone(), key: self.key.clone() },
            What::Add { parent, behind } => Act::Add {
                parent: parent.clone(),
                behind: behind.clone(),
                key: self.key.clone(),
                value: self.value.clone(),
            },
        }
    }

    /// The path of what it makes; `document` is the one before.
    pub fn target(&self, document: Option<&JsonMap>) -> Path {
        match &self.what {
            What::Value(path) => path.clone(),
            What::Key(path) => {
                let mut path = path.clone();
                path.0.pop();
                path.key(&self.key)
            }
            What::Add { parent, behind } => match (document.and_then(|document| parent.find(document)), behind) {
                (Some(Json::Array(_)), Some(Segment::Index(index))) => parent.index(index + 1),
                (Some(Json::Array(items)), _) => parent.index(items.len()),
                _ => parent.key(&self.key),
            },
        }
    }

    /// A new property is made in two steps, and Enter after the first one is no try yet: it goes on to what is missing.
    fn next(&self, from: Part) -> Option<Part> {
        let (no_key, no_value) = (self.key.is_empty(), self.value.trim().is_empty());
        match from {
            _ if no_key && no_value => Some(Part::Key),
            Part::Key if !no_key && no_value => Some(Part::Value),
            _ => None,
        }
    }

    /// The row the field stands in; `None` for a row of its own.
    pub fn path(&self) -> Option<&Path> {
        match &self.what {
            What::Value(path) | What::Key(path) => Some(path),
            What::Add { .. } => None,
        }
    }
}

/// Where the fields stand.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub key: Rect,
    pub value: Rect,
}

pub(super) fn id(sheet: &Sheet, part: Part) -> Id {
    let twin = &sheet.tab.id;
    let word = match part {
        Part::Key => "key",
        Part::Value => "value",
    };
    super::super::ids::of_twin(("tree-field", twin.device.as_str(), twin.module.as_deref(), sheet.section.word(), word))
}

/// Paints the fields, and takes what is typed when the person is done with it.
pub(super) fn ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet, places: Places) {
    let Some(field) = &mut page.field else { return };
    let fresh = std::mem::take(&mut field.fresh);
    let in_array = match &field.what {
        What::Add { parent, .. } => {
            sheet.part.parsed.document.as_ref().and_then(|document| parent.find(document)).is_some_and(Json::is_array)
        }
        _ => false,
    };
    let fault = field.fault.clone();
    let toward = field.toward.take_if(|_| fresh);
    let (mut responses, fresh_part) = (Vec::new(), toward.or(fault.as_ref().map(|fault| fault.part)));
    let names = match &field.what {
        What::Value(path) => (None, Some(format!("Value of {path}"))),
        What::Key(path) => (Some(format!("Key of {path}")), None),
        What::Add { .. } => ((!in_array).then(|| "New key".to_owned()), Some("New value".to_owned())),
    };
    let alone = names.0.is_none() || names.1.is_none();
    let parts = [
        (Part::Key, names.0, &mut field.key, places.key, "key"),
        (Part::Value, names.1, &mut field.value, places.value, "JSON value"),
    ];
    for (part, name, text, place, hint) in parts {
        let Some(name) = name else { continue };
        let fault = fault.as_ref().filter(|fault| alone || fault.part == part);
        let response = line(ui, place, id(sheet, part), &name, text, hint, fault);
        let first = responses.is_empty();
        if fresh && (alone || fresh_part.map_or(first, |wanted| wanted == part)) {
            response.request_focus();
        }
        responses.push(response);
    }
    leave(f, ui, page, sheet, &responses);
}

fn leave(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet, responses: &[Response]) {
    let changed = responses.iter().any(Response::changed);
    let lost = responses.iter().any(Response::lost_focus);
    let kept = responses.iter().any(Response::has_focus);
    let enter = responses.iter().any(|response| crate::ui::press::entered(ui, response));
    let esc = ui.input(|i| i.key_pressed(Key::Escape));
    let Some(field) = &mut page.field else { return };
    if changed {
        field.fault = None;
    }
    if !lost {
        return;
    }
    if esc {
        page.field = None;
        page.reveal = true;
    } else if enter {
        let from = if responses.first().is_some_and(Response::lost_focus) { Part::Key } else { Part::Value };
        if !go_on(field, sheet, from, responses.len()) {
            if std::mem::take(&mut field.offered) {
                field.before = Default::default();
            }
            if take(f, ui.ctx(), page, sheet) {
                page.reveal = true;
            }
        }
    } else if !kept && !matches!(field.what, What::Add { .. }) {
        // Left for something else, which keeps the focus. A new property has two fields to walk between, and waits for Enter.
        if !take(f, ui.ctx(), page, sheet)
            && let Some(field) = &mut page.field
        {
            field.fresh = false;
        }
    }
    ui.ctx().request_repaint();
}

/// Whether Enter only goes on to the other part of a new property. A key that cannot be used is said at once.
fn go_on(field: &mut Field, sheet: &Sheet, from: Part, parts: usize) -> bool {
    let What::Add { parent, .. } = &field.what else { return false };
    let Some(next) = field.next(from).filter(|_| parts == 2) else { return false };
    let part = sheet.part;
    field.fault = match next {
        Part::Value => edit::check_key(sheet.section, &part.text, &part.parsed, parent, &field.key).err(),
        Part::Key => None,
    };
    field.toward = if field.fault.is_some() { None } else { Some(next) };
    field.fresh = true;
    true
}

fn line(
    ui: &mut Ui,
    place: Rect,
    id: Id,
    name: &str,
    text: &mut String,
    hint: &str,
    fault: Option<&Fault>,
) -> Response {
    let weak = palette(ui).weak;
    let edit = |ui: &mut Ui| {
        crate::ui::field::one_line(ui, text, id, &theme::mono(), |edit| {
            edit.align(egui::Align2::LEFT_CENTER)
                .hint_text(RichText::new(hint).color(weak))
                .margin(Margin::symmetric(4, 2))
                .desired_width(place.width() - 8.0)
                .min_size(Vec2::new(0.0, place.height()))
        })
    };
    let response = ui.put(place, edit).accessible_name(name);
    if let Some(fault) = fault {
        let bad = palette(ui).bad;
        ui.painter().rect_stroke(response.rect, 4.0, egui::Stroke::new(1.5, bad), egui::StrokeKind::Inside);
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_invalid(egui::accesskit::Invalid::True);
            node.set_description(fault.message.as_str());
        });
    }
    response
}

/// Below the rows: why the field was not taken; and the field itself where its row is gone.
pub(super) fn orphan_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    let Some(field) = &page.field else { return };
    let gone = field.path().filter(|path| sheet.rows.iter().all(|row| row.path != **path)).cloned();
    let fault = field.fault.clone();
    if gone.is_none() && fault.is_none() {
        return;
    }
    let p = palette(ui);
    let frame = egui::Frame::new().fill(p.bad_back).inner_margin(Margin::symmetric(12, 4));
    egui::Panel::bottom("tree-fault").frame(frame).resizable(false).show_separator_line(false).show(ui, |ui| {
        if let Some(path) = gone {
            ui.horizontal(|ui| {
                widgets::weak(ui, path.to_string());
                let width = ui.available_width().min(320.0);
                let (rect, _) = ui.allocate_exact_size(Vec2::new(width, theme::ROW), egui::Sense::hover());
                self::ui(f, ui, page, sheet, Places { key: rect, value: rect });
            });
        }
        if let Some(fault) = fault {
            let text = RichText::new(format!("Not taken: {}", fault.message)).color(p.bad);
            ui.add(egui::Label::new(text).wrap());
        }
    });
}
