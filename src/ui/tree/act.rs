//! What can be done in a tree, by keys, buttons and the palette: one list for all.

use super::field::Field;
use super::{Page, Sheet, with_page};
use crate::app::tree::Face;
use crate::app::{Action, Tab};
use crate::twin::text::compact;
use crate::twin::text::history::Way;
use crate::twin::text::lines::Selection;
use crate::twin::tree::edit::{self, Act, Fault};
use crate::twin::tree::kind::{Converted, Kind, converted};
use crate::twin::tree::{Agreement, Row, query_path};
use crate::twin::{Json, Path, Section, Segment};
use crate::ui::editing::section_of;
use crate::ui::{Frame, editor_id, keys};
use egui::{Context, Key, KeyboardShortcut, Modifiers};

/// An act on the tree or on the row the keys stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Command {
    /// From text to tree and back.
    Face(Face),
    Add,
    Edit,
    Rename,
    Delete,
    Kind(Kind),
    CopyPath,
    CopyValue,
    CopyQueryPath,
    ExpandAll,
    CollapseAll,
    Undo,
    Redo,
}

const LISTED: [Command; 11] = [
    Command::Add,
    Command::Edit,
    Command::Rename,
    Command::Delete,
    Command::CopyPath,
    Command::CopyValue,
    Command::CopyQueryPath,
    Command::ExpandAll,
    Command::CollapseAll,
    Command::Undo,
    Command::Redo,
];

impl Command {
    /// On a button.
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Edit => "Edit",
            Self::Rename => "Rename",
            Self::Delete => "Delete",
            Self::CopyPath => "Path",
            Self::CopyValue => "Value",
            Self::CopyQueryPath => "Query path",
            Self::ExpandAll => "Expand",
            Self::CollapseAll => "Collapse",
            other => other.name(),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Face(Face::Text) => "Show as text",
            Self::Face(Face::Tree) => "Show as tree",
            Self::Add => "Add property",
            Self::Edit => "Edit value",
            Self::Rename => "Rename property",
            Self::Delete => "Delete property",
            Self::Kind(kind) => kind.word(),
            Self::CopyPath => "Copy path",
            Self::CopyValue => "Copy value",
            Self::CopyQueryPath => "Copy as query path",
            Self::ExpandAll => "Expand all properties",
            Self::CollapseAll => "Collapse all properties",
            Self::Undo => "Undo in the tree",
            Self::Redo => "Redo in the tree",
        }
    }

    pub fn keys(self) -> Option<KeyboardShortcut> {
        let plain = |key| Some(KeyboardShortcut::new(Modifiers::NONE, key));
        match self {
            Self::Face(_) => Some(keys::FACE),
            Self::Add => plain(Key::Insert),
            Self::Edit => plain(Key::Enter),
            Self::Rename => plain(Key::F2),
            Self::Delete => plain(Key::Delete),
            Self::CopyValue => Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::C)),
            Self::Undo => Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::Z)),
            Self::Redo => Some(KeyboardShortcut::new(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)),
            _ => None,
        }
    }
}

/// What the palette offers of the tree.
pub(in crate::ui) fn commands(tab: &Tab) -> Vec<(Command, String, Option<KeyboardShortcut>)> {
    if section_of(tab).is_none() || tab.draft.is_none() {
        return Vec::new();
    }
    let face = std::iter::once(Command::Face(tab.face.other()));
    let kinds = Kind::ALL.into_iter().map(Command::Kind);
    let listed = LISTED.into_iter().chain(kinds).filter(|_| tab.face == Face::Tree);
    let words = |command: Command| match command {
        Command::Kind(kind) => format!("Change type: {}", kind.word().to_lowercase()),
        command => command.name().to_owned(),
    };
    face.chain(listed).map(|command| (command, words(command), command.keys())).collect()
}

/// Why a command cannot be done on a row.
pub(super) fn off(command: Command, row: Option<&Row>) -> Option<&'static str> {
    let element = |row: &Row| matches!(row.path.0.last(), Some(Segment::Index(_)));
    let on_row = !matches!(
        command,
        Command::Face(_) | Command::Add | Command::Undo | Command::Redo | Command::ExpandAll | Command::CollapseAll
    );
    match (command, row) {
        _ if !on_row => None,
        (_, None) => Some("There is no property yet"),
        (Command::Rename | Command::Delete | Command::Kind(_), Some(row)) if row.agreement == Agreement::NotDesired => {
            Some("The device reports it, it is not desired")
        }
        (Command::Rename, Some(row)) if element(row) => Some("An element of an array has no key"),
        (Command::Kind(kind), Some(row)) if row.kind == kind => Some("It is of this type"),
        _ => None,
    }
}

