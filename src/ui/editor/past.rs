//! What each editor can go back to, and what becomes of its caret and its view when the text is changed from elsewhere.

use super::place;
use crate::twin::moves::{Move, Moves};
use crate::twin::text::folding::{Folding, Touch};
use crate::twin::text::history::{History, Kind, Way};
use crate::twin::text::lines::Selection;
use crate::twin::text::rebase::changes;
use crate::twin::text::splice::{self, Edit};
use crate::twin::{JsonMap, Section, Twin};
use crate::ui::theme;
use egui::text_edit::TextEditState;
use egui::{Context, Event, Id, Key, Modifiers, Ui};
use std::sync::Arc;

/// Of more editors than this, those not seen for longest forget their steps.
const EDITORS_MAX: usize = 40;

const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

/// Whose doing it is when the text is another one than the editor left.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) enum Elsewhere<'a> {
    /// The person's own: a step back takes it back.
    Mine,
    /// The text is an edit of a version of a twin.
    Draft(Stand<'a>),
}

/// What an edit of a twin stands on.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Stand<'a> {
    pub base: &'a Arc<Twin>,
    pub section: Section,
    pub moves: &'a Moves,
    /// A change is the person's own where this count of their acts has grown; else somebody else's, which no step takes back.
    pub acts: u64,
}

/// One editor's past.
pub(super) struct Past {
    id: Id,
    history: History,
    acts: u64,
    /// The version the text stood on when it was looked at last, and how many moves there were then.
    stood: Option<(Arc<Twin>, u64)>,
    /// How far down the view stands and how much of the text it shows, in points.
    pub scrolled: f32,
    pub height: f32,
    /// Lines that came in above the text in view since it was painted.
    pub shift: f32,
    pub folding: Folding,
}

/// Of every editor, the one seen last at the end.
#[derive(Default)]
pub(super) struct Pasts {
    list: Vec<Past>,
    /// Twins of two hubs may have the same name.
    hub: Option<Id>,
}

impl Pasts {
    pub fn enter(&mut self, hub: Id) {
        self.hub = Some(hub);
    }

    /// The past of an editor that shows a text.
    pub fn of(&mut self, id: Id, text: &str) -> &mut Past {
        let id = self.hub.map_or(id, |hub| hub.with(id));
        let known = self.list.iter().position(|past| past.id == id);
        let past = match known {
            Some(at) => self.list.remove(at),
            None => Past {
                id,
                history: History::new(text),
                acts: 0,
                stood: None,
                scrolled: 0.0,
                height: 0.0,
                shift: 0.0,
                folding: Folding::default(),
            },
        };
        if self.list.len() >= EDITORS_MAX {
            self.list.remove(0);
        }
        self.list.push(past);
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    pub fn forget(&mut self, id: Id) {
        let id = self.hub.map_or(id, |hub| hub.with(id));
        self.list.retain(|past| past.id != id);
    }
}

impl Past {
    /// Looks whether the text was changed elsewhere, or what it stands on. Caret and view stay on what they are on.
    pub fn look(&mut self, ctx: &Context, id: Id, text: &str, elsewhere: Elsewhere) {
        let (mine, new_base) = match elsewhere {
            Elsewhere::Mine => (true, None),
            Elsewhere::Draft(stand) => {
                (std::mem::replace(&mut self.acts, stand.acts) != stand.acts, self.moved(&stand))
            }
        };
        if self.history.text() == text {
            if let Some((moves, base)) = new_base {
                self.history.rebase(text, &moves, base);
            }
            return;
        }
        let old = self.history.text().to_owned();
        self.folding.follow(&old, Touch::Keep);
        let before = place::selection(ctx, id, &old);
        let edits = changes(&old, text);
        let now =
            Selection { anchor: splice::moved(&edits, before.anchor), caret: splice::moved(&edits, before.caret) };
        if mine {
            self.history.record(text, before, now, Kind::Act);
        }
        let (moves, base) = new_base.unwrap_or_else(|| (Vec::new(), self.history.base().clone()));
        self.history.rebase(text, &moves, base);
        if let Some(mut state) = TextEditState::load(ctx, id) {
            state.cursor.set_char_range(Some(place::range(text, now)));
            state.clear_undoer();
            state.store(ctx, id);
        }
        let line = theme::LINE;
        let place = self.anchor(before.caret, line);
        self.shift += self.rows_above(&old, text, &edits, place) * line;
    }

