//! The dialog in front: its frame, its name, how it is left, and which file paints it.

use super::theme::{self, palette};
use super::{Frame, View, connections, go_to_line, palette as command_palette, press, questions, widgets};
use crate::app::{Action, Dialog};
use egui::accesskit::Role;
use egui::{Align2, Context, Id, Key, Modal, Modifiers, Ui, Vec2};

/// Whether a click beside the dialog leaves it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    OnBackdrop,
    /// Something typed would go: only Esc and the buttons leave.
    Deliberately,
}

/// A modal with its role and name. Returns whether it was left by Esc or a click beside it.
pub(super) fn modal(ctx: &Context, name: &str, width: f32, leave: Leave, contents: impl FnOnce(&mut Ui)) -> bool {
    let id = Id::unique(("dialog", name));
    let screen = ctx.content_rect();
    let width = width.min(screen.width() - 48.0);
    let p = theme::palette_of(ctx.theme());
    let area = Modal::default_area(id).anchor(Align2::CENTER_TOP, Vec2::new(0.0, (screen.height() * 0.12).min(96.0)));
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(16).fill(p.panel);
    let shown = Modal::new(id).area(area).frame(frame).backdrop_color(p.veil).show(ctx, |ui| {
        ui.ctx().accesskit_node_builder(id, |node| {
            node.set_role(Role::Dialog);
            node.set_label(name);
            node.set_modal();
        });
        ui.set_width(width - 32.0);
        ui.label(egui::RichText::new(name).font(theme::heading()));
        ui.add_space(8.0);
        contents(ui);
    });
    let esc =
        shown.is_top_modal && !shown.any_popup_open && ctx.input_mut(|i| press::take(i, Modifiers::NONE, Key::Escape));
    esc || leave == Leave::OnBackdrop && shown.backdrop_response.clicked()
}

/// A list in a dialog: as high as what is in it, up to so many points. egui remembers how high a dialog was and offers no more the
/// next time; without a least height, a list that was short once would stay so.
pub(super) fn list(height: f32) -> egui::ScrollArea {
    egui::ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink([false, true])
}

impl View {
    /// Whether this dialog is painted for the first time, so that its first field takes the focus.
    pub(super) fn take_fresh(&mut self, name: &'static str) -> bool {
        let fresh = self.dialog != Some(name);
        if fresh {
            self.dialog = Some(name);
            self.choice = 0;
        }
        fresh
    }
}

/// The row of buttons that ends a dialog, the one that goes on outermost.
pub(super) fn acts(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), contents);
}

pub(super) fn ui(f: &mut Frame, ctx: &Context) {
    let app = f.app;
    let conflict = app.active_tab().is_some_and(|tab| tab.conflict_open && tab.moved.is_some());
    if app.dialog.is_some() || conflict {
        // Where the person was is where they are again when the dialog is gone.
        if !f.view.in_dialog {
            f.view.in_dialog = true;
            f.view.focus_before = f.view.focused;
        }
    } else {
        f.view.dialog = None;
        if std::mem::take(&mut f.view.in_dialog)
            && let Some(id) = f.view.focus_before.take()
        {
            ctx.memory_mut(|m| m.request_focus(id));
        }
        f.view.focused = ctx.memory(egui::Memory::focused);
    }
    let Some(dialog) = &app.dialog else { return };
    let left = match dialog {
        Dialog::Connections => connections::list_ui(f, ctx),
        Dialog::AddConnection(form) => connections::add_ui(f, ctx, form),
        Dialog::RemoveConnection { id, name } => connections::remove_ui(f, ctx, id, name),
        Dialog::GoTo { text } => command_palette::go_to_ui(f, ctx, text),
        Dialog::GoToLine { text } => go_to_line::ui(f, ctx, text),
        Dialog::Palette { text } => command_palette::commands_ui(f, ctx, text),
        Dialog::Keys => keys_ui(ctx),
        Dialog::Settings(form) => super::settings::ui(f, ctx, form),
        Dialog::Faults => super::faults::ui(f, ctx),
        Dialog::AddDevice { text, problem, running } => {
            questions::add_ui(f, ctx, None, text, problem.as_deref(), *running)
        }
        Dialog::AddModule { device, text, problem, running } => {
            questions::add_ui(f, ctx, Some(device), text, problem.as_deref(), *running)
        }
        Dialog::Delete { id, etag, modules, problem, running } => {
            let question = questions::Delete {
                id,
                known: etag.is_some(),
                modules: *modules,
                problem: problem.as_deref(),
                running: *running,
            };
            questions::delete_ui(f, ctx, &question)
        }
        Dialog::Purge { id, waiting, problem, running } => {
            let question =
                questions::Purge { id, waiting: waiting.as_ref(), problem: problem.as_deref(), running: *running };
            questions::purge_ui(f, ctx, &question)
        }
        Dialog::ActAs { id, mqtt_port, problem } => {
            questions::act_as_ui(f, ctx, id, mqtt_port.as_deref(), problem.as_deref())
        }
        Dialog::CloseTab { id } => questions::close_tab_ui(f, ctx, id),
        Dialog::Discard { id } | Dialog::ReloadFromHub { id } => questions::discard_ui(f, ctx, id),
        Dialog::Compare { id, version, text, from } => super::compare::ask_ui(f, ctx, id, *version, text, from),
        Dialog::Revert { id, version } => super::history::revert_ui(f, ctx, id, *version),
        Dialog::Replace { id, shown, moved } => super::replace::ui(f, ctx, id, shown, *moved),
        Dialog::Quit { unsaved } => questions::quit_ui(f, ctx, unsaved),
    };
    if left {
        f.push(Action::CloseDialog);
    }
}

fn keys_ui(ctx: &Context) -> bool {
    modal(ctx, "All keys", 460.0, Leave::OnBackdrop, |ui| {
        let height = ui.ctx().content_rect().height() - 200.0;
        list(height.max(120.0)).show(ui, |ui| {
            egui::Grid::new("keys").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
                for (keys, what) in super::keys::table(ui.ctx()) {
                    let p = palette(ui);
                    ui.label(egui::RichText::new(keys).font(theme::mono()).color(p.text));
                    widgets::weak(ui, what);
                    ui.end_row();
                }
            });
        });
    })
}
