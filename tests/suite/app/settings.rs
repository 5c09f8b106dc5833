//! The settings a person changes: kept at once, and nothing of the past deleted unasked.

use super::Desk;
use twinscope::app::settings::SettingsAct;
use twinscope::app::{Action, Dialog};
use twinscope::disk::JournalBounds;
use twinscope::worker::Command;

impl Desk {
    /// The bounds that were kept by it, if any were.
    fn set(&mut self, act: SettingsAct) -> Option<(u32, u32)> {
        let kept = self.act(Action::Settings(act)).into_iter().find_map(|command| match command {
            Command::SaveSettings { settings } => Some(settings.journal),
            _ => None,
        });
        if let Some(kept) = kept {
            assert_eq!(kept, self.app.settings.journal);
        }
        kept.map(|kept| (kept.megabytes, kept.days))
    }

    fn lower(&self) -> Option<JournalBounds> {
        match &self.app.dialog {
            Some(Dialog::Settings(form)) => form.lower,
            other => panic!("{other:?}"),
        }
    }
}

fn megabytes(text: &str) -> SettingsAct {
    SettingsAct::Megabytes(text.to_owned())
}

fn days(text: &str) -> SettingsAct {
    SettingsAct::Days(text.to_owned())
}

fn open() -> Desk {
    let mut desk = Desk::open();
    desk.set(SettingsAct::Show);
    desk
}

#[test]
fn more_is_kept_as_soon_as_the_field_is_left() {
    let mut desk = open();
    for text in ["5", "51", "512"] {
        assert_eq!(desk.set(megabytes(text)), None, "{text} is being typed");
    }
    assert_eq!(desk.set(SettingsAct::Leave), Some((512, 90)));
    assert_eq!(desk.set(SettingsAct::Leave), None, "it is that already");
    desk.set(days(" 365 "));
    assert_eq!(desk.set(SettingsAct::Leave), Some((512, 365)));
}

#[test]
fn less_is_asked_about() {
    let mut desk = open();
    desk.set(days("30"));
    assert_eq!(desk.set(SettingsAct::Leave), None);
    assert_eq!(desk.lower(), Some(JournalBounds { megabytes: 256, days: 30 }));
    assert_eq!(desk.set(SettingsAct::Keep), None);
    assert_eq!(desk.lower(), None);
    assert_eq!(desk.set(SettingsAct::Lower), None, "nothing is asked");
    desk.set(days("30"));
    desk.set(SettingsAct::Leave);
    assert_eq!(desk.set(SettingsAct::Lower), Some((256, 30)));
    // More of one and less of the other is less.
    desk.set(megabytes("1000"));
    desk.set(days("7"));
    assert_eq!(desk.set(SettingsAct::Leave), None);
    // Typed on, the question is another; left, nothing is deleted.
    desk.set(days("70"));
    assert_eq!(desk.lower(), None);
    desk.act(Action::CloseDialog);
    assert_eq!(desk.app.settings.journal.days, 30);
}

#[test]
fn bad_values_say_what_to_type_and_change_nothing() {
    for bad in ["", "0", "-1", "1.5", "many", "1048577", "99999999999999999999"] {
        let mut desk = open();
        desk.set(megabytes(bad));
        let Some(Dialog::Settings(form)) = &desk.app.dialog else { panic!("open") };
        assert_eq!(form.megabytes(), Err("Type a whole number from 1 to 1,048,576".to_owned()), "{bad:?}");
        assert_eq!(desk.set(SettingsAct::Leave), None, "{bad:?}");
        // The other field counts all the same.
        desk.set(days("100"));
        assert_eq!(desk.set(SettingsAct::Leave), Some((256, 100)), "{bad:?}");
    }
    let mut desk = open();
    desk.set(days("36501"));
    let Some(Dialog::Settings(form)) = &desk.app.dialog else { panic!("open") };
    assert_eq!(form.days(), Err("Type a whole number from 1 to 36,500".to_owned()));
}
