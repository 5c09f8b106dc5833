//! Below the rows: both values of the row the keys stand on, when each was last written, and whether they agree.

use super::{Page, Sheet};
use crate::twin::metadata::Written;
use crate::twin::tree::{Agreement, Row, stamps};
use crate::twin::{Section, Twin};
use crate::ui::theme::{self, palette};
use egui::{Margin, RichText, Ui};

pub(super) fn ui(ui: &mut Ui, page: &Page, sheet: &Sheet) {
    // In a small window the rows are worth more; the same words are on each of them.
    let Some(row) = sheet.rows.get(page.index).filter(|_| ui.available_height() > 160.0) else { return };
    if sheet.section == Section::Tags {
        return;
    }
    let p = palette(ui);
    let frame = egui::Frame::new().fill(p.panel).inner_margin(Margin::symmetric(8, 4));
    egui::Panel::bottom("tree-detail").frame(frame).resizable(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for text in words(sheet, row) {
            let text = RichText::new(text).font(theme::small()).color(p.weak);
            ui.add(egui::Label::new(text).wrap());
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
    let edited = match (row.mark, &desired) {
        (Some(_), Some(_)) => "; edited here, not saved",
        (Some(_), None) => "; not on the hub yet",
        _ => "",
    };
    let side = |what: &str, value: Option<&String>, stamp: Option<&Written>, section: Section, more: &str| match value {
        None => format!("{what}: nothing"),
        Some(value) => format!(
            "{what}: {value}{more}{}",
            stamp.map_or_else(String::new, |stamp| stamped(stamp, section_version(newest, base, section)))
        ),
    };
    vec![
        side("Desired", row.value.as_ref(), desired.as_ref(), Section::Desired, edited),
        side("Reported", row.reported.as_ref(), reported.as_ref(), Section::Reported, state),
    ]
}

fn section_version(newest: &Twin, base: &Twin, section: Section) -> u64 {
    if section == Section::Reported { newest.reported.version } else { base.desired.version }
}

/// Where the hub records no version of a value, that of its section bounds it.
fn stamped(stamp: &Written, section: u64) -> String {
    let at = match stamp.at.get(..19) {
        Some(second) if stamp.at.ends_with('Z') => format!("{} UTC", second.replace('T', " ")),
        _ => stamp.at.clone(),
    };
    let version = match stamp.version {
        Some(version) => format!("version {version}"),
        None => format!("section at version {section}"),
    };
    let by = stamp.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    format!(" · updated {at}, {version}{by}")
}
