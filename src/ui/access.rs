//! What assistive technologies are given, put right in one place before it leaves the window. The strings of the
//! accessibility bus cannot hold U+0000: one would end the connection of the whole window. And egui builds the runs of a
//! text from its glyphs, which are not its characters in every script.

use crate::twin::text::visible;
use egui::accesskit::{Node, NodeId, Role, TextPosition, TreeUpdate};
use egui::{Context, FullOutput, Plugin};
use std::borrow::Cow;
use std::collections::HashMap;

/// Stands for U+0000: the symbol Unicode has for it.
const NUL: &str = "\u{2400}";

/// Rewrites every update of the accessibility tree.
pub(super) struct Access;

impl Plugin for Access {
    fn debug_name(&self) -> &'static str {
        "access"
    }

    fn output_hook(&mut self, _: &Context, output: &mut FullOutput) {
        if let Some(update) = &mut output.platform_output.accesskit_update {
            put_right(update);
        }
    }
}

fn put_right(update: &mut TreeUpdate) {
    for (_, node) in &mut update.nodes {
        with_names(node);
    }
    let places: HashMap<NodeId, usize> = update.nodes.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    for at in 0..update.nodes.len() {
        let runs: Vec<usize> = update.nodes[at].1.children().iter().filter_map(|id| places.get(id).copied()).collect();
        if runs.first().is_some_and(|run| update.nodes[*run].1.role() == Role::TextRun) {
            same_text(update, at, &runs);
        }
    }
    for (_, node) in &mut update.nodes {
        without_nul(node);
    }
}

/// Gives the runs of a text the characters of that text.
fn same_text(update: &mut TreeUpdate, at: usize, runs: &[usize]) {
    let node = &update.nodes[at].1;
    let Some(text) = node.value().or(node.label()).filter(|text| !text.is_ascii()).map(str::to_owned) else { return };
    let given: String = runs.iter().filter_map(|run| update.nodes[*run].1.value()).collect();
    // A text cut off ends with the sign that says so.
    if given == text || given.ends_with('…') && !text.ends_with('…') {
        return;
    }
    let mut rest = text.as_str();
    for (n, run) in runs.iter().enumerate() {
        let node = &mut update.nodes[*run].1;
        let value = node.value().unwrap_or_default();
        let end = if n + 1 == runs.len() { rest.len() } else { share(rest, value) };
        let (part, behind) = rest.split_at(end);
        set_run(node, part);
        rest = behind;
    }
    clamp_selection(update, at);
}

/// How many bytes of a text go into a run that is not the last: as many characters as it had, and no line break but at its end.
fn share(rest: &str, value: &str) -> usize {
    let line = rest.find('\n').map_or(rest.len(), |found| found + 1);
    if value.ends_with('\n') {
        return line;
    }
    let count = value.chars().count();
    rest.char_indices().nth(count).map_or(rest.len(), |(end, _)| end).min(line)
}

/// Where its characters stand within the run is not known: they share its width evenly.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // A few hundred characters; the bounds were f32.
fn set_run(node: &mut Node, text: &str) {
    if node.value() == Some(text) {
        return;
    }
    let count = text.chars().count();
    let width = node.bounds().map_or(0.0, |bounds| (bounds.x1 - bounds.x0) as f32);
    let each = width / count.max(1) as f32;
    node.set_value(text);
    node.set_character_lengths(lengths(text));
    node.set_character_positions((0..count).map(|n| n as f32 * each).collect::<Vec<_>>());
    node.set_character_widths(vec![each; count]);
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut inside = true;
    let mut starts = Vec::new();
    for (n, c) in text.chars().enumerate() {
        if letter(c) && !inside {
            starts.extend(u8::try_from(n));
        }
        inside = letter(c);
    }
    node.set_word_starts(starts);
}

/// The bytes of each character, of which there are at most four.
#[allow(clippy::cast_possible_truncation)]
fn lengths(text: &str) -> Vec<u8> {
    text.chars().map(|c| c.len_utf8() as u8).collect()
}

/// A selection must end within the runs it names.
fn clamp_selection(update: &mut TreeUpdate, at: usize) {
    let Some(mut selection) = update.nodes[at].1.text_selection().copied() else { return };
    let clamp = |position: &mut TextPosition| {
        let run = update.nodes.iter().find(|(id, _)| *id == position.node);
        let count = run.map_or(0, |(_, run)| run.character_lengths().len());
        position.character_index = position.character_index.min(count);
    };
    clamp(&mut selection.anchor);
    clamp(&mut selection.focus);
    update.nodes[at].1.set_text_selection(selection);
}

/// What a person sees written as code points is said so too: all but what is typed or read in a field.
fn with_names(node: &mut Node) {
    let shown = |text: Option<&str>| match visible::again(text?) {
        Cow::Borrowed(_) => None,
        Cow::Owned(shown) => Some(shown),
    };
    let field = matches!(node.role(), Role::TextInput | Role::MultilineTextInput | Role::PasswordInput | Role::TextRun);
    if let Some(text) = shown(node.label()) {
        node.set_label(text);
    }
    if let Some(text) = shown(node.description()) {
        node.set_description(text);
    }
    if let Some(text) = shown(node.value()).filter(|_| !field) {
        node.set_value(text);
    }
}

macro_rules! clean {
    ($node:ident: $($get:ident $set:ident),* $(,)?) => {
        $(if let Some(text) = $node.$get().filter(|text| text.contains('\0')).map(|text| text.replace('\0', NUL)) {
            $node.$set(text);
        })*
    };
}

fn without_nul(node: &mut Node) {
    if node.role() == Role::TextRun
        && let Some(text) = node.value().filter(|text| text.contains('\0')).map(|text| text.replace('\0', NUL))
    {
        node.set_character_lengths(lengths(&text));
        node.set_value(text);
    }
    clean!(node:
        label set_label, description set_description, value set_value, access_key set_access_key,
        author_id set_author_id, class_name set_class_name, font_family set_font_family, html_id set_html_id,
        html_tag set_html_tag, inner_html set_inner_html, keyboard_shortcut set_keyboard_shortcut,
        language set_language, placeholder set_placeholder, role_description set_role_description,
        state_description set_state_description, tooltip set_tooltip, url set_url,
        row_index_text set_row_index_text, column_index_text set_column_index_text,
    );
    if node.custom_actions().iter().any(|action| action.description.contains('\0')) {
        let mut actions = node.custom_actions().to_vec();
        for action in &mut actions {
            action.description = action.description.replace('\0', NUL);
        }
        node.set_custom_actions(actions);
    }
}
