//! Paths both sides changed: base, mine and theirs side by side, one of them to be chosen.

use super::CHOICES;
use crate::app::tab::{Asked, Moved};
use crate::app::{Action, Tab};
use crate::twin::merge::{Choice, Clash};
use crate::twin::metadata::{Written, written};
use crate::twin::{Json, Section, Twin};
use crate::ui::theme::{self, palette};
use crate::ui::{Frame, json_colours, when, widgets};
use egui::{Ui, Vec2};

/// Of a longer value this many lines are shown, and of a longer line this many characters, until it is unfolded.
const FOLDED_LINES: usize = 6;
const FOLDED_CHARS: usize = 120;
/// Unfolded, a value still ends somewhere: a section has at most 32 KB.
const SHOWN_CHARS: usize = 64 * 1024;
/// Up to so many clashes are always painted; of more only those in view.
const PAINTED: usize = 40;

pub(super) fn list_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let count = moved.clashes.len();
    f.view.conflict.heights.resize(count, 0.0);
    for (index, (section, clash)) in moved.clashes.iter().enumerate() {
        let here = f.view.conflict.at == index;
        let height = f.view.conflict.heights[index];
        let place = egui::Rect::from_min_size(ui.cursor().min, Vec2::new(ui.available_width(), height));
        if count > PAINTED && height > 0.0 && !here && !ui.is_rect_visible(place) {
            ui.allocate_space(place.size());
            continue;
        }
        let top = ui.cursor().top();
        let reveal = here && std::mem::take(&mut f.view.conflict.reveal);
        let frame = egui::Frame::new()
            .fill(palette(ui).paper)
            .stroke(egui::Stroke::new(1.0, if here { palette(ui).accent } else { palette(ui).line }))
            .corner_radius(4)
            .inner_margin(8);
        let card = frame.show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            let chosen = moved.chosen.get(index).copied().flatten();
            let (section, asked) = (*section, moved.asked(*section, &clash.path));
            one_ui(f, ui, &One { index, tab, theirs: &moved.theirs, section, clash, chosen, asked, reveal });
        });
        if reveal || here && std::mem::take(&mut f.view.conflict.scroll) {
            card.response.scroll_to_me(None);
        }
        let pressed = ui.rect_contains_pointer(card.response.rect) && ui.input(|i| i.pointer.any_pressed());
        if pressed && super::unseen(f).is_none() {
            f.view.conflict.at = index;
        }
        f.view.conflict.heights[index] = card.response.rect.bottom() - top;
        ui.add_space(4.0);
    }
}

struct One<'a> {
    index: usize,
    tab: &'a Tab,
    theirs: &'a Twin,
    section: Section,
    clash: &'a Clash,
    chosen: Option<Choice>,
    /// The hub's last move brought it or changed it.
    asked: Option<&'a Asked>,
    /// The keys came here.
    reveal: bool,
}

fn open_words(asked: Option<&Asked>) -> &'static str {
    match asked.map(|asked| asked.before) {
        None => "open",
        Some(None) => "open, new",
        Some(Some(Choice::Base)) => "open again, base was chosen",
        Some(Some(Choice::Mine)) => "open again, mine was chosen",
        Some(Some(Choice::Theirs)) => "open again, theirs was chosen",
    }
}

fn one_ui(f: &mut Frame, ui: &mut Ui, one: &One) {
    let p = palette(ui);
    let about = format!("{} {}", one.section.word(), one.clash.path);
    let key = (one.section, one.clash.path.clone());
    let unfolded = f.view.conflict.unfolded.contains(&key);
    let values: Vec<Shown> = CHOICES.iter().map(|(choice, ..)| Shown::of(one.clash.value(*choice), unfolded)).collect();
    ui.horizontal_wrapped(|ui| {
        ui.add(
            egui::Label::new(crate::ui::widgets::shown(&about).font(theme::mono()).color(p.text))
                .selectable(true)
                .wrap(),
        );
        let (word, color) = match one.chosen {
            None => (open_words(one.asked), p.bad),
            Some(Choice::Base) => ("base chosen", p.good),
            Some(Choice::Mine) => ("mine chosen", p.good),
            Some(Choice::Theirs) => ("theirs chosen", p.good),
        };
        ui.label(crate::ui::widgets::shown(word).color(color));
        let lines = values.iter().map(|value| value.lines).max().unwrap_or(0);
        let folds = values.iter().any(|value| value.folds);
        if folds {
            let word = match unfolded {
                true => "Fold".to_owned(),
                false if lines > FOLDED_LINES => format!("Show all, {}", when::count(lines, "line")),
                false => "Show all".to_owned(),
            };
            let name = if unfolded { format!("Fold {about}") } else { format!("Show all of {about}") };
            let button = ui.add(egui::Button::new(crate::ui::widgets::shown(word).font(theme::small())).small());
            if button.gained_focus() {
                button.scroll_to_me(None);
            }
            if button.accessible_name(name).clicked() {
                let set = &mut f.view.conflict.unfolded;
                if !set.remove(&key) {
                    set.insert(key.clone());
                }
            }
        }
    });
    ui.columns(3, |columns| {
        for ((column, (choice, word, _)), value) in columns.iter_mut().zip(CHOICES).zip(&values) {
            // A column's own layout would justify the text, and take the indentation from it.
            column.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                side_ui(f, ui, one, &about, (choice, word));
                value.ui(ui);
                if choice == Choice::Theirs {
                    ui.add(
                        egui::Label::new(crate::ui::widgets::shown(author(one)).font(theme::small()).color(p.weak))
                            .wrap(),
                    );
                }
            });
        }
    });
}

