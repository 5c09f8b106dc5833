//! What can be done with the text in front by a key or from the palette: one list for both.

use super::Frame;
use super::editor::{self, EditorView, FoldAct, LineCommand};
use super::editor_id;
use super::find::{Found, Step};
use super::press;
use crate::app::tab::Pane;
use crate::app::tree::Face;
use crate::app::{Action, Tab};
use crate::twin::Section;
use crate::twin::draft::SectionDraft;
use crate::twin::text::history::Way;
use crate::twin::text::lines::LineAct;
use egui::{Context, InputState, Key, KeyboardShortcut, Modifiers};
use std::ops::Range;

/// An act on the text in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Find,
    Replace,
    FindNext,
    FindPrevious,
    GoToLine,
    NextProblem,
    PreviousProblem,
    NextChange,
    PreviousChange,
    Line(LineCommand),
    /// What others have at the caret.
    Suggest,
}

const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };
const COMMAND_ALT: Modifiers = Modifiers { alt: true, ..Modifiers::COMMAND };

/// Each with its words and its keys.
pub(super) const COMMANDS: [(Command, &str, KeyboardShortcut); 23] = [
    (Command::Line(LineCommand::Step(Way::Forth)), "Redo", keys(COMMAND_SHIFT, Key::Z)),
    (Command::Line(LineCommand::Step(Way::Back)), "Undo", keys(Modifiers::COMMAND, Key::Z)),
    (Command::Line(LineCommand::Step(Way::Forth)), "Redo", keys(Modifiers::COMMAND, Key::Y)),
    (Command::Line(LineCommand::Lines(LineAct::Duplicate)), "Duplicate line", keys(COMMAND_SHIFT, Key::D)),
    (Command::Line(LineCommand::Lines(LineAct::MoveUp)), "Move line up", keys(COMMAND_SHIFT, Key::ArrowUp)),
    (Command::Line(LineCommand::Lines(LineAct::MoveDown)), "Move line down", keys(COMMAND_SHIFT, Key::ArrowDown)),
    (Command::Line(LineCommand::Lines(LineAct::Select)), "Select line", keys(Modifiers::COMMAND, Key::L)),
    (Command::Line(LineCommand::Format), "Format document", keys(COMMAND_SHIFT, Key::I)),
    // Where the system itself takes Cmd+Space.
    (Command::Suggest, "Suggest keys and values", keys(Modifiers::CTRL, Key::Space)),
    (Command::Line(LineCommand::Fold(FoldAct::Fold)), "Fold", keys(COMMAND_SHIFT, Key::OpenBracket)),
    (Command::Line(LineCommand::Fold(FoldAct::Unfold)), "Unfold", keys(COMMAND_SHIFT, Key::CloseBracket)),
    (Command::Line(LineCommand::Fold(FoldAct::FoldAll)), "Fold all", keys(COMMAND_SHIFT, Key::J)),
    (Command::Line(LineCommand::Fold(FoldAct::UnfoldAll)), "Unfold all", keys(Modifiers::COMMAND, Key::J)),
    (Command::GoToLine, "Go to line…", keys(Modifiers::COMMAND, Key::G)),
    (Command::PreviousProblem, "Previous problem", keys(Modifiers::SHIFT, Key::F8)),
    (Command::NextProblem, "Next problem", keys(Modifiers::NONE, Key::F8)),
    (Command::NextChange, "Next change", keys(Modifiers::ALT, Key::ArrowDown)),
    (Command::PreviousChange, "Previous change", keys(Modifiers::ALT, Key::ArrowUp)),
    (Command::FindPrevious, "Find previous", keys(Modifiers::SHIFT, Key::F3)),
    (Command::FindNext, "Find next", keys(Modifiers::NONE, Key::F3)),
    // Where the system itself takes Cmd+H.
    (Command::Replace, "Replace in the text", keys(COMMAND_ALT, Key::F)),
    (Command::Find, "Find in the text", keys(Modifiers::COMMAND, Key::F)),
    (Command::Replace, "Replace in the text", keys(Modifiers::COMMAND, Key::H)),
];

