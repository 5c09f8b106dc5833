//! A list at the caret of keys and values other twins have there. It opens when it is asked for, and by itself behind a letter
//! that begins something known; it never stands between a person and the text.

mod list;

use super::Frame;
use super::editor::selection;
use crate::twin::known::suggest::{self, Offer, Why};
use crate::twin::text::spot::{Place, Spot};
use egui::{Context, Event, EventFilter, Id, Key, Modifiers, Ui};
use list::{List, PAGE};

/// The list, and what waits for it.
#[derive(Default)]
pub(super) struct CompleteView {
    open: Option<List>,
    /// Asked for, and the editor was not painted since.
    asked: bool,
    /// Taken by a click: put in when the editor is painted next.
    taken: Option<List>,
    /// What came behind letters of the same frame and is for the list those letters lead to.
    later: Vec<Event>,
    did: Did,
}

/// What happened in this frame before the editor was painted.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Did {
    #[default]
    Nothing,
    Typed,
    /// A key was put in, and its value is next.
    PutKey,
    Closed,
}

/// What a key means to the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Step(isize),
    Page(isize),
    Take,
    Close,
}

impl CompleteView {
    /// Shows what there is at the caret, as soon as the editor is painted.
    pub fn ask(&mut self, ctx: &Context) {
        self.asked = true;
        ctx.request_repaint();
    }

    /// Leaves the field what is not for the list. Returns what was taken.
    fn sort(&mut self, ctx: &Context, events: Vec<Event>) -> (Vec<Event>, Option<List>) {
        let (mut out, mut taken, mut touched) = (Vec::new(), None, false);
        let mut events = events.into_iter();
        while let Some(event) = events.next() {
            match self.open.as_mut().and_then(|open| meant(open, &event).map(|meant| (open, meant))) {
                None => {
                    let letters = matches!(&event, Event::Text(text) if !text.is_empty());
                    self.did = if letters { Did::Typed } else { self.did };
                    touched |=
                        letters || matches!(event, Event::Key { pressed: true, .. } | Event::Paste(_) | Event::Cut);
                    out.push(event);
                }
                Some((_, Meant::Close)) => {
                    self.open = None;
                    self.did = Did::Closed;
                }
                // The list is of the text before those letters: what is meant is the next one.
                Some(_) if touched => {
                    self.later = std::iter::once(event).chain(events).collect();
                    ctx.request_repaint();
                    break;
                }
                Some((open, Meant::Step(by))) => open.step(by),
                Some((open, Meant::Page(by))) => open.page(by),
                Some((_, Meant::Take)) => taken = self.open.take(),
            }
        }
        (out, taken)
    }
}

/// What a key means to an open list; `None` for what is the field's.
fn meant(open: &List, event: &Event) -> Option<Meant> {
    let Event::Key { key, pressed: true, modifiers, .. } = event else { return None };
    if *modifiers != Modifiers::NONE {
        return None;
    }
    if *key == Key::Escape {
        return Some(Meant::Close);
    }
    if open.offer.list.is_empty() {
        return None;
    }
    Some(match key {
        Key::ArrowDown => Meant::Step(1),
        Key::ArrowUp => Meant::Step(-1),
        Key::PageDown => Meant::Page(PAGE),
        Key::PageUp => Meant::Page(-PAGE),
        // Inside of a key, or where a value goes, nobody means to indent.
        Key::Tab => Meant::Take,
        // Whoever types to the end of a line does not look at a list that came by itself: Enter is the line's, until the list was
        // asked for or something in it was chosen.
        Key::Enter if open.is_meant() => Meant::Take,
        _ => return None,
    })
}

/// Takes the keys that are for the list, and orders what was taken. Before the editor is painted.
pub(super) fn listen(f: &mut Frame, ui: &Ui, id: Id, text: &str) {
    let view = &mut f.view.complete;
    view.did = Did::Nothing;
    view.open.take_if(|open| open.id != id || open.text != text);
    let later = std::mem::take(&mut view.later);
    let mut taken = view.taken.take();
    if ui.memory(|m| m.has_focus(id)) {
        let events = ui.input_mut(|i| std::mem::take(&mut i.events));
        let (events, by_key) = view.sort(ui.ctx(), later.into_iter().chain(events).collect());
        ui.input_mut(|i| i.events = events);
        taken = taken.or(by_key);
    }
    let Some(list) = taken.filter(|list| list.id == id && list.text == text) else { return };
    let Some(chosen) = list.offer.list.get(list.chosen) else { return };
    if matches!(list.offer.spot.place, Place::Key { has_colon: false, .. }) {
        view.did = Did::PutKey;
    }
    f.view.editor.put = Some((id, suggest::accept(text, &list.offer.spot, chosen)));
}