fn side_ui(f: &mut Frame, ui: &mut Ui, one: &One, about: &str, (choice, word): (Choice, &str)) {
    let name = format!("Take {}: {about}", word.to_lowercase());
    let edge = egui::Stroke::new(1.0, palette(ui).weak);
    ui.visuals_mut().widgets.inactive.bg_stroke = edge;
    let radio = ui
        .radio(one.chosen == Some(choice), crate::ui::widgets::shown(word).font(theme::strong()))
        .accessible_name(name);
    // What a key chose in this very frame is not among the choices yet.
    if one.reveal && choice == f.view.conflict.pressed.or(one.chosen).unwrap_or(Choice::Mine) {
        radio.request_focus();
    }
    if radio.has_focus() {
        f.view.conflict.radio = Some(radio.id);
    }
    // Tab walks too, and the keys go with it.
    if radio.gained_focus() {
        f.view.conflict.at = one.index;
        radio.scroll_to_me(None);
    }
    // What came under the pointer just now is another clash, perhaps.
    if radio.clicked() && super::unseen(f).is_none() {
        let (id, path) = (one.tab.id.clone(), one.clash.path.clone());
        f.push(Action::Choose { id, section: one.section, path, choice });
    }
}

/// A value as it is painted.
struct Shown {
    /// `None`: there is no value on that side.
    text: Option<String>,
    /// Of the whole value.
    lines: usize,
    /// There is more of it than is shown folded.
    folds: bool,
    /// Further lines are not shown now.
    cut: bool,
}

impl Shown {
    fn of(value: Option<&Json>, unfolded: bool) -> Self {
        let Some(value) = value else { return Self { text: None, lines: 0, folds: false, cut: false } };
        let whole = format!("{value:#}");
        let lines = whole.lines().count();
        let folds = lines > FOLDED_LINES || whole.lines().any(|line| line.chars().count() > FOLDED_CHARS);
        let text = if unfolded || !folds {
            head(&whole, SHOWN_CHARS)
        } else {
            let kept: Vec<String> = whole.lines().take(FOLDED_LINES).map(|line| head(line, FOLDED_CHARS)).collect();
            kept.join("\n")
        };
        let cut = folds && !unfolded && lines > FOLDED_LINES;
        Self { text: Some(text), lines, folds, cut }
    }

    fn ui(&self, ui: &mut Ui) {
        let Some(text) = &self.text else {
            widgets::weak(ui, "absent");
            return;
        };
        let mut job = json_colours::job(text, &theme::mono(), palette(ui));
        job.wrap.max_width = ui.available_width();
        ui.add(egui::Label::new(job).wrap().selectable(true));
        if self.cut {
            widgets::weak(ui, "…");
        }
    }
}

fn head(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Who is likely to have written theirs.
fn author(one: &One) -> String {
    if one.section == Section::Tags {
        return "the hub does not record who writes tags".to_owned();
    }
    match written(&one.theirs.desired.metadata, &one.clash.path) {
        Some(stamp) => words(&stamp),
        None => "the hub does not tell who wrote it".to_owned(),
    }
}

fn words(stamp: &Written) -> String {
    let at = match stamp.at.get(..19) {
        Some(second) if stamp.at.ends_with('Z') => format!("{} UTC", second.replace('T', " ")),
        _ => stamp.at.clone(),
    };
    // Not the twin's version, which counts the tags too.
    let version = stamp.version.map(|version| format!(", desired version {version}")).unwrap_or_default();
    let by = match &stamp.by {
        Some(by) => format!(" by {}", head(by, FOLDED_CHARS)),
        None => " by a service client, which the hub does not name".to_owned(),
    };
    let what = if stamp.own { "written" } else { "removed; what is around it was written" };
    format!("{what} {at}{version}{by}")
}
