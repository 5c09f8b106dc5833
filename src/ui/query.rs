//! The Query tab of the fleet panel: one line, its problem, its rows.

use super::describe::describe;
use super::theme::{self, palette};
use super::{Frame, press, rows, when, widgets};
use crate::app::{Action, Remote};
use crate::query::ItemType;
use crate::twin::{Json, TwinId};
use egui::accesskit::Role;
use egui::{Id, Key, Response, RichText, Ui, WidgetInfo};

/// What the line holds while it was not yet sent.
const START: &str = "SELECT * FROM devices";

/// The id of the line.
pub(super) fn line_id() -> Id {
    Id::unique("query")
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    line_ui(f, ui);
    // What is wrong with a text is no word on what is typed since.
    if !is_typed_on(f, ui) {
        problem_ui(f, ui);
    }
    ui.separator();
    answer_ui(f, ui);
}

/// The line holds another text than the one that was sent.
fn is_typed_on(f: &Frame, ui: &Ui) -> bool {
    ui.data(|d| d.get_temp::<String>(line_id())).is_some_and(|typed| typed != f.app.fleet.query.text)
}

fn line_ui(f: &mut Frame, ui: &mut Ui) {
    let id = line_id();
    // What was typed but not sent lives in egui's memory under the field's id.
    let typed = ui.data_mut(|d| d.get_temp::<String>(id));
    let mut text = typed.unwrap_or_else(|| {
        let sent = &f.app.fleet.query.text;
        if sent.is_empty() { START.to_owned() } else { sent.clone() }
    });
    let run_key = ui.memory(|m| m.has_focus(id))
        && ui.input_mut(|i| {
            let pressed = |modifiers| press::take(i, modifiers, Key::Enter);
            [egui::Modifiers::NONE, egui::Modifiers::COMMAND].map(pressed).contains(&true)
        });
    let width = ui.available_width();
    let response =
        super::field::wrapped(ui, &mut text, id, &theme::mono(), |edit| edit.desired_width(width).desired_rows(2))
            .accessible_name("Query");
    if response.changed() {
        ui.data_mut(|d| d.insert_temp(id, text.clone()));
    }
    ui.horizontal(|ui| {
        let off = text.trim().is_empty().then_some("Type a query first");
        let clicked = widgets::act(ui, "Run query", off).clicked();
        if (clicked || run_key) && off.is_none() {
            let healed = crate::query::heal(&text).into_owned();
            ui.data_mut(|d| d.insert_temp(id, healed.clone()));
            f.push(Action::RunQuery(healed));
        }
        ui.add(
            egui::Label::new(RichText::new("Enter runs it").font(theme::small()).color(palette(ui).weak)).truncate(),
        );
    });
}

fn problem_ui(f: &mut Frame, ui: &mut Ui) {
    let state = &f.app.fleet.query;
    let p = palette(ui);
    let (problem, sent, color) = match (&state.problem, &state.doubt) {
        (Some(problem), _) => (problem, "", p.bad),
        (None, Some(doubt)) => (doubt, "Sent as it is. Unknown to this program, ", p.warn),
        (None, None) => return,
    };
    let column = state.text.get(..problem.span.start).map_or(1, |before| before.chars().count() + 1);
    let word = if sent.is_empty() { "Column" } else { "column" };
    ui.add(
        egui::Label::new(RichText::new(format!("{sent}{word} {column}: {}", problem.message)).color(color))
            .wrap()
            .selectable(true),
    );
    let (start, end) = (problem.span.start.min(state.text.len()), problem.span.end.min(state.text.len()));
    if let (Some(before), Some(at)) = (state.text.get(..start), state.text.get(start..end)) {
        let shown: String = before.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect();
        let mut job = egui::text::LayoutJob::default();
        let plain = egui::TextFormat::simple(theme::small_mono(), p.weak);
        let marked = egui::TextFormat {
            underline: egui::Stroke::new(1.5, color),
            ..egui::TextFormat::simple(theme::small_mono(), p.text)
        };
        job.append(&shown, 0.0, plain);
        job.append(if at.is_empty() { " " } else { at }, 0.0, marked);
        ui.label(job);
    }
}