impl Command {
    /// The first of its keys, in words.
    pub fn keys(self, ctx: &Context) -> String {
        let keys = COMMANDS.iter().find(|(command, ..)| *command == self);
        keys.map(|(_, _, keys)| ctx.format_shortcut(keys)).unwrap_or_default()
    }

    /// Whether it means something in what a tab shows.
    pub fn fits(self, tab: &Tab) -> bool {
        match (section_of(tab), self) {
            // They are about lines, or the caret.
            (Some(_), Self::Line(_) | Self::Suggest) if tab.face == Face::Tree => false,
            (Some(_), _) => tab.draft.is_some(),
            (None, Self::NextChange | Self::PreviousChange) => {
                tab.pane == Pane::Compare && !tab.compare.sides.is_empty()
            }
            (
                None,
                Self::Find | Self::FindNext | Self::FindPrevious | Self::GoToLine | Self::Line(LineCommand::Fold(_)),
            ) => read_only(tab).is_some(),
            _ => false,
        }
    }
}

pub(super) fn section_of(tab: &Tab) -> Option<Section> {
    match tab.pane {
        Pane::Desired => Some(Section::Desired),
        Pane::Tags => Some(Section::Tags),
        _ => None,
    }
}

/// The text of a pane that is only read.
fn read_only(tab: &Tab) -> Option<&str> {
    match tab.pane {
        Pane::Reported => Some(&tab.reported_text),
        Pane::Document => Some(&tab.document_text),
        Pane::History => super::history::text_of(tab),
        _ => None,
    }
}

/// The text in front.
pub(super) fn text_of(tab: &Tab) -> Option<&str> {
    let section = section_of(tab).and_then(|section| Some(&tab.draft.as_ref()?.section(section).text));
    section.map(String::as_str).or(read_only(tab))
}

pub(super) fn listen(f: &mut Frame, ctx: &Context, tab: &Tab) {
    for (command, _, keys) in &COMMANDS {
        if command.fits(tab) && is_meant(ctx, tab, *command) && ctx.input_mut(|i| is_pressed(i, *keys)) {
            run(f, ctx, tab, *command);
        }
    }
}

/// A bracket has another name while Shift is held.
fn is_pressed(i: &mut InputState, keys: KeyboardShortcut) -> bool {
    let shifted = match keys.logical_key {
        Key::OpenBracket => Key::OpenCurlyBracket,
        Key::CloseBracket => Key::CloseCurlyBracket,
        _ => return press::take_shortcut(i, keys),
    };
    press::take_shortcut(i, keys) || press::take(i, keys.modifiers, shifted)
}

/// Lines are those of the editor, unless another field has the focus.
fn is_meant(ctx: &Context, tab: &Tab, command: Command) -> bool {
    let editor = match section_of(tab) {
        Some(section) => Some(editor_id(&tab.id, section)),
        None => Some(super::reader::id(&tab.id, tab.pane)),
    };
    !matches!(command, Command::Line(_) | Command::Suggest)
        || ctx.memory(egui::Memory::focused).is_none_or(|id| Some(id) == editor)
}

pub(super) fn run(f: &mut Frame, ctx: &Context, tab: &Tab, command: Command) {
    if !matches!(command, Command::GoToLine) {
        super::tree::show_text(f, tab);
    }
    match command {
        Command::Find | Command::Replace => show_find(f, ctx, tab, command),
        Command::FindNext => find_step(f, ctx, tab, Step::Next),
        Command::FindPrevious => find_step(f, ctx, tab, Step::Previous),
        Command::GoToLine => f.push(Action::ShowGoToLine),
        Command::Suggest => f.view.complete.ask(ctx),
        Command::Line(command) => {
            if let Some(section) = section_of(tab) {
                f.view.editor.order(ctx, editor_id(&tab.id, section), command);
            } else if let LineCommand::Fold(act) = command {
                f.view.reader.order(ctx, act);
            }
        }
        Command::NextChange if tab.pane == Pane::Compare => f.view.compare.step = 1,
        Command::PreviousChange if tab.pane == Pane::Compare => f.view.compare.step = -1,
        Command::NextProblem | Command::PreviousProblem | Command::NextChange | Command::PreviousChange => {
            let Some((section, draft)) = section_of(tab).zip(tab.draft.as_ref()) else { return };
            let (id, part) = (editor_id(&tab.id, section), draft.section(section));
            if let Some(range) = place(ctx, id, part, command) {
                f.view.editor.go(ctx, id, &part.text, range);
            }
        }
    }
}

