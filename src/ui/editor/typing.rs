//! What a key means in JSON, told to the text field as the events it knows: so input methods, undo and screen readers see
//! nothing unusual. Each key is replaced where it stands among the events: what was typed around it in the same frame keeps
//! its order.

use super::command::LineCommand;
use super::place::{byte_of, char_of};
use crate::twin::text::lines::LineAct;
use crate::twin::text::pairs::{Pairs, Stroke};
use crate::twin::text::paste::{self, Place};
use crate::twin::text::typing;
use egui::text_edit::TextEditState;
use egui::{Event, Id, Key, Modifiers, Ui};
use std::ops::Range;

/// Rewrites the keys of this frame for the field that has the focus. Returns a command for whole lines that was among them.
pub(super) fn rewrite(ui: &Ui, id: Id, text: &str, waiting: &mut Waiting) -> Option<LineCommand> {
    let meant = |event: &Event| {
        matches!(
            event,
            Event::Text(_)
                | Event::Paste(_)
                | Event::Key { pressed: true, key: Key::Enter | Key::Tab | Key::Backspace, .. }
        )
    };
    if !ui.memory(|m| m.has_focus(id)) || !ui.input(|i| i.events.iter().any(meant)) {
        return None;
    }
    let selected = TextEditState::load(ui.ctx(), id).and_then(|state| state.cursor.char_range());
    let chars = selected.map_or(0..0, |range| {
        let (a, b) = (range.primary.index.0, range.secondary.index.0);
        a.min(b)..a.max(b)
    });
    let pairs = waiting.of(id);
    pairs.see(text);
    let mut typed = Typed {
        pairs,
        selected: byte_of(text, chars.start)..byte_of(text, chars.end),
        text: text.to_owned(),
        known: true,
        out: Vec::new(),
        command: None,
    };
    for event in ui.input_mut(|i| std::mem::take(&mut i.events)) {
        typed.take(event);
    }
    ui.input_mut(|i| i.events = typed.out);
    typed.command
}

/// What waits to be typed in the editor typed in last.
#[derive(Default)]
pub(super) struct Waiting(Option<(Id, Pairs)>);

impl Waiting {
    fn of(&mut self, id: Id) -> &mut Pairs {
        let (_, pairs) = match self.0.take() {
            Some(known) if known.0 == id => self.0.insert(known),
            _ => self.0.insert((id, Pairs::default())),
        };
        pairs
    }
}

/// The text and the selection as they will be when each event is taken.
struct Typed<'a> {
    pairs: &'a mut Pairs,
    text: String,
    selected: Range<usize>,
    /// Whether the selection can still be told: an arrow key moves it by the layout, which only the field knows.
    known: bool,
    out: Vec<Event>,
    command: Option<LineCommand>,
}

fn press(key: Key) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
}

