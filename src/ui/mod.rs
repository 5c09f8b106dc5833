//! Paints and listens: one file per panel. Never blocks, never locks, never reads a file; asks [`crate::app::App`] what is
//! known and answers with [`Action`]s.

mod access;
mod act;
mod activity;
mod cells;
mod changes;
mod code_box;
mod compare;
mod complete;
mod conflict;
mod connections;
mod copy_as;
mod describe;
mod dialogs;
mod editing;
mod editor;
mod events;
mod faults;
mod field;
mod find;
mod fleet;
mod folds;
mod fonts;
mod go_to_line;
mod hints;
mod history;
mod icons;
mod identity;
mod ids;
mod insert_keys;
mod json_colours;
mod keys;
mod laid;
mod messages;
mod methods;
mod moved;
mod notices;
mod palette;
mod press;
mod problems;
mod query;
mod questions;
mod reader;
mod replace;
mod rows;
mod settings;
mod status_bar;
mod tabs;
pub mod theme;
mod top_bar;
mod tree;
mod twin;
mod twin_header;
mod waiting;
mod when;
mod widgets;
mod window;

pub use window::run;

use crate::app::tab::Pane;
use crate::app::{Action, App, Moment};
use crate::disk::{Layout, ThemeChoice};
use crate::protocol::secret::Secret;
use crate::twin::{Section, TwinId};
use std::time::Duration;

/// How long a secret stays in the clipboard, in milliseconds.
const SECRET_IN_CLIPBOARD_MS: u64 = 30_000;

/// What only the painting needs to remember: scroll, caret, what is collapsed, measured widths.
#[derive(Default)]
pub struct View {
    fleet: fleet::FleetView,
    editor: editor::EditorView,
    reader: reader::ReaderView,
    tree: tree::TreeView,
    problems: problems::ProblemsView,
    changes: changes::ChangesView,
    hints: hints::HintsView,
    complete: complete::CompleteView,
    activity: activity::ActivityView,
    query_cursor: rows::Cursor,
    faults: faults::FaultsView,
    history: history::HistoryView,
    compare: compare::CompareView,
    /// The row chosen in the dialog in front.
    choice: usize,
    /// The dialog painted in the frame before, by its name: a new one takes the focus.
    dialog: Option<&'static str>,
    /// How the panels stand now; kept in the settings.
    layout: Layout,
    /// Where F6 goes.
    panes: Panes,
    /// The widget that has the focus outside of dialogs, and the one to return to after a dialog.
    focused: Option<egui::Id>,
    focus_before: Option<egui::Id>,
    in_dialog: bool,
    /// Ids that fit what is typed in the palette or in *Go to*.
    found: palette::Found,
    /// A secret went into the clipboard then, and nothing else was copied here since.
    secret_copied: Option<(Moment, Secret)>,
    conflict: conflict::ConflictView,
    /// There is no room for text and changes side by side: one of them is shown at a time.
    narrow: bool,
    changes_instead: bool,
    /// The editor the caret is in, as last told.
    caret_in: Option<(TwinId, Section)>,
    /// The tab last brought into view.
    shown_tab: Option<TwinId>,
    /// The hub in front and its tabs, as of the frame before.
    open: (Option<egui::Id>, Vec<TwinId>),
    theme: Option<ThemeChoice>,
    zoom: f32,
}

/// The widgets F6 walks through, as painted in this frame.
#[derive(Default, Clone, Copy)]
struct Panes {
    fleet: Option<egui::Id>,
    editor: Option<egui::Id>,
    changes: Option<egui::Id>,
    activity: Option<egui::Id>,
}

/// One frame: what is known, what is remembered, what was meant.
struct Frame<'a> {
    app: &'a App,
    view: &'a mut View,
    out: Vec<Action>,
}

impl Frame<'_> {
    fn push(&mut self, action: Action) {
        self.out.push(action);
    }

    /// Puts a secret into the clipboard, for a while.
    fn copy_secret(&mut self, ctx: &egui::Context, secret: &str) {
        self.view.copy_secret(ctx, self.app.now, secret);
    }
}

impl View {
    /// Puts a secret into the clipboard, for a while.
    fn copy_secret(&mut self, ctx: &egui::Context, now: Moment, secret: &str) {
        ctx.copy_text(secret.to_owned());
        self.secret_copied = Some((now, Secret::new(secret)));
    }

    /// Empties the clipboard at the end if it still holds our secret.
    fn forget_secret(&mut self, ctx: &egui::Context) {
        if self.secret_copied.take().is_some() {
            ctx.copy_text(String::new());
        }
    }
}

/// Where the line is that a panel is resized by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Left,
    Right,
    Below,
}

/// A frame that stays so far away from lines that they can be grabbed: a text takes every drag that begins on it.
fn clear_of(lines: &[Line]) -> egui::Frame {
    let margin = |line| if lines.contains(&line) { theme::GRAB } else { 0 };
    egui::Frame::new().inner_margin(egui::Margin {
        left: margin(Line::Left),
        right: margin(Line::Right),
        top: 0,
        bottom: margin(Line::Below),
    })
}

/// Takes a panel's size as the person's choice when its own separator was let go just now; at other times it is the window's.
/// `ui` is the one the panel was shown in, `salt` the name it was made with.
fn keep_size(ui: &egui::Ui, salt: &str, kept: &mut Option<f32>, now: f32) {
    let separator = ui.scope_id().with(salt).with("__resize");
    if ui.ctx().drag_stopped_id() == Some(separator) {
        *kept = Some(now);
    }
}