fn answer_ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    // An answer to an older question does not stand under one that could not be asked.
    if app.fleet.query.problem.is_some() {
        return;
    }
    match &app.fleet.query.answer {
        Remote::Loading { key, since, .. } => {
            let key = *key;
            ui.horizontal(|ui| {
                widgets::spinner(ui, app.now, *since, "Asking the hub");
                if ui.small_button("Cancel").clicked() {
                    f.push(Action::Cancel(key));
                }
            });
        }
        Remote::Failed { failure, .. } => {
            let said = describe(failure);
            widgets::failure_banner(ui, &said, |ui| {
                if ui.button("Try again").clicked() {
                    f.push(Action::RunQuery(app.fleet.query.text.clone()));
                }
            });
            return;
        }
        Remote::Idle => {
            widgets::weak(ui, "Answers appear here; a row with a device opens its twin");
        }
        Remote::Ready { .. } => {}
    }
    let Some(answer) = app.fleet.query.answer.value() else { return };
    let more = if answer.more { ", and there are more" } else { "" };
    widgets::weak(ui, format!("{}{more} · {} ms", when::count(answer.rows.len(), "row"), answer.ms));
    if answer.rows.is_empty() {
        widgets::weak(ui, "Nothing on this hub matches the query");
        return;
    }
    let list = rows::List {
        salt: "query-rows",
        of: Id::unique(("query-answer", &app.fleet.query.text, answer.rows.len())),
        height: theme::ROW,
        count: answer.rows.len(),
        id: |n: usize| Id::unique(("query-row", n)),
    };
    let mut cursor = std::mem::take(&mut f.view.query_cursor);
    rows::ui(ui, &mut cursor, &list, |ui, n, response| row_ui(f, ui, n, response, &answer.rows[n], answer.item_type));
    f.view.query_cursor = cursor;
}

/// The twin a row speaks of, if it does.
fn twin_of(row: &Json) -> Option<TwinId> {
    let device = row.get("deviceId")?.as_str()?;
    Some(match row.get("moduleId").and_then(Json::as_str) {
        Some(module) => TwinId::module(device, module),
        None => TwinId::device(device),
    })
}

fn cut(mut text: String) -> String {
    const LONGEST: usize = 400;
    if text.len() > LONGEST {
        let at = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(at);
    }
    text
}

/// What was asked for beside the ids: `site: north, count: 4`.
fn columns(row: &Json) -> String {
    let Some(row) = row.as_object() else { return String::new() };
    let ids = ["deviceId", "moduleId"];
    let words: Vec<String> = row
        .iter()
        .filter(|(key, _)| !ids.contains(&key.as_str()))
        .take(50)
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key}: {text}"),
            None => format!("{key}: {value}"),
        })
        .collect();
    cut(words.join(", "))
}

fn row_ui(f: &mut Frame, ui: &Ui, n: usize, response: &Response, row: &Json, item_type: ItemType) {
    let p = palette(ui);
    let id = twin_of(row);
    let rect = response.rect;
    let text = cut(row.to_string());
    let columns = if item_type == ItemType::Twin { String::new() } else { columns(row) };
    let (shown, font) = match &id {
        Some(id) if columns.is_empty() => (id.to_string(), theme::body()),
        Some(id) => (format!("{id}  {columns}"), theme::body()),
        None if columns.is_empty() => (text.clone(), theme::small_mono()),
        None => (columns, theme::small_mono()),
    };
    let galley = widgets::clipped(ui, &shown, font, p.text, rect.width() - 8.0);
    ui.painter().galley(egui::pos2(rect.left() + 4.0, rect.center().y - galley.size().y / 2.0), galley, p.text);
    let name = format!("{shown}, row {}", n + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    if response.clicked()
        && let Some(id) = id
    {
        f.push(Action::OpenTwin(id));
    }
    response.clone().on_hover_text(text);
}
