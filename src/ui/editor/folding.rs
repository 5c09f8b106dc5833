//! Folding in the editor. The field always has the whole text: what is folded are rows without height. So the caret must be
//! kept out of them: an arrow key takes it across, and whatever else leads into a fold opens it.

use super::command::{self, Change, FoldAct, LineCommand};
use super::gutter::{is_hidden, rows_in};
use super::{EditorView, Focus, Sheet, char_of, place, selection, squiggles};
use crate::twin::text::folding::{Folding, Touch};
use crate::twin::text::lines::{self, LineAct, Selection};
use crate::twin::text::splice::moved;
use crate::ui::folds::{self, State};
use egui::text::{CCursor, CCursorRange, CharIndex};
use egui::text_edit::{TextEditOutput, TextEditState};
use egui::{Context, Event, Galley, Id, Key, Pos2, Rect, Ui};

/// Keys that wait for the next frame, and the editor they were meant for.
#[derive(Default)]
pub(super) struct Held(Option<(Id, Vec<Event>)>);

/// An arrow key of this frame.
#[derive(Clone, Copy)]
pub(super) struct Arrow {
    key: Key,
    /// To the end of the text rather than by a line.
    far: bool,
}

fn is_key(event: &Event) -> bool {
    matches!(event, Event::Key { .. } | Event::Text(_) | Event::Paste(_) | Event::Cut | Event::Copy | Event::Ime(_))
}

fn arrow(event: &Event) -> Option<Arrow> {
    match event {
        Event::Key { key, pressed: true, modifiers, .. }
            if matches!(key, Key::ArrowUp | Key::ArrowDown | Key::ArrowLeft | Key::ArrowRight) =>
        {
            let vertical = matches!(key, Key::ArrowUp | Key::ArrowDown);
            Some(Arrow { key: *key, far: vertical && modifiers.command })
        }
        _ => None,
    }
}

impl EditorView {
    /// Looks for an arrow key. Where something is folded, the keys behind it wait for the next frame: only then is it known
    /// where the caret stands.
    pub(super) fn arrow(&mut self, ui: &Ui, sheet: &Sheet) -> Option<Arrow> {
        let held = self.held.0.take().filter(|(id, _)| *id == sheet.id);
        if !ui.memory(|m| m.has_focus(sheet.id)) {
            return None;
        }
        if let Some((_, keys)) = held {
            ui.input_mut(|i| drop(i.events.splice(0..0, keys)));
        }
        if !self.pasts.of(sheet.id, sheet.text).folding.is_any() {
            return None;
        }
        let at = ui.input(|i| i.events.iter().position(|event| arrow(event).is_some()))?;
        let pressed = |event: &Event| is_key(event) && !matches!(event, Event::Key { pressed: false, .. });
        let found = ui.input_mut(|i| {
            if i.events[at + 1..].iter().any(pressed) {
                let (keys, rest) = i.events.split_off(at + 1).into_iter().partition(is_key);
                i.events.extend::<Vec<Event>>(rest);
                self.held.0 = Some((sheet.id, keys));
            }
            i.events.get(at).and_then(arrow)
        });
        if self.held.0.is_some() {
            ui.request_repaint();
        }
        found
    }

    /// What a command does to the text. Of a folded line it takes all that is folded into it.
    pub(super) fn change(&mut self, ctx: &Context, sheet: &Sheet, command: LineCommand) -> Option<Change> {
        let before = selection(ctx, sheet.id, sheet.text);
        let LineCommand::Lines(act) = command else {
            return command::change(sheet.text, before, command);
        };
        let folding = &mut self.pasts.of(sheet.id, sheet.text).folding;
        folding.follow(sheet.text, Touch::Keep);
        let wide = folding.widened(before);
        let (edits, after) = lines::act(sheet.text, wide, act)?;
        let after = match act {
            _ if wide == before => after,
            LineAct::Select => after,
            LineAct::Indent | LineAct::Outdent => {
                Selection { anchor: moved(&edits, before.anchor), caret: moved(&edits, before.caret) }
            }
            LineAct::Duplicate | LineAct::MoveUp | LineAct::MoveDown => {
                let by = after.range().start.cast_signed() - wide.range().start.cast_signed();
                let shifted = |at: usize| at.saturating_add_signed(by);
                Selection { anchor: shifted(before.anchor), caret: shifted(before.caret) }
            }
        };
        Some((edits, after))
    }

    /// Folds or unfolds. A caret in what is folded now goes to the end of the line that stays.
    pub(super) fn fold(&mut self, ctx: &Context, id: Id, text: &str, act: FoldAct) {
        let at = selection(ctx, id, text).caret;
        let folding = &mut self.pasts.of(id, text).folding;
        folding.follow(text, Touch::Keep);
        apply(folding, folding.line_of(at), act);
        if let Some(end) = folding.way_out(at) {
            put(ctx, id, text, Selection { anchor: end, caret: end }, None);
        }
        if !matches!(act, FoldAct::Toggle(_)) {
            self.reveal = self.reveal.or(Some((id, Focus::Leave)));
        }
        ctx.request_repaint();
    }

    /// Before the text is painted: opens what hides the caret, which was put there by something that leads to a place.
    pub(super) fn show_caret(&mut self, ctx: &Context, id: Id, text: &str) {
        let folding = &mut self.pasts.of(id, text).folding;
        folding.follow(text, Touch::Keep);
        if !folding.is_any() {
            return;
        }
        let selected = selection(ctx, id, text);
        let line = folding.line_of(selected.caret);
        if folding.hider(line).is_some() && !folding.is_covered(selected) {
            folding.reveal(line);
            self.reveal = self.reveal.or(Some((id, Focus::Leave)));
        }
    }

