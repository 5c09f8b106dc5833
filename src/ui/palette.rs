//! Ctrl+K: every command by its words; Ctrl+P: every device and module by its id.

use super::describe::describe;
use super::dialogs::{self, Leave, modal};
use super::theme::{self, palette};
use super::{Frame, editing, keys, press, tree, widgets};
use crate::app::action::Watching;
use crate::app::compare::CompareAct;
use crate::app::dialog::Field;
use crate::app::finding::LIMIT;
use crate::app::settings::SettingsAct;
use crate::app::tab::Pane;
use crate::app::{Action, App, Remote, Tab};
use crate::copy_as::{Language, Method};
use crate::disk::ThemeChoice;
use crate::twin::TwinId;
use crate::worker::HubRef;
use egui::accesskit::Role;
use egui::{Context, Id, Key, KeyboardShortcut, Modifiers, Sense, Ui, Vec2, WidgetInfo};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Ids that fit a text, kept until the text or the fleet changes.
#[derive(Default)]
pub(super) struct Found {
    of: Option<(String, usize)>,
    ids: Vec<TwinId>,
    /// Enter was pressed together with letters: it takes the marked line of the next frame.
    enter_waits: bool,
    /// The text changed: the marked line of the next frame is brought into view.
    reveal: bool,
}

impl Found {
    fn of(&mut self, app: &App, text: &str, limit: usize) -> &[TwinId] {
        let of = (text.to_owned(), app.fleet.devices.len());
        if self.of.as_ref() != Some(&of) {
            self.of = Some(of);
            self.ids = app.fleet.go_to(text, &app.recent, limit);
        }
        &self.ids
    }
}

/// One line to choose.
pub(super) struct Choice {
    text: String,
    keys: Option<KeyboardShortcut>,
    does: Does,
}

/// What choosing a line does.
enum Does {
    Act(Box<Action>),
    /// Something with the text in front.
    Edit(editing::Command),
    /// Something with the tree in front, or the way to it.
    Tree(tree::Command),
}

impl Choice {
    /// A line without keys of its own.
    pub fn act(text: String, action: Action) -> Self {
        Self { text, keys: None, does: Does::Act(Box::new(action)) }
    }
}

/// The ids that fit; found anew for a dialog that was just opened. Behind them the modules the hub has by this id: what is marked
/// stays marked when they come.
pub(super) fn fresh_ids(f: &mut Frame, text: &str, limit: usize, fresh: bool) -> Vec<TwinId> {
    if fresh {
        f.view.found = Found::default();
    }
    let mut ids = f.view.found.of(f.app, text, limit).to_vec();
    let more: Vec<TwinId> = f.app.finding.ids().iter().filter(|id| !ids.contains(id)).cloned().collect();
    ids.extend(more);
    ids
}

/// Below the lines: where the question to the hub stands.
pub(super) fn finding_ui(f: &mut Frame, ui: &mut Ui) {
    let finding = &f.app.finding;
    match &finding.answer {
        Remote::Loading { since, .. } => {
            let word = format!("Asking the hub for modules named {}", finding.id);
            widgets::spinner(ui, f.app.now, *since, &word);
        }
        Remote::Failed { failure, .. } => {
            let mut said = describe(failure);
            said.sentence = format!("The hub was asked for modules named {}: {}", finding.id, said.sentence);
            widgets::failure_banner(ui, &said, |ui| {
                if ui.button("Ask again").clicked() {
                    f.push(Action::FindAgain);
                }
            });
        }
        Remote::Ready { value, .. } if value.more => {
            widgets::weak(ui, format!("The first {LIMIT} modules named {} are listed, and there are more", finding.id));
        }
        Remote::Idle | Remote::Ready { .. } => {}
    }
}

