//! *Compare with…*: devices and modules of this hub and of others, drafts in other tabs, and what the journal keeps of any twin.

use super::super::Frame;
use super::super::describe::describe;
use super::super::palette::{Choice, Line, choose_ui, finding_ui, fitting, fresh_ids, none_of};
use super::super::{dialogs::Leave, dialogs::modal, when, widgets};
use crate::app::compare::{CompareAct, Other};
use crate::app::sources::Source;
use crate::app::{Action, Remote, Tab};
use crate::disk::journal::{Entry, EntryKey, Timeline};
use crate::twin::TwinId;
use crate::worker::HubRef;
use egui::{Context, Ui};

/// Lines offered of each kind.
const OFFERED: usize = 50;

/// What is asked about: a twin, or one of its versions.
#[derive(Clone, Copy)]
struct About<'a> {
    id: &'a TwinId,
    version: Option<EntryKey>,
    text: &'a str,
}

impl About<'_> {
    fn offer(self, text: String, act: CompareAct) -> Choice {
        Choice::act(text, Action::Compare { id: self.id.clone(), act })
    }

    fn with(self, text: String, other: Other) -> Choice {
        self.offer(text, CompareAct::With { other, version: self.version })
    }

    fn from(self, text: String, source: Source) -> Choice {
        self.offer(text, CompareAct::From { source, version: self.version })
    }
}

pub(in super::super) fn ui(
    f: &mut Frame,
    ctx: &Context,
    id: &TwinId,
    version: Option<EntryKey>,
    text: &str,
    from: &Source,
) -> bool {
    let about = About { id, version, text };
    // Each place asks under a name of its own, so that its field is fresh.
    let (title, name, hint, none) = match from {
        Source::Here => ("Compare with", "Twin or version", "Type a part of an id, or a version", "Nothing fits"),
        Source::Hubs => {
            ("Compare with another hub", "Hub", "Type a part of a name", "No other hub is kept: add one first")
        }
        Source::Hub(_) => (
            "Compare with a twin elsewhere",
            "Twin",
            "Type an id: device or device/module",
            "Type the id of a twin there",
        ),
        Source::Past => {
            ("Compare with the past of", "Twin", "Type a part of an id or of a hub", "Nothing was seen yet that fits")
        }
        Source::PastOf { .. } => ("Compare with the past", "Version", "Type a version or a time", "No version fits"),
    };
    let fresh = f.view.take_fresh(title);
    let choices = match from {
        Source::Here => here(f, about, fresh),
        Source::Hubs => hubs(f, about),
        Source::Hub(hub) => twins_of(f, about, hub),
        Source::Past => past(f, about),
        Source::PastOf { hub, hub_name, id } => entries(f, about, hub.as_ref(), hub_name, id),
    };
    modal(ctx, title, 560.0, Leave::OnBackdrop, |ui| {
        places_ui(f, ui, about, from);
        let waits = state_ui(f, ui, about, from);
        let field = Line { name, text, hint, fresh };
        let none = if matches!(from, Source::Here) { none_of(f.app, none) } else { none };
        choose_ui(f, ui, &field, choices, if waits { "" } else { none });
        if matches!(from, Source::Here) {
            finding_ui(f, ui);
        }
    })
}

/// Where to look.
fn places_ui(f: &mut Frame, ui: &mut Ui, about: About, from: &Source) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let places = [
            (matches!(from, Source::Here), "This hub", Source::Here),
            (matches!(from, Source::Hubs | Source::Hub(_)), "Another hub", Source::Hubs),
            (matches!(from, Source::Past | Source::PastOf { .. }), "The past of any twin", Source::Past),
        ];
        for (here, name, source) in places {
            let response = widgets::tab(ui, here, name);
            widgets::as_tab(ui, &response, here, name);
            if response.clicked() && *from != source {
                let act = CompareAct::From { source, version: about.version };
                f.push(Action::Compare { id: about.id.clone(), act });
            }
        }
    });
    let place = match from {
        Source::Hub(hub) => {
            let name = f.app.other_hubs().find(|entry| entry.hub == *hub).map(|entry| entry.name.clone());
            Some(format!("{}: that hub is asked once a twin is chosen", name.unwrap_or_default()))
        }
        Source::PastOf { hub_name, id, .. } if hub_name.is_empty() => Some(id.to_string()),
        Source::PastOf { hub_name, id, .. } => Some(format!("{id} at {hub_name}")),
        Source::Here | Source::Hubs | Source::Past => None,
    };
    if let Some(place) = place {
        widgets::weak(ui, place);
    }
    ui.add_space(4.0);
}

/// What the disk has not told yet, or why it cannot. Whether it is waited for.
fn state_ui(f: &mut Frame, ui: &mut Ui, about: About, from: &Source) -> bool {
    let sources = &f.app.sources;
    let (since, failure, known) = match from {
        Source::Here | Source::Hubs => return false,
        Source::Hub(_) | Source::Past => {
            (since(&sources.twins), sources.twins.failure(), sources.twins.value().is_some())
        }
        Source::PastOf { .. } => (since(&sources.timeline), sources.timeline.failure(), false),
    };
    if let Some(failure) = failure {
        widgets::failure_banner(ui, &describe(failure), |ui| {
            if ui.button("Try again").clicked() {
                let act = CompareAct::From { source: from.clone(), version: about.version };
                f.push(Action::Compare { id: about.id.clone(), act });
            }
        });
    }
    if let Some(since) = since.filter(|_| !known) {
        widgets::spinner(ui, f.app.now, since, "Reading the journal");
        return true;
    }
    false
}