    /// After the field took its keys: a caret that an arrow key brought into a fold goes on to the other side.
    pub(super) fn step_across(
        &mut self,
        ctx: &Context,
        id: Id,
        text: &str,
        field: &TextEditOutput,
        arrow: Option<Arrow>,
    ) {
        let folding = &mut self.pasts.of(id, text).folding;
        // What a middle click pastes comes in behind the layout.
        folding.follow(text, Touch::Open);
        let Some(range) = field.cursor_range.filter(|_| folding.is_any()) else { return };
        let caret = place::byte_of(text, range.primary.index.0);
        let Some(hidden) = folding.hider(folding.line_of(caret)).cloned() else { return };
        let Some(arrow) = arrow.filter(|arrow| !arrow.far) else {
            // It is shown in the next frame.
            let anchor = place::byte_of(text, range.secondary.index.0);
            if !folding.is_covered(Selection { anchor, caret }) {
                ctx.request_repaint();
            }
            return;
        };
        let head = hidden.start - 1;
        let end = folding.line(head).end;
        let on = Some(hidden.end).filter(|line| *line < field.galley.rows.len());
        let column = |line: usize| {
            let bytes = folding.line(line);
            let Some(row) = field.galley.rows.get(line) else { return bytes.end };
            let CharIndex(column) = row.row.char_at(range.h_pos.unwrap_or_default() - row.pos.x);
            bytes.start + place::byte_of(&text[bytes], column)
        };
        let to = match (arrow.key, on) {
            (Key::ArrowUp, _) => column(head),
            (Key::ArrowDown, Some(on)) => column(on),
            (Key::ArrowRight, Some(on)) => folding.line(on).start,
            _ => end,
        };
        let vertical = matches!(arrow.key, Key::ArrowUp | Key::ArrowDown);
        let anchor = if range.is_empty() { to } else { place::byte_of(text, range.secondary.index.0) };
        put(ctx, id, text, Selection { anchor, caret: to }, range.h_pos.filter(|_| vertical));
        self.reveal = Some((id, Focus::Leave));
        ctx.request_repaint();
    }

    /// Behind every folded line in sight: how much is folded into it.
    pub(super) fn stubs_ui(&mut self, ui: &mut Ui, sheet: &Sheet, text: &str, galley: &Galley, origin: Pos2) {
        let folding = &self.pasts.of(sheet.id, sheet.text).folding;
        let mut clicked = None;
        for line in rows_in(galley, origin.y, ui.clip_rect()) {
            let Some(fold) = folding.folded_at(line).filter(|_| !is_hidden(galley, line)) else { continue };
            let row = &galley.rows[line];
            let letters = Rect::from_min_size(origin + row.pos.to_vec2(), row.row.size);
            let lines = fold.hidden.start + 1..=fold.hidden.end;
            let wrong: Vec<String> =
                sheet.problems.iter().filter(|problem| lines.contains(&problem.line)).map(squiggles::said).collect();
            if folds::stub_ui(ui, sheet.id, letters, fold, &wrong) {
                clicked = Some(line);
            }
        }
        if let Some(line) = clicked {
            self.toggle(ui, sheet.id, text, line);
        }
    }

    /// The signs in the gutter.
    pub(super) fn signs_ui(&mut self, ui: &Ui, sheet: &Sheet, text: &str, gutter: Rect, galley: &Galley, top: f32) {
        let folding = &mut self.pasts.of(sheet.id, sheet.text).folding;
        folding.follow(text, Touch::Keep);
        let mut clicked = None;
        for line in rows_in(galley, top, gutter) {
            let Some(fold) = folding.at_line(line).filter(|_| !is_hidden(galley, line)) else { continue };
            let y = top + galley.rows[line].pos.y + galley.rows[line].row.size.y / 2.0;
            let state = if folding.is_folded(fold) { State::Folded } else { State::Open };
            if folds::sign_ui(ui, sheet.id, gutter, y, fold, state) {
                clicked = Some(line);
            }
        }
        if let Some(line) = clicked {
            self.toggle(ui, sheet.id, text, line);
        }
    }

    fn toggle(&mut self, ui: &Ui, id: Id, text: &str, line: usize) {
        self.fold(ui.ctx(), id, text, FoldAct::Toggle(line));
        // The click beside the text took it.
        ui.memory_mut(|m| m.request_focus(id));
    }
}

/// Does what is asked for at a line, from 0.
pub(in crate::ui) fn apply(folding: &mut Folding, line: usize, act: FoldAct) {
    match act {
        FoldAct::Fold => folding.fold_at(line),
        FoldAct::Unfold => folding.unfold_at(line),
        FoldAct::FoldAll => folding.fold_all(),
        FoldAct::UnfoldAll => folding.unfold_all(),
        FoldAct::Toggle(line) => folding.toggle(line),
    }
}

fn put(ctx: &Context, id: Id, text: &str, selected: Selection, h_pos: Option<f32>) {
    let cursor = |byte| CCursor::new(char_of(text, byte));
    let range = CCursorRange { primary: cursor(selected.caret), secondary: cursor(selected.anchor), h_pos };
    let mut state = TextEditState::load(ctx, id).unwrap_or_default();
    state.cursor.set_char_range(Some(range));
    state.store(ctx, id);
}