/// What is said where no line fits.
pub(super) fn none_of(app: &App, none: &'static str) -> &'static str {
    if app.finding.waits() { "No device fits; the hub is being asked for modules" } else { none }
}

pub(super) fn go_to_ui(f: &mut Frame, ctx: &Context, text: &str) -> bool {
    let fresh = f.view.take_fresh("Go to");
    let ids = fresh_ids(f, text, 50, fresh);
    let choices: Vec<Choice> = ids.into_iter().map(|id| Choice::act(id.to_string(), Action::OpenTwin(id))).collect();
    modal(ctx, "Go to", 520.0, Leave::OnBackdrop, |ui| {
        let field = Line { name: "Device or module", text, hint: "Type a part of an id", fresh };
        choose_ui(f, ui, &field, choices, none_of(f.app, "No device or module fits"));
        finding_ui(f, ui);
    })
}

pub(super) fn commands_ui(f: &mut Frame, ctx: &Context, text: &str) -> bool {
    let fresh = f.view.take_fresh("Commands");
    if fresh {
        f.view.found = Found::default();
    }
    let mut choices = fitting(commands(f.app), text);
    if !text.trim().is_empty() {
        for id in f.view.found.of(f.app, text, 8) {
            choices.push(Choice {
                text: format!("Open {id}"),
                keys: None,
                does: Does::Act(Box::new(Action::OpenTwin(id.clone()))),
            });
        }
    }
    modal(ctx, "Commands", 520.0, Leave::OnBackdrop, |ui| {
        let field = Line { name: "Command", text, hint: "Type a command, or a part of an id", fresh };
        choose_ui(f, ui, &field, choices, "No command fits");
    })
}

/// Lines that Page up and Page down go.
const PAGE: isize = 8;

pub(super) struct Line<'a> {
    pub name: &'static str,
    pub text: &'a str,
    pub hint: &'static str,
    pub fresh: bool,
}

/// A field above a list: typing narrows the list, arrows move in it, Enter takes the line that is marked.
pub(super) fn choose_ui(f: &mut Frame, ui: &mut Ui, line: &Line, choices: Vec<Choice>, none: &str) {
    let id = Id::unique(("choose", line.name));
    let count = choices.len();
    let reveal = std::mem::take(&mut f.view.found.reveal);
    let (mut step, mut taken) = (0_isize, false);
    ui.input_mut(|i| {
        for (key, by) in [(Key::ArrowDown, 1), (Key::ArrowUp, -1), (Key::PageDown, PAGE), (Key::PageUp, -PAGE)] {
            step += by * isize::from(press::take(i, Modifiers::NONE, key));
        }
        taken = press::take(i, Modifiers::NONE, Key::Enter);
    });
    let (response, changed) = widgets::field(ui, id, line.name, line.text, line.hint, ui.available_width());
    if line.fresh {
        response.request_focus();
    }
    // Letters and Enter that arrive in one slow frame: the lines still belong to the text before them. Enter waits for
    // the lines of the text it was pressed on.
    let waited = std::mem::take(&mut f.view.found.enter_waits);
    if changed.is_some() && taken {
        f.view.found.enter_waits = true;
        ui.ctx().request_repaint();
    }
    taken = (taken || waited) && changed.is_none();
    if let Some(text) = changed {
        f.view.choice = 0;
        // The lines that fit are there in the next frame.
        f.view.found.reveal = true;
        f.push(Action::DialogText { field: Field::Text, text });
    }
    let marked = f.view.choice.saturating_add_signed(step).min(count.saturating_sub(1));
    f.view.choice = marked;
    ui.add_space(4.0);
    let mut chosen = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = (ui.ctx().content_rect().height() - 220.0).clamp(96.0, 360.0);
    // As high with one line as with many: what is typed must not move the field it is typed into.
    dialogs::list(height).id_salt("choices").auto_shrink(false).show(ui, |ui| {
        if choices.is_empty() {
            widgets::weak(ui, none);
        }
        for (n, choice) in choices.iter().enumerate() {
            let response = choice_ui(ui, choice, n == marked);
            if n == marked && (step != 0 || reveal) {
                response.scroll_to_me(None);
            }
            if response.clicked() || taken && n == marked {
                chosen = Some(n);
            }
        }
    });
    if let Some(choice) = chosen.and_then(|n| choices.into_iter().nth(n)) {
        // Closed first: the command may open a dialog of its own.
        f.push(Action::CloseDialog);
        match (choice.does, f.app.active_tab()) {
            (Does::Act(action), _) => f.push(*action),
            (Does::Edit(command), Some(tab)) => {
                // What moves the focus must not have it taken back when the dialog is gone.
                if !matches!(
                    command,
                    editing::Command::Line(_) | editing::Command::GoToLine | editing::Command::Suggest
                ) {
                    f.view.focus_before = None;
                }
                editing::run(f, ui.ctx(), tab, command);
            }
            (Does::Tree(command), Some(tab)) => {
                f.view.focus_before = None;
                tree::run(f, ui.ctx(), tab, command);
            }
            (Does::Edit(_) | Does::Tree(_), None) => {}
        }
    }
}

