//! Beside the text: what differs from the hub, path by path, and exactly what a save will send.

use super::theme::{self, palette};
use super::{Frame, copy_as, json_colours, when, widgets};
use crate::app::tab::{Landing, News, Pane};
use crate::app::{Action, Moment, Tab};
use crate::copy_as::Method;
use crate::twin::diff::{Change, ChangeKind};
use crate::twin::draft::{Draft, Outgoing, Refusal};
use crate::twin::text::visible;
use crate::twin::text::{compact, pretty};
use crate::twin::{Section, Twin, TwinId, rules};
use crate::worker::event::Source;
use egui::{RichText, ScrollArea, Ui, Vec2};
use std::sync::Arc;

/// What a save would send, computed once per text.
#[derive(Default)]
pub(super) struct ChangesView {
    made: Option<Made>,
    /// The body as it is shown.
    body: String,
}

/// What would be sent, and of what.
struct Made {
    id: TwinId,
    base: Arc<Twin>,
    desired: String,
    tags: String,
    outgoing: Result<Arc<Outgoing>, Refusal>,
}

impl ChangesView {
    pub fn outgoing(&mut self, id: &TwinId, draft: &Draft) -> Result<Arc<Outgoing>, Refusal> {
        let texts = |made: &Made| made.desired == draft.desired.text && made.tags == draft.tags.text;
        // Of a text that is not read yet the last that is known is shown; a save reads it first.
        let holds = |made: &&Made| {
            made.id == *id && Arc::ptr_eq(&made.base, &draft.base) && (draft.is_pending() || texts(made))
        };
        if let Some(made) = self.made.as_ref().filter(holds) {
            return made.outgoing.clone();
        }
        let outgoing = draft.outgoing().map(Arc::new);
        self.body = outgoing.as_ref().map(|out| shortened(&pretty(&out.body))).unwrap_or_default();
        let (desired, tags) = (draft.desired.text.clone(), draft.tags.text.clone());
        self.made = Some(Made { id: id.clone(), base: draft.base.clone(), desired, tags, outgoing: outgoing.clone() });
        outgoing
    }
}

/// Enough of a long body to judge it by.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 8 * 1024;
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let cut = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n… and {} bytes more", &text[..cut], when::grouped(text.len() - cut))
}

/// Whether they stand beside the text.
pub(super) fn is_beside(f: &Frame, tab: &Tab) -> bool {
    !f.view.layout.changes_hidden && !f.view.narrow && tab.draft.is_some()
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let Some(draft) = tab.draft.as_ref().filter(|_| is_beside(f, tab)) else { return };
    let room = ui.available_width();
    let usual = f.app.settings.layout.changes_width.unwrap_or((room * 0.38).clamp(220.0, 380.0));
    let shown = egui::Panel::right("changes")
        .resizable(true)
        .default_size(usual)
        .size_range(200.0..=(room * 0.6).max(201.0))
        .frame(egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 8, top: 8, bottom: 8 }))
        .show(ui, |ui| {
            all_ui(f, ui, tab, draft);
        });
    super::keep_size(ui, "changes", &mut f.view.layout.changes_width, shown.response.rect.width());
}

/// In place of the text, where there is no room beside it.
pub(super) fn instead_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let Some(draft) = &tab.draft else { return };
    egui::Frame::new().inner_margin(8).show(ui, |ui| all_ui(f, ui, tab, draft));
}

fn all_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, draft: &Draft) {
    ScrollArea::vertical().id_salt("changes").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
        ui.set_max_width(ui.available_width());
        if tab.pane != Pane::Reported {
            changes_ui(f, ui, tab, draft);
            sent_ui(f, ui, tab, draft);
            meters_ui(ui, draft);
        }
        news_ui(f, ui, tab);
    });
}