/// Opens, follows or closes the list, and paints it. Behind the editor, which shows this text now.
pub(super) fn ui(f: &mut Frame, ui: &Ui, id: Id, text: &str) {
    if !has_focus(f, ui, id) {
        return;
    }
    follow(f, ui, id, text);
    let view = &mut f.view.complete;
    let Some((caret, _)) = f.view.editor.caret_seen.filter(|(caret, sight)| sight.intersects(*caret)) else {
        view.open = None;
        return;
    };
    let Some(open) = &mut view.open else { return };
    let filter = EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
    ui.memory_mut(|m| m.set_focus_lock_filter(id, filter));
    if let Some(clicked) = open.ui(ui, caret) {
        open.chosen = clicked;
        view.taken = view.open.take();
        ui.ctx().request_repaint();
    }
}

/// Whether the editor has the focus. It gets it back from a press on the list, and when the list was asked for elsewhere.
fn has_focus(f: &mut Frame, ui: &Ui, id: Id) -> bool {
    if ui.memory(|m| m.has_focus(id)) {
        return true;
    }
    let view = &mut f.view.complete;
    let pressed = view.open.is_some() && list::has_pointer(ui);
    let asked = view.asked && f.app.dialog.is_none();
    if pressed || asked {
        ui.memory_mut(|m| m.request_focus(id));
        ui.ctx().request_repaint();
    } else {
        view.open = None;
    }
    pressed
}

/// Looks what is to be offered now, where the text, the caret or the wish is another than before.
fn follow(f: &mut Frame, ui: &Ui, id: Id, text: &str) {
    let view = &f.view.complete;
    let (asked, did) = (view.asked, view.did);
    if view.open.is_none() && !asked && !matches!(did, Did::Typed | Did::PutKey) {
        return;
    }
    let selected = selection(ui.ctx(), id, text);
    let caret = selected.caret;
    let Some((known, beside)) = f.view.hints.known() else { return };
    let offer = |at, why| suggest::suggest(text, at, known, beside, why);
    let list = |offer, why| Some(List::new(id, text, caret, offer, why));
    let fresh = || (did == Did::Typed).then(|| offer(caret, Why::Typed)).flatten();
    let open = match &view.open {
        _ if asked => offer(caret, Why::Asked).and_then(|offer| list(offer, Why::Asked)),
        _ if did == Did::PutKey => {
            after_key(offer(selected.range().start, Why::Asked)).and_then(|(offer, why)| list(offer, why))
        }
        Some(open) if open.text == text && open.caret == caret => return,
        Some(open) => {
            // A caret that only moves stays with what it stood at; letters may have made that longer or shorter.
            let (before, moved) = (&open.offer.spot.range, open.text == text);
            let is_same = |spot: &Spot| spot.range == *before || !moved && spot.range.start == before.start;
            let narrowed = offer(caret, Why::Narrowed).filter(|_| selected.range().is_empty());
            let same = narrowed.filter(|offer| is_same(&offer.spot));
            match same {
                Some(same) => list(same, open.why),
                None => fresh().and_then(|offer| list(offer, Why::Typed)),
            }
        }
        None => fresh().and_then(|offer| list(offer, Why::Typed)),
    };
    f.view.complete.open = open;
    f.view.complete.asked = false;
}

/// What is offered for the value of a key just put in. Enter takes a value, which stands there selected and would be lost to a new
/// line; but between the braces of an empty object it makes one.
fn after_key(offer: Option<Offer>) -> Option<(Offer, Why)> {
    let offer = offer.filter(|offer| !offer.list.is_empty())?;
    let why = if offer.spot.place == Place::Value { Why::Asked } else { Why::Typed };
    Some((offer, why))
}