fn choice_ui(ui: &mut Ui, choice: &Choice, marked: bool) -> egui::Response {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), theme::ROW), Sense::CLICK);
    if marked {
        ui.painter().rect_filled(rect, 4.0, p.chosen);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    let galley = widgets::clipped(ui, &choice.text, theme::body(), p.text, rect.width() - 120.0);
    ui.painter().galley(egui::pos2(rect.left() + 8.0, rect.center().y - galley.size().y / 2.0), galley, p.text);
    if let Some(keys) = &choice.keys {
        let at = egui::pos2(rect.right() - 8.0, rect.center().y);
        let keys = ui.ctx().format_shortcut(keys);
        ui.painter().text(at, egui::Align2::RIGHT_CENTER, keys, theme::small(), p.weak);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &choice.text));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(marked));
    response
}

/// Best first; all, in their own order, while nothing is typed.
pub(super) fn fitting(choices: Vec<Choice>, text: &str) -> Vec<Choice> {
    if text.trim().is_empty() {
        return choices;
    }
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, Choice)> = choices
        .into_iter()
        .filter_map(|choice| {
            let score = pattern.score(Utf32Str::new(&choice.text, &mut buffer), &mut matcher)?;
            Some((score, choice))
        })
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, choice)| choice).collect()
}

/// What can be done now.
fn commands(app: &App) -> Vec<Choice> {
    let mut list = Vec::new();
    let mut add = |text: &str, keys: Option<KeyboardShortcut>, action: Action| {
        list.push(Choice { text: text.to_owned(), keys, does: Does::Act(Box::new(action)) });
    };
    add("Go to device or module…", Some(keys::GO_TO), Action::ShowGoTo);
    if let Some(tab) = app.active_tab() {
        let id = &tab.id;
        add("Save", Some(keys::SAVE), Action::Save(id.clone()));
        add("Refresh", Some(keys::REFRESH), Action::Refresh(id.clone()));
        add("Discard edits", None, Action::Discard(id.clone()));
        add("Replace…", None, Action::ShowReplace(id.clone()));
        for language in Language::ALL {
            let copy = Action::CopyAs { id: id.clone(), method: Method::Patch, language };
            add(&format!("Copy the save as {}", language.word()), None, copy);
        }
        for (pane, word) in [
            (Pane::Desired, "Show desired"),
            (Pane::Reported, "Show reported"),
            (Pane::Tags, "Show tags"),
            (Pane::Document, "Show the document"),
            (Pane::Identity, "Show the identity"),
            (Pane::Methods, "Show methods"),
            (Pane::Messages, "Show messages"),
            (Pane::History, "Show the history"),
        ] {
            add(word, None, Action::ShowPane(id.clone(), pane));
        }
        if tab.pane == Pane::Methods {
            add("Call method", Some(keys::SEND), Action::CallMethod(id.clone()));
        }
        if tab.pane == Pane::Messages && id.module.is_none() {
            add("Send message", Some(keys::SEND), Action::SendMessage(id.clone()));
            add("Fetch feedback", None, Action::FetchFeedback(id.clone()));
            add("Purge messages…", None, Action::ShowPurge(id.clone()));
        }
        let (word, on) = if tab.watching { ("Stop watching", Watching::Off) } else { ("Watch", Watching::On) };
        add(word, None, Action::SetWatch { id: id.clone(), on });
        if tab.moved.is_some() {
            add("Compare with the hub's version", None, Action::ShowConflict(id.clone()));
        }
        match (&tab.act, &id.module) {
            (Some(_), _) => {
                add("Send reported", Some(keys::SEND), Action::SendReport(id.clone()));
                add("Stop acting", None, Action::StopActing(id.clone()));
            }
            (None, Some(_)) => add("Act as module…", None, Action::ShowActAs(id.clone())),
            (None, None) => add("Act as device…", None, Action::ShowActAs(id.clone())),
        }
        add("Compare with…", None, Action::Compare { id: id.clone(), act: CompareAct::Ask(None) });
        add("Copy connection string", None, Action::CopyConnectionString(id.clone()));
        add("Add module…", None, Action::ShowAddModule { device: id.device.clone() });
        add("Delete…", None, Action::ShowDelete(id.clone()));
        add("Close the tab", Some(keys::CLOSE_TAB), Action::CloseTab(id.clone()));
        add("Next tab", Some(keys::NEXT_TAB), Action::NextTab);
        add("Previous tab", Some(keys::PREVIOUS_TAB), Action::PreviousTab);
    }
    add("Add device…", None, Action::ShowAddDevice);
    add("Reload devices", None, Action::RefreshFleet);
    add("Connections", None, Action::ShowConnections);
    add("Add connection…", None, Action::ShowAddConnection);
    if app.has_faults() {
        add("Faults…", None, Action::ShowFaults);
    }
    add("Open the local hub", None, Action::OpenHub(HubRef::Local));
    let zoom = app.settings.zoom.unwrap_or(1.0);
    add("Zoom in", Some(keys::ZOOM_IN), Action::SetZoom(keys::zoomed(zoom, 1)));
    add("Zoom out", Some(keys::ZOOM_OUT), Action::SetZoom(keys::zoomed(zoom, -1)));
    add("Zoom to 100 %", Some(keys::ZOOM_RESET), Action::SetZoom(1.0));
    add("Theme: light", None, Action::SetTheme(ThemeChoice::Light));
    add("Theme: dark", None, Action::SetTheme(ThemeChoice::Dark));
    add("Theme: as the system", None, Action::SetTheme(ThemeChoice::System));
    add("Settings…", Some(keys::SETTINGS), Action::Settings(SettingsAct::Show));
    add("Clear activity", None, Action::ClearActivity);
    add("Dismiss all notices", None, Action::DismissAll);
    add("All keys", Some(keys::ALL_KEYS), Action::ShowKeys);
    add("Quit", None, Action::Quit);
    list.extend(app.active_tab().into_iter().flat_map(text_commands));
    let tree = app.active_tab().into_iter().flat_map(tree::commands);
    list.extend(tree.map(|(command, text, keys)| Choice { text, keys, does: Does::Tree(command) }));
    list
}

/// What can be done with the text in front, each once.
fn text_commands(tab: &Tab) -> Vec<Choice> {
    let mut list: Vec<Choice> = Vec::new();
    for (command, words, keys) in editing::COMMANDS {
        let text = words.to_owned();
        if command.fits(tab) && list.iter().all(|choice| choice.text != text) {
            list.push(Choice { text, keys: Some(keys), does: Does::Edit(command) });
        }
    }
    list
}