    /// How many rows come in above a place; negative where more go.
    fn rows_above(&mut self, old: &str, text: &str, edits: &[Edit], place: usize) -> f32 {
        if !self.folding.is_any() {
            return lines_above(old, edits, place);
        }
        let row = |folding: &Folding, at: usize| folding.row_of(folding.line_of(at));
        let was = row(&self.folding, place);
        self.folding.follow(text, Touch::Keep);
        #[allow(clippy::cast_precision_loss)] // A handful of lines.
        let rows = row(&self.folding, splice::moved(edits, place)) as f32 - was as f32;
        rows
    }

    /// How the version the text stands on came about since it was last looked at, and what it says; `None` where it is the same.
    fn moved(&mut self, stand: &Stand) -> Option<(Vec<Move>, Arc<JsonMap>)> {
        let Stand { base, section, moves, .. } = *stand;
        let stood = self.stood.replace((base.clone(), moves.count()));
        let says = || Arc::new(base.section(section).clone());
        let Some((old, count)) = stood else {
            self.history.stand_on(says());
            return None;
        };
        if Arc::ptr_eq(&old, base) && count == moves.count() {
            return None;
        }
        let since = moves.since(count, section);
        (!since.is_empty() || old.section(section) != base.section(section)).then(|| (since, says()))
    }

    /// The place that stays where it is on the screen: the caret's when it is in view, else where the view begins.
    fn anchor(&self, caret: usize, line: f32) -> usize {
        #[allow(clippy::cast_precision_loss)] // A handful of lines.
        let y = self.folding.row_of(self.folding.line_of(caret)) as f32 * line;
        if y >= self.scrolled && y <= self.scrolled + self.height {
            return caret;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // Not negative, and at most the lines of a text.
        let top = self.folding.line_of_row((self.scrolled / line) as usize);
        self.folding.line(top).start
    }

    pub fn record(&mut self, text: &str, before: Selection, now: Selection, kind: Kind) {
        self.history.record(text, before, now, kind);
    }

    pub fn step(&mut self, way: Way, selected: Selection) -> Option<(Vec<Edit>, Selection)> {
        self.history.step(way, selected)
    }
}

/// The steps asked for by the keys of this frame, which the text field would take for its own.
pub(super) fn keys(ui: &Ui, id: Id) -> Vec<Way> {
    if !ui.memory(|m| m.has_focus(id)) {
        return Vec::new();
    }
    let mut ways = Vec::new();
    ui.input_mut(|i| {
        i.events.retain(|event| {
            let Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
            let way = match key {
                Key::Z if modifiers.matches_exact(COMMAND_SHIFT) => Way::Forth,
                Key::Y if modifiers.matches_exact(Modifiers::COMMAND) => Way::Forth,
                Key::Z if modifiers.matches_exact(Modifiers::COMMAND) => Way::Back,
                // The field would take these for the same, and has a past of its own.
                Key::Z | Key::Y if modifiers.command || modifiers.ctrl => return false,
                _ => return true,
            };
            ways.push(way);
            false
        });
    });
    ways
}

/// Whether what this frame brings is typed letter by letter.
pub(super) fn kind(ui: &Ui) -> Kind {
    ui.input(|i| {
        let whole = i.events.iter().any(|event| matches!(event, Event::Paste(_) | Event::Cut));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Seconds since the start.
        let ms = (i.time * 1000.0) as u64;
        if whole { Kind::Act } else { Kind::Typed { ms } }
    })
}

/// How many lines come in above a place; negative where more go.
fn lines_above(text: &str, edits: &[Edit], place: usize) -> f32 {
    let breaks = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
    let (mut come, mut go) = (0, 0);
    for edit in edits.iter().filter(|edit| edit.range.start < place) {
        come += breaks(&edit.text);
        go += breaks(&text[edit.range.clone()]);
    }
    #[allow(clippy::cast_precision_loss)] // A handful of lines.
    let lines = come as f32 - go as f32;
    lines
}