pub(in crate::ui) fn run(f: &mut Frame, ctx: &Context, tab: &Tab, command: Command) {
    if let Command::Face(_) = command {
        super::toggle(f, ctx, tab);
        return;
    }
    let Some(section) = section_of(tab) else { return };
    with_page(f, tab, section, |f, page, sheet| {
        if off(command, sheet.rows.get(page.index)).is_none() {
            page.reveal = true;
            make(f, ctx, page, sheet, command);
        }
    });
    ctx.request_repaint();
}

/// Takes what stands in an open field. Returns whether nothing is left in it.
pub(in crate::ui) fn settle(f: &mut Frame, ctx: &Context, tab: &Tab) -> bool {
    let Some(section) = section_of(tab).filter(|_| tab.face == Face::Tree) else { return true };
    let settled = with_page(f, tab, section, |f, page, sheet| {
        page.reveal |= page.field.is_some();
        take(f, ctx, page, sheet)
    });
    settled.unwrap_or(true)
}

/// Does it; `off` has said that it can be done.
pub(super) fn make(f: &mut Frame, ctx: &Context, page: &mut Page, sheet: &Sheet, command: Command) {
    match command {
        Command::Face(_) => super::toggle(f, ctx, sheet.tab),
        Command::ExpandAll => page.closed.clear(),
        Command::CollapseAll => collapse(page, sheet),
        Command::Undo | Command::Redo => {
            page.later = true;
            step(f, ctx, sheet, command);
        }
        Command::CopyPath | Command::CopyValue | Command::CopyQueryPath => {
            if let Some(row) = sheet.rows.get(page.index) {
                ctx.copy_text(copied(sheet, row, command));
            }
        }
        // The rows are those of the text before: what is typed goes first, and alone.
        _ if page.field.as_ref().is_some_and(Field::is_touched) => {
            take(f, ctx, page, sheet);
        }
        Command::Add => {
            let field = add(page, sheet);
            begin(page, field);
        }
        _ => {
            let Some(row) = sheet.rows.get(page.index) else { return };
            match command {
                Command::Rename => begin(page, Field::rename(row)),
                Command::Delete => delete(f, ctx, page, sheet, row),
                Command::Kind(kind) => convert(f, ctx, page, sheet, row, kind),
                _ => edit_row(page, sheet, row),
            }
        }
    }
}

fn begin(page: &mut Page, field: Field) {
    page.field = Some(field);
}

/// Objects open; other values are edited. What only the device has is offered as a new property with its value.
fn edit_row(page: &mut Page, sheet: &Sheet, row: &Row) {
    if row.agreement == Agreement::NotDesired {
        let Some((Segment::Key(key), parent)) = row.path.0.split_last() else { return };
        let parent = Path(parent.to_vec());
        let reachable = parent.0.is_empty() || mine(sheet, &parent).is_some_and(Json::is_object);
        if reachable {
            let value = told(sheet, &row.path).map(compact).unwrap_or_default();
            begin(page, Field::add(parent, None, key.clone(), value));
        }
    } else if row.open.is_some() {
        if !page.closed.remove(&row.path) {
            page.closed.insert(row.path.clone());
        }
    } else if let Some(value) = spelling(sheet, &row.path) {
        begin(page, Field::value(row.path.clone(), value));
    }
}

/// Into an open object or array; else behind the row.
fn add(page: &mut Page, sheet: &Sheet) -> Field {
    let row = sheet.rows.get(page.index).filter(|row| row.value.is_some());
    let Some(row) = row else { return Field::add(Path::root(), None, String::new(), String::new()) };
    let inside = matches!(row.kind, Kind::Object | Kind::Array) && row.open != Some(false);
    if inside {
        page.closed.remove(&row.path);
        return Field::add(row.path.clone(), None, String::new(), String::new());
    }
    let mut parent = row.path.clone();
    let behind = parent.0.pop();
    Field::add(parent, behind, String::new(), String::new())
}