/// Paints the whole window into `ui` and returns what the person meant by clicks and keys. Works without a native window (tests).
pub fn show(app: &App, view: &mut View, ui: &mut egui::Ui) -> Vec<Action> {
    follow_settings(app, view, ui.ctx());
    let mut frame = Frame { app, view, out: Vec::new() };
    let f = &mut frame;
    f.view.panes = Panes::default();
    follow_tabs(f);
    keys::listen(f, ui.ctx());
    top_bar::ui(f, ui);
    top_bar::offline_ui(f, ui);
    status_bar::ui(f, ui);
    notices::ui(f, ui);
    activity::ui(f, ui);
    fleet::ui(f, ui);
    let paper = theme::palette(ui).panel;
    let mut lines = Vec::new();
    lines.extend((!f.view.layout.fleet_hidden).then_some(Line::Left));
    lines.extend(f.view.layout.activity_open.then_some(Line::Below));
    egui::CentralPanel::default().frame(clear_of(&lines).fill(paper)).show(ui, |ui| {
        tabs::ui(f, ui);
        ui.push_id(ids::hub(), |ui| twin::ui(f, ui));
    });
    conflict::ui(f, ui.ctx());
    dialogs::ui(f, ui.ctx());
    keys::panes(f, ui.ctx());
    tell_caret(f, ui.ctx());
    clear_clipboard(f, ui.ctx());
    if f.view.layout != f.app.settings.layout {
        f.push(Action::SetLayout(f.view.layout));
    }
    frame.out
}

/// Sets fonts and styles once, before the first frame. The choice of theme is followed from then on by [`show`].
pub fn prepare(ctx: &egui::Context) {
    fonts::install(ctx);
    theme::apply(ctx);
    code_box::install(ctx);
    ctx.add_plugin(access::Access);
    ctx.add_plugin(insert_keys::InsertKeys);
}

fn follow_settings(app: &App, view: &mut View, ctx: &egui::Context) {
    if view.theme.is_none() {
        view.layout = app.settings.layout;
    }
    if view.theme != Some(app.settings.theme) {
        view.theme = Some(app.settings.theme);
        ctx.set_theme(match app.settings.theme {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
        });
    }
    let zoom = app.settings.zoom.unwrap_or(1.0).clamp(keys::ZOOM_MIN, keys::ZOOM_MAX);
    if (view.zoom - zoom).abs() > f32::EPSILON {
        view.zoom = zoom;
        ctx.set_zoom_factor(zoom);
    }
}

/// A tab that was closed takes along what its editors could go back to.
fn follow_tabs(f: &mut Frame) {
    let crate::app::HubState::Open(info) = &f.app.hub else { return ids::enter(None) };
    let hub = egui::Id::unique(("hub", info.drafts()));
    ids::enter(Some(hub));
    let (before, known) = &f.view.open;
    let tabs = &f.app.tabs;
    if *before == Some(hub) && known.iter().eq(tabs.iter().map(|tab| &tab.id)) {
        return;
    }
    f.view.editor.enter(hub);
    if *before == Some(hub) {
        for id in known.iter().filter(|id| tabs.iter().all(|tab| tab.id != **id)) {
            for section in [Section::Desired, Section::Tags] {
                f.view.editor.forget(editor_id(id, section));
            }
        }
    }
    f.view.open = (Some(hub), tabs.iter().map(|tab| tab.id.clone()).collect());
}

/// Says which editor the caret went into or left, when that changes.
fn tell_caret(f: &mut Frame, ctx: &egui::Context) {
    let focused = ctx.memory(egui::Memory::focused);
    let now = f.app.active_tab().and_then(|tab| {
        let section = match tab.pane {
            Pane::Desired => Section::Desired,
            Pane::Tags => Section::Tags,
            _ => return None,
        };
        (focused == Some(editor_id(&tab.id, section))).then(|| (tab.id.clone(), section))
    });
    if f.view.caret_in == now {
        return;
    }
    let before = std::mem::replace(&mut f.view.caret_in, now.clone());
    if let Some((id, _)) = before.filter(|(id, _)| now.as_ref().is_none_or(|(to, _)| to != id)) {
        f.push(Action::Caret { id, section: None });
    }
    if let Some((id, section)) = now {
        f.push(Action::Caret { id, section: Some(section) });
    }
}

fn clear_clipboard(f: &mut Frame, ctx: &egui::Context) {
    let Some((then, secret)) = &f.view.secret_copied else { return };
    let newest = ctx.output(|o| {
        o.commands.iter().rev().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text == secret.reveal()),
            egui::OutputCommand::CopyImage(_) => Some(false),
            _ => None,
        })
    });
    // Selected labels are copied only after everything was painted.
    let labels = ctx.input(|i| i.events.contains(&egui::Event::Copy))
        && ctx.plugin::<egui::text_selection::LabelSelectionState>().lock().has_selection();
    if labels || newest == Some(false) {
        // What is there now is the person's own.
        f.view.secret_copied = None;
        return;
    }
    let ms = f.app.now.ms.saturating_sub(then.ms);
    if ms < SECRET_IN_CLIPBOARD_MS {
        ctx.request_repaint_after(Duration::from_millis(SECRET_IN_CLIPBOARD_MS - ms));
    } else {
        f.view.forget_secret(ctx);
    }
}

/// The id of a section's editor: stable, so that undo and caret outlive refreshes.
fn editor_id(id: &TwinId, section: Section) -> egui::Id {
    ids::of_twin(("editor", id.device.as_str(), id.module.as_deref(), section.word()))
}
