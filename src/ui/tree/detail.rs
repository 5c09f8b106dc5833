//! Below the rows: both values of the row the keys stand on, when each was last written, and whether they agree.

use super::{Page, Sheet};
use crate::twin::metadata::Written;
use crate::twin::tree::{Agreement, Mark, Row, short, stamps};
use crate::twin::{Json, Section, Twin};
use crate::ui::theme::{self, palette};
use crate::ui::widgets;
use egui::{Margin, Ui};

pub(super) fn ui(ui: &mut Ui, page: &Page, sheet: &Sheet) {
    // In a small window the rows are worth more; the same words are on each of them.
    let Some(row) = sheet.rows.get(page.index).filter(|_| ui.available_height() > 140.0) else { return };
    if sheet.section == Section::Tags {
        return;
    }
    let p = palette(ui);
    let frame = egui::Frame::new().fill(p.panel).inner_margin(Margin::symmetric(8, 4));
    egui::Panel::bottom("tree-detail").frame(frame).resizable(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for text in words(sheet, row) {
            let text = widgets::shown(&text).font(theme::small()).color(p.weak);
            // What is cut off is whole under the pointer.
            ui.add(egui::Label::new(text).truncate());
        }
    });
}

/// A line each for desired and reported.
pub(super) fn words(sheet: &Sheet, row: &Row) -> Vec<String> {
    if sheet.section == Section::Tags {
        return Vec::new();
    }
    let base = &sheet.draft.base;
    let newest = sheet.tab.current().unwrap_or(base);
    let (desired, reported) = stamps(base, newest, sheet.section, &row.path);
    let state = match row.agreement {
        Agreement::Agrees => ", agrees with desired",
        Agreement::Differs => ", differs from desired",
        _ => "",
    };
    let edited = edited(row, base);
    let side = |what: &str, value: Option<&String>, stamp: Option<&Written>, section: Section, more: &str| match value {
        None => format!("{what}: nothing"),
        Some(value) => {
            // What is typed has no stamp: it is the hub's value that has.
            let whose = if section == Section::Desired && row.mark.is_some() { "the hub's updated" } else { "updated" };
            let stamp = stamp.map(|stamp| stamped(stamp, section, section_version(newest, base, section)));
            let stamp = stamp.map(|stamp| format!(" · {whose} {stamp}")).unwrap_or_default();
            format!("{what}: {value}{more}{stamp}")
        }
    };
    vec![
        side("Desired", row.value.as_ref(), desired.as_ref(), Section::Desired, &edited),
        side("Reported", row.reported.as_ref(), reported.as_ref(), Section::Reported, state),
    ]
}

/// What the draft did to the value, and what the hub has.
fn edited(row: &Row, base: &Twin) -> String {
    let hub = row.path.find(&base.desired.values);
    match (row.mark, hub) {
        (None, _) => String::new(),
        (Some(Mark::Changed), Some(Json::Object(_) | Json::Array(_))) if row.open.is_some() => {
            ", edited inside, not saved".to_owned()
        }
        (Some(Mark::Changed), Some(hub)) => format!(", edited, not saved; the hub has {}", short(hub)),
        (Some(_), _) => ", added, not saved".to_owned(),
    }
}

fn section_version(newest: &Twin, base: &Twin, section: Section) -> u64 {
    if section == Section::Reported { newest.reported.version } else { base.desired.version }
}

/// Where the hub records no version of a value, that of its section bounds it.
fn stamped(stamp: &Written, of: Section, section: u64) -> String {
    let word = of.word();
    let at = match stamp.at.get(..19) {
        Some(second) if stamp.at.ends_with('Z') => format!("{} UTC", second.replace('T', " ")),
        _ => stamp.at.clone(),
    };
    let version = match stamp.version {
        Some(version) => format!("at {word} v{version}"),
        None => format!("{word} now at v{section}"),
    };
    let by = stamp.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    format!("{at}, {version}{by}")
}