impl Typed<'_> {
    fn take(&mut self, event: Event) {
        match &event {
            Event::Text(typed) => {
                let typed = typed.clone();
                self.letters(&typed, event);
            }
            Event::Paste(pasted) => {
                let in_string = self.known && typing::is_in_string(&self.text, self.selected.start);
                let place = if in_string { Place::InString } else { Place::Outside };
                let pasted = paste::cleaned(pasted, place).into_owned();
                self.insert(&pasted);
                self.out.push(Event::Paste(pasted));
            }
            Event::Cut => {
                self.insert("");
                self.out.push(event);
            }
            Event::Key { key, pressed: true, modifiers, .. } => {
                let (key, modifiers) = (*key, *modifiers);
                self.key(key, modifiers, event);
            }
            Event::PointerButton { pressed: true, .. } | Event::Ime(_) | Event::AccessKitActionRequest(_) => {
                self.known = false;
                self.out.push(event);
            }
            _ => self.out.push(event),
        }
    }

    fn letters(&mut self, typed: &str, event: Event) {
        let at = self.selected.start;
        self.pairs.leave(at);
        let stroke = if self.known { self.pairs.stroke(&self.text, &self.selected, typed) } else { Stroke::Plain };
        match stroke {
            Stroke::Over { white } => {
                let over = self.text[at..].chars().take(white).map(char::len_utf8).sum::<usize>() + typed.len();
                self.selected = at + over..at + over;
                self.pairs.leave(at + over);
                self.out.extend(std::iter::repeat_n(press(Key::ArrowRight), white + 1));
            }
            Stroke::Pair(closer) => {
                let pair = format!("{typed}{closer}");
                self.insert(&pair);
                let between = at + typed.len();
                self.selected = between..between;
                self.pairs.opened(&self.text, at, between);
                self.out.push(Event::Text(pair));
                self.out.push(press(Key::ArrowLeft));
            }
            Stroke::Plain => {
                self.insert(typed);
                self.out.push(event);
            }
        }
    }

    fn key(&mut self, key: Key, modifiers: Modifiers, event: Event) {
        match key {
            // The field itself would take it for a plain Tab.
            Key::Tab if modifiers.command || modifiers.ctrl || modifiers.alt => {}
            Key::Tab if self.spans_lines() => {
                let act = if modifiers.shift { LineAct::Outdent } else { LineAct::Indent };
                self.command = Some(LineCommand::Lines(act));
            }
            Key::Tab if modifiers.shift_only() => self.command = Some(LineCommand::Lines(LineAct::Outdent)),
            Key::Tab if modifiers.is_none() => {
                let step = " ".repeat(typing::STEP);
                self.insert(&step);
                self.out.push(Event::Text(step));
            }
            Key::Enter if modifiers.matches_logically(Modifiers::NONE) => self.line_break(),
            Key::Backspace if modifiers.is_none() => {
                self.backspace();
                self.out.push(event);
            }
            _ => {
                self.known &= !moves(key, modifiers);
                self.out.push(event);
            }
        }
    }

    fn spans_lines(&self) -> bool {
        self.known && self.text[self.selected.clone()].contains('\n')
    }

    /// As a paste: a text event of a bare line break would be dropped.
    fn line_break(&mut self) {
        self.insert("");
        let at = self.selected.start;
        let (typed, caret) = typing::line_break(&self.text, at);
        // Where the caret is not known, what closes would go astray.
        let typed = if self.known { typed } else { typed[..caret].to_owned() };
        self.insert(&typed);
        self.selected = at + caret..at + caret;
        let back = char_of(&typed, typed.len()) - char_of(&typed, caret);
        self.out.push(Event::Paste(typed));
        self.out.extend(std::iter::repeat_n(press(Key::ArrowLeft), back));
    }

    fn backspace(&mut self) {
        if !self.known {
            return;
        }
        if self.selected.is_empty() {
            let at = self.selected.start;
            if typing::is_empty_pair(&self.text, at) {
                self.pairs.insert(&mut self.text, &(at..at + 1), "");
                self.out.push(press(Key::Delete));
            }
            self.selected.start = self.text[..at].char_indices().next_back().map_or(0, |(at, _)| at);
        }
        self.insert("");
    }

    /// Puts a text in place of what is selected.
    fn insert(&mut self, typed: &str) {
        self.pairs.insert(&mut self.text, &self.selected, typed);
        let caret = self.selected.start + typed.len();
        self.selected = caret..caret;
    }
}

/// Whether a key may move the caret or change the text. A letter held with Ctrl and Alt is one of the third level of a
/// keyboard, and types.
fn moves(key: Key, modifiers: Modifiers) -> bool {
    let command = (modifiers.ctrl || modifiers.command) && !modifiers.alt;
    match key {
        Key::ArrowLeft
        | Key::ArrowRight
        | Key::ArrowUp
        | Key::ArrowDown
        | Key::Home
        | Key::End
        | Key::PageUp
        | Key::PageDown
        | Key::Backspace
        | Key::Delete
        | Key::Tab
        | Key::Enter => true,
        _ => command,
    }
}