fn delete(f: &mut Frame, ctx: &Context, page: &mut Page, sheet: &Sheet, row: &Row) {
    page.later = true;
    if let Err(fault) = apply(f, ctx, sheet, &Act::Delete { path: row.path.clone() }) {
        refuse(page, sheet, &row.path, fault);
    }
}

/// A value that cannot be kept is asked for.
fn convert(f: &mut Frame, ctx: &Context, page: &mut Page, sheet: &Sheet, row: &Row, kind: Kind) {
    let Some(value) = mine(sheet, &row.path) else { return };
    match converted(value, kind) {
        Converted::Start(value) => begin(page, Field::offer(row.path.clone(), value)),
        Converted::Whole(value) => {
            page.later = true;
            let act = Act::Set { path: row.path.clone(), value: value.clone() };
            if let Err(fault) = apply(f, ctx, sheet, &act) {
                begin(page, Field::refused(row.path.clone(), value, fault));
            }
        }
    }
}

fn refuse(page: &mut Page, sheet: &Sheet, path: &Path, fault: Fault) {
    let value = spelling(sheet, path).unwrap_or_default();
    begin(page, Field::refused(path.clone(), value, fault));
}

fn collapse(page: &mut Page, sheet: &Sheet) {
    // Those inside closed ones have no row: found by opening everything first.
    let all = super::Page::default().rows(sheet.draft, sheet.section, sheet.tab.current());
    page.closed = all.iter().filter(|row| row.open.is_some()).map(|row| row.path.clone()).collect();
    page.cursor.0.truncate(1);
}

/// Takes what stands in the field, as an edit of the text. Returns whether nothing is left in it; else the fault stands beside it.
pub(super) fn take(f: &mut Frame, ctx: &Context, page: &mut Page, sheet: &Sheet) -> bool {
    let Some(field) = &mut page.field else { return true };
    if !field.is_touched() {
        page.field = None;
        return true;
    }
    let act = field.act();
    if let Err(fault) = apply(f, ctx, sheet, &act) {
        field.fault = Some(fault);
        field.fresh = true;
        return false;
    }
    page.cursor = field.target(sheet.part.parsed.document.as_ref());
    page.field = None;
    true
}

/// Makes an act an edit of the text: one step back undoes it, in the tree and in the text.
fn apply(f: &mut Frame, ctx: &Context, sheet: &Sheet, act: &Act) -> Result<(), Fault> {
    let part = sheet.part;
    let edits = edit::edits(sheet.section, &part.text, &part.parsed, act)?;
    let Some(first) = edits.first() else { return Ok(()) };
    let caret = first.range.start;
    let change = (edits, Selection { anchor: caret, caret });
    let text = f.view.editor.act(ctx, editor_id(&sheet.tab.id, sheet.section), &part.text, &change);
    f.push(Action::Edit { id: sheet.tab.id.clone(), section: sheet.section, text });
    Ok(())
}

/// One step in the past of the text.
fn step(f: &mut Frame, ctx: &Context, sheet: &Sheet, command: Command) {
    let way = if command == Command::Undo { Way::Back } else { Way::Forth };
    let id = editor_id(&sheet.tab.id, sheet.section);
    let Some(text) = f.view.editor.step(ctx, id, &sheet.part.text, way) else { return };
    f.push(Action::Edit { id: sheet.tab.id.clone(), section: sheet.section, text });
}

fn copied(sheet: &Sheet, row: &Row, command: Command) -> String {
    match command {
        Command::CopyPath => row.path.to_string(),
        Command::CopyQueryPath => {
            let desired = row.agreement != Agreement::NotDesired;
            query_path(if desired { sheet.section } else { Section::Reported }, &row.path)
        }
        _ => spelling(sheet, &row.path)
            .or_else(|| told(sheet, &row.path).map(|value| format!("{value:#}")))
            .unwrap_or_default(),
    }
}

/// The draft's value.
fn mine<'a>(sheet: &'a Sheet, path: &Path) -> Option<&'a Json> {
    path.find(sheet.part.parsed.document.as_ref()?)
}

/// The draft's value as it stands in the text.
fn spelling(sheet: &Sheet, path: &Path) -> Option<String> {
    let span = sheet.part.parsed.span(path)?;
    sheet.part.text.get(span.value.clone()).map(str::to_owned)
}

fn told<'a>(sheet: &'a Sheet, path: &Path) -> Option<&'a Json> {
    path.find(sheet.tab.current()?.section(Section::Reported))
}