fn changes_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, draft: &Draft) {
    let count = draft.desired.changes.len() + draft.tags.changes.len();
    let id = egui::Id::unique("changes-heading");
    f.view.panes.changes = Some(id);
    let broken = [&draft.desired, &draft.tags].iter().any(|part| part.parsed.document.is_none());
    let title = if broken && count == 0 { "Changes".to_owned() } else { format!("Changes ({count})") };
    let heading = widgets::heading(ui, &title);
    let stop = ui.interact(heading.rect, id, egui::Sense::focusable_noninteractive());
    stop.widget_info(|| {
        egui::WidgetInfo::labeled(egui::accesskit::Role::Heading, true, format!("Changes, {count} in all"))
    });
    if stop.has_focus() {
        ui.painter().hline(heading.rect.x_range(), heading.rect.bottom(), egui::Stroke::new(2.0, palette(ui).accent));
    }
    if count == 0 {
        let text = if broken {
            "The text does not parse, so what changed cannot be told yet"
        } else if tab.moved.is_some() {
            "Nothing is edited here. The hub has a newer version"
        } else {
            "The text says what the hub has"
        };
        let color = palette(ui).weak;
        ui.add(egui::Label::new(crate::ui::widgets::shown(text).color(color)).wrap());
    }
    for (section, part) in [(Section::Desired, &draft.desired), (Section::Tags, &draft.tags)] {
        if part.changes.is_empty() {
            continue;
        }
        widgets::weak(ui, section.word());
        for change in part.changes.iter().take(500) {
            let wanted = change_ui(ui, change, Revert::Offered);
            if wanted {
                f.push(Action::RevertChange { id: tab.id.clone(), section, change: change.clone() });
            }
        }
        if part.changes.len() > 500 {
            widgets::weak(ui, format!("and {} more", part.changes.len() - 500));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Revert {
    Offered,
    Absent,
}

/// One path: sign, path, before → after. Returns whether it is to be taken back.
pub(super) fn change_ui(ui: &mut Ui, change: &Change, revert: Revert) -> bool {
    let p = palette(ui);
    let (sign, word, color) = match change.kind() {
        ChangeKind::Added => ("+", "added", p.good),
        ChangeKind::Removed => ("−", "removed", p.bad),
        ChangeKind::Changed => ("~", "changed", p.accent),
    };
    let value =
        |json: &Option<crate::twin::Json>| json.as_ref().map(|json| cut(&compact(json), 120)).unwrap_or_default();
    let values = match change.kind() {
        ChangeKind::Added => value(&change.after),
        ChangeKind::Removed => value(&change.before),
        ChangeKind::Changed => format!("{} → {}", value(&change.before), value(&change.after)),
    };
    let path = visible::text(&change.path.to_string()).into_owned();
    let values = visible::text(&values).into_owned();
    let format = |color| egui::TextFormat::simple(theme::mono(), color);
    let room = ui.available_width() - if revert == Revert::Offered { 72.0 } else { 0.0 };
    let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
    #[allow(clippy::cast_precision_loss)] // A line of text.
    let fits = (path.chars().count() + values.chars().count() + 4) as f32 * digit < room;
    let mut head = egui::text::LayoutJob::default();
    head.append(sign, 0.0, format(color));
    head.append(&path, 8.0, format(p.text));
    if fits {
        head.append(&values, 8.0, format(p.weak));
    }
    let name = format!("{path} {word}: {values}");
    let mut wanted = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        if revert == Revert::Offered {
            let button = egui::Button::new(RichText::new("Revert").font(theme::small())).small();
            wanted = ui.add(button).accessible_name(format!("Revert {path}")).clicked();
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Min), |ui| {
            let label = ui.add(egui::Label::new(head).truncate().selectable(true));
            label.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, &name));
        });
    });
    if !fits {
        ui.horizontal(|ui| {
            ui.add_space(8.0 + digit);
            let text = RichText::new(values).font(theme::mono()).color(p.weak);
            ui.add(egui::Label::new(text).wrap().selectable(true));
        });
    }
    wanted
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn sent_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, draft: &Draft) {
    ui.add_space(8.0);
    let outgoing = f.view.changes.outgoing(&tab.id, draft);
    let color = palette(ui).weak;
    match outgoing {
        Err(Refusal::NoChange) => {
            widgets::heading(ui, "Nothing to send");
        }
        Err(refusal) => {
            widgets::heading(ui, "Cannot be sent");
            let bad = palette(ui).bad;
            ui.add(egui::Label::new(crate::ui::widgets::shown(refusal.to_string()).color(bad)).wrap());
        }
        Ok(out) => {
            let (bytes, paths) = (when::count(out.bytes, "byte"), when::count(out.paths, "path"));
            let waits = tab.moved.as_ref().filter(|moved| moved.by_save);
            let word = if waits.is_some() { "Waits for your decision" } else { "Will be sent" };
            ui.horizontal_wrapped(|ui| {
                widgets::heading(ui, &format!("{word}: {bytes}, {paths}"));
                copy_as::menu_ui(f, ui, &tab.id, Method::Patch);
            });
            copy_as::head_ui(f, ui, &tab.id, Method::Patch, &out);
            if let Some(moved) = waits {
                let (base, hub) = (draft.base.version, &moved.theirs);
                let text = format!(
                    "This is the etag of your base, version {base}. The hub has {}, version {}: Save asks before it sends.",
                    hub.etag.quoted(),
                    hub.version
                );
                ui.add(egui::Label::new(crate::ui::widgets::shown(text).color(palette(ui).warn)).wrap());
            }
            let mut job = json_colours::job(&f.view.changes.body, &theme::small_mono(), palette(ui));
            job.wrap.max_width = ui.available_width();
            ui.add(egui::Label::new(job).wrap().selectable(true));
            let told = match &out.device_told {
                Some(patch) => {
                    let key = |(key, value): (&String, &crate::twin::Json)| match value {
                        crate::twin::Json::Null => format!("{key} removed"),
                        _ => key.clone(),
                    };
                    let keys: Vec<String> = patch.iter().map(key).collect();
                    format!("The device will be told: {}", cut(&keys.join(", "), 200))
                }
                None => "The device will not be told: desired stays as it is".to_owned(),
            };
            ui.add(egui::Label::new(crate::ui::widgets::shown(told).color(color)).wrap());
        }
    }
}

