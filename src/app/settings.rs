//! The dialog *Settings*: what a person changes of what is kept between starts. Theme and zoom are changed at once; the bounds
//! of the journal when their field is left, for on the way to `256` stands `2`. Lower bounds delete, and are asked about.

use super::{App, Dialog};
use crate::disk::JournalBounds;
use crate::worker::Command;

/// The largest bounds: a terabyte, a hundred years.
pub const MEGABYTES_MAX: u32 = 1024 * 1024;
pub const DAYS_MAX: u32 = 36_500;

/// The fields, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsForm {
    pub megabytes: String,
    pub days: String,
    /// Bounds that are lower than those in force, until the person says that older versions may go.
    pub lower: Option<JournalBounds>,
}

/// An intention in the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsAct {
    Show,
    Megabytes(String),
    Days(String),
    /// A field was left: what is right in it counts.
    Leave,
    /// Older versions may go.
    Lower,
    /// They may not: back to the bounds in force.
    Keep,
}

impl SettingsForm {
    fn of(bounds: JournalBounds) -> Self {
        Self { megabytes: bounds.megabytes.to_string(), days: bounds.days.to_string(), lower: None }
    }

    /// # Errors
    /// What to type instead.
    pub fn megabytes(&self) -> Result<u32, String> {
        number(&self.megabytes, MEGABYTES_MAX, "1,048,576")
    }

    /// # Errors
    /// What to type instead.
    pub fn days(&self) -> Result<u32, String> {
        number(&self.days, DAYS_MAX, "36,500")
    }
}

fn number(text: &str, max: u32, said: &str) -> Result<u32, String> {
    let number = text.trim().parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| format!("Type a whole number from 1 to {said}"))
}

impl App {
    pub(super) fn settings_act(&mut self, act: SettingsAct) -> Vec<Command> {
        let now = self.settings.journal;
        if act == SettingsAct::Show {
            self.dialog = Some(Dialog::Settings(SettingsForm::of(now)));
            return Vec::new();
        }
        let Some(Dialog::Settings(form)) = &mut self.dialog else { return Vec::new() };
        match act {
            SettingsAct::Megabytes(text) => (form.megabytes, form.lower) = (text, None),
            SettingsAct::Days(text) => (form.days, form.lower) = (text, None),
            SettingsAct::Keep => *form = SettingsForm::of(now),
            SettingsAct::Leave => {
                let wanted = JournalBounds {
                    megabytes: form.megabytes().unwrap_or(now.megabytes),
                    days: form.days().unwrap_or(now.days),
                };
                if wanted.megabytes < now.megabytes || wanted.days < now.days {
                    form.lower = Some(wanted);
                } else if wanted != now {
                    return self.bound_journal(wanted);
                }
            }
            SettingsAct::Lower => {
                if let Some(wanted) = form.lower.take() {
                    return self.bound_journal(wanted);
                }
            }
            SettingsAct::Show => {}
        }
        Vec::new()
    }

    fn bound_journal(&mut self, bounds: JournalBounds) -> Vec<Command> {
        self.settings.journal = bounds;
        self.keep_settings()
    }
}