/// The next or the last problem or change from the caret, around the end.
fn place(ctx: &Context, id: egui::Id, part: &SectionDraft, command: Command) -> Option<Range<usize>> {
    let at = EditorView::offset(ctx, id, &part.text);
    let start = editor::selection(ctx, id, &part.text).range().start;
    let changes = || {
        let spans = part.changes.iter().filter_map(|change| part.parsed.span(&change.path));
        let mut places: Vec<_> = spans.map(|span| span.key.clone().unwrap_or_else(|| span.value.clone())).collect();
        places.sort_by_key(|range| range.start);
        places
    };
    let problems = || part.problems.iter().map(|problem| problem.range.clone()).collect::<Vec<_>>();
    match command {
        Command::NextChange => {
            let places = changes();
            places.iter().find(|range| range.start > at).or(places.first()).cloned()
        }
        Command::PreviousChange => {
            let places = changes();
            places.iter().rev().find(|range| range.end < at).or(places.last()).cloned()
        }
        Command::PreviousProblem => {
            let places = problems();
            places.iter().rev().find(|range| range.start < start).or(places.last()).cloned()
        }
        _ => {
            let places = problems();
            places.iter().find(|range| range.start > start).or(places.first()).cloned()
        }
    }
}

fn show_find(f: &mut Frame, ctx: &Context, tab: &Tab, command: Command) {
    f.view.changes_instead = false;
    let selected = section_of(tab).zip(text_of(tab)).and_then(|(section, text)| {
        let range = editor::selection(ctx, editor_id(&tab.id, section), text).range();
        text.get(range)
    });
    // Asked for again in its own field: what is looked for stays, selected whole.
    let again = ctx.memory(|m| m.has_focus(super::find::field_id()));
    let find = &mut f.view.editor.find;
    find.show(selected.filter(|_| !again));
    find.replacing = command == Command::Replace || find.replacing && section_of(tab).is_some();
}

fn find_step(f: &mut Frame, ctx: &Context, tab: &Tab, step: Step) {
    let Some(text) = text_of(tab) else { return };
    if f.view.editor.find.text.is_empty() {
        show_find(f, ctx, tab, Command::Find);
        return;
    }
    let Some(section) = section_of(tab) else {
        let selected = f.view.reader.selection(text);
        if let Some(Found::Go(hit)) = f.view.editor.find.step(text, &selected, step) {
            f.view.reader.select(text, &hit.range);
        }
        return;
    };
    let id = editor_id(&tab.id, section);
    let selected = editor::selection(ctx, id, text).range();
    if let Some(Found::Go(hit)) = f.view.editor.find.step(text, &selected, step) {
        f.view.editor.go(ctx, id, text, hit.range);
    }
}

/// Puts the caret of the text in front on a byte offset.
pub(super) fn go_to(f: &mut Frame, ctx: &Context, tab: &Tab, offset: usize) {
    let Some(text) = text_of(tab) else { return };
    if let Some(section) = section_of(tab) {
        super::tree::show_text(f, tab);
        f.view.editor.go(ctx, editor_id(&tab.id, section), text, offset..offset);
        return;
    }
    f.view.reader.select(text, &(offset..offset));
    // Not yet: the dialog that led here still has it.
    f.view.reader.focus = true;
    ctx.request_repaint();
}