fn since<T>(remote: &Remote<T>) -> Option<crate::app::Moment> {
    match remote {
        Remote::Loading { since, .. } => Some(*since),
        _ => None,
    }
}

fn here(f: &mut Frame, about: About, fresh: bool) -> Vec<Choice> {
    let (id, text) = (about.id, about.text);
    let mut choices = Vec::new();
    if let Some(version) = about.version {
        choices.push(about.offer(format!("{id} as it is now"), CompareAct::WithVersion(version)));
    }
    if text.trim().is_empty() {
        choices.extend(drafts(f, about));
    }
    let ids = fresh_ids(f, text, OFFERED, fresh);
    let known = ids.iter().any(|known| known.to_string() == text.trim());
    choices.extend(
        ids.into_iter().filter(|other| other != id).map(|other| about.with(other.to_string(), Other::Twin(other))),
    );
    let mut more = if text.trim().is_empty() { Vec::new() } else { drafts(f, about) };
    let elsewhere = f.app.elsewhere();
    more.extend(elsewhere.map(|(hub, name, other)| {
        about.with(format!("{other} at {name}"), Other::Elsewhere { hub: hub.clone(), id: other.clone() })
    }));
    if about.version.is_none() {
        let offer = |(text, key)| about.offer(text, CompareAct::WithVersion(key));
        more.extend(f.app.tab(id).map(versions).unwrap_or_default().into_iter().map(offer));
    }
    choices.extend(fitting(more, text));
    // One that is on no list yet: modules are listed with their device only.
    if !known && let Some(typed) = typed(text).filter(|typed| typed != id) {
        choices.push(about.with(format!("{typed}, as typed"), Other::Twin(typed)));
    }
    choices
}

/// What is typed in tabs: this one's beside what its hub has, the others as they are.
fn drafts(f: &Frame, about: About) -> Vec<Choice> {
    let dirty = f.app.tabs.iter().filter(|tab| tab.is_dirty());
    let line = |tab: &Tab| {
        if tab.id == *about.id {
            about.with(format!("{} on the hub", tab.id), Other::Twin(tab.id.clone()))
        } else {
            about.with(format!("{} as edited", tab.id), Other::Draft(tab.id.clone()))
        }
    };
    dirty.map(line).collect()
}

/// The id that was typed, if it is one.
fn typed(text: &str) -> Option<TwinId> {
    text.trim().parse().ok()
}

fn hubs(f: &Frame, about: About) -> Vec<Choice> {
    let line = |entry: &crate::worker::event::HubEntry| {
        about.from(format!("{}, {}", entry.name, entry.host), Source::Hub(entry.hub.clone()))
    };
    fitting(f.app.other_hubs().map(line).collect(), about.text)
}

fn twins_of(f: &Frame, about: About, hub: &HubRef) -> Vec<Choice> {
    let with = |text: String, id: TwinId| about.with(text, Other::Elsewhere { hub: hub.clone(), id });
    let known = f.app.known_at(hub);
    let typed = typed(about.text).filter(|typed| !known.contains(typed));
    let known: Vec<Choice> = known.into_iter().map(|id| with(id.to_string(), id)).collect();
    let mut choices = fitting(known, about.text);
    choices.truncate(OFFERED);
    choices.extend(typed.map(|id| with(format!("{id}, as typed"), id)));
    choices
}

fn past(f: &Frame, about: About) -> Vec<Choice> {
    let twins = f.app.sources.twins.value().map(|twins| twins.as_slice()).unwrap_or_default();
    let line = |twin: &crate::worker::event::PastTwin| {
        let at = if twin.hub_name.is_empty() { String::new() } else { format!(" at {}", twin.hub_name) };
        let source = Source::PastOf { hub: twin.hub.clone(), hub_name: twin.hub_name.clone(), id: twin.id.clone() };
        about.from(format!("{}{at}, last seen {} UTC", twin.id, when::stamp(twin.at_ms)), source)
    };
    let mut choices = fitting(twins.iter().map(line).collect(), about.text);
    choices.truncate(OFFERED);
    choices
}

fn entries(f: &Frame, about: About, hub: Option<&String>, hub_name: &str, id: &TwinId) -> Vec<Choice> {
    let Some(timeline) = f.app.sources.timeline.value() else { return Vec::new() };
    let offer = |entry: &Entry| {
        let (hub, hub_name) = (hub.cloned(), hub_name.to_owned());
        let other = Other::Past { hub, hub_name, id: id.clone(), key: entry.key(), seen: entry.seen };
        about.with(word(entry, None), other)
    };
    let mut choices = fitting(timeline.entries.iter().rev().map(offer).collect(), about.text);
    choices.truncate(OFFERED);
    choices
}

fn word(entry: &Entry, id: Option<&TwinId>) -> String {
    let of = id.map(|id| format!(" of {id}")).unwrap_or_default();
    let at = when::stamp(entry.at_ms);
    if entry.is_discarded() {
        format!("Discarded draft{of}, {at} UTC")
    } else {
        format!("Version {}{of}, {at} UTC", entry.version)
    }
}

/// Newest first.
fn versions(tab: &Tab) -> Vec<(String, EntryKey)> {
    let entries = tab.history.timeline.value().map(|timeline: &std::sync::Arc<Timeline>| timeline.entries.as_slice());
    let entries = entries.unwrap_or_default();
    entries.iter().rev().take(OFFERED).map(|entry| (word(entry, Some(&tab.id)), entry.key())).collect()
}