/// How full each section is, by the hub's formula.
fn meters_ui(ui: &mut Ui, draft: &Draft) {
    ui.add_space(8.0);
    for (section, part) in [(Section::Desired, &draft.desired), (Section::Tags, &draft.tags)] {
        let Some(size) = part.size else { continue };
        let max = rules::max_size(section);
        let p = palette(ui);
        #[allow(clippy::cast_precision_loss)] // A share of a bar.
        let share = size as f32 / max as f32;
        let words = format!("{} {} of {} KB", section.word(), when::kb(size), max / 1024);
        let color = match share {
            s if s > 1.0 => p.bad,
            s if s > 0.9 => p.warn,
            _ => p.accent,
        };
        ui.label(crate::ui::widgets::shown(&words).font(theme::small()).color(if share > 1.0 {
            p.bad
        } else {
            p.weak
        }));
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 4.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, 2.0, p.line);
        let filled = rect.with_max_x(rect.left() + rect.width() * share.min(1.0));
        ui.painter().rect_filled(filled, 2.0, color);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Meter, true, &words));
    }
}

/// What others changed lately.
fn news_ui(f: &Frame, ui: &mut Ui, tab: &Tab) {
    if tab.news.is_empty() {
        if tab.pane == Pane::Reported {
            widgets::heading(ui, "Seen lately");
            let why = if tab.watching {
                "Nothing changed since the watch began"
            } else {
                "Watch reads the twin again and again and lists here what changed"
            };
            let color = palette(ui).weak;
            ui.add(egui::Label::new(crate::ui::widgets::shown(why).color(color)).wrap());
        }
        return;
    }
    ui.add_space(8.0);
    widgets::heading(ui, "Seen lately");
    for news in tab.news.iter().take(20) {
        one_news_ui(f, ui, news);
    }
}

fn one_news_ui(f: &Frame, ui: &mut Ui, news: &News) {
    let source = match news.source {
        Source::Load => "on loading",
        Source::Save => "by our save",
        Source::Watch => "by the watch",
    };
    let (word, version) = (news.section.word(), news.version);
    let age = when::ago(ui.ctx(), f.app.now, news.at);
    widgets::weak(ui, format!("{word} v{version}, seen {source} {age}"));
    for change in news.changes.iter().take(20) {
        change_ui(ui, change, Revert::Absent);
    }
    if news.changes.len() > 20 {
        widgets::weak(ui, format!("and {} more", news.changes.len() - 20));
    }
}

/// What became of a save: `Saved, desired v3, just now · notified after 0.2 s · reported after 1.4 s`.
pub(super) fn landing_words(ctx: &egui::Context, now: Moment, landing: &Landing, offline: bool) -> String {
    let mut words = format!("Saved, desired v{}, {}", landing.version, when::ago(ctx, now, landing.saved_at));
    if let Some(at) = landing.notified_at {
        words = format!("{words} · notified after {}", when::span(landing.saved_at, at));
    }
    if let Some(why) = &landing.refusal {
        return format!("{words} · refused by the device: {why}");
    }
    match (landing.reported_at, landing.timed_out) {
        (Some(_), _) if landing.already => words.push_str(" · reported"),
        (Some(at), _) => words = format!("{words} · reported after {}", when::span(landing.saved_at, at)),
        (None, _) if offline => words.push_str(" · offline, so nothing is heard of the device"),
        (None, true) => words.push_str(" · not reported back"),
        (None, false) => words.push_str(" · waiting for the device"),
    }
    words
}
