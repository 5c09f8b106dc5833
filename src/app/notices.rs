//! What the window tells by itself. A notice stays until it is dismissed, until there is a newer word on the same matter, or until
//! the matter is settled: two notices never contradict each other.

use super::{App, Moment};
use crate::twin::{Status, TwinId};

/// A message that stays until dismissed or overtaken.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub number: u64,
    pub kind: NoticeKind,
    /// One sentence.
    pub text: String,
    /// Details worth copying: status, error code, tracking id.
    pub detail: Option<String>,
    pub at: Moment,
    /// What it is about, where that can be settled.
    pub about: Option<About>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    Good,
    Info,
    Problem,
}

/// A matter of some twins of the hub in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub matter: Matter,
    pub ids: Vec<TwinId>,
}

/// Of each there is one word at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// What is typed, where it stands and what became of saving it.
    Edits,
    /// Enabled or disabled.
    Status,
    /// The connection of *Act as…*.
    Link,
    /// What is compared.
    Compare,
    /// Whether it exists: created, deleted, or not.
    Existence,
    /// Copying its connection string.
    ConnectionString,
    /// The list of devices of the hub in front; of no twin.
    Listing,
    /// The kept connections; of no twin and no hub.
    Connections,
}

/// What is said of a device whose status was set.
pub(super) fn status_words(id: &TwinId, status: Status) -> String {
    format!("{id} is {} now", status.word())
}

impl App {
    /// Says something; what was said before in the same words goes.
    pub(super) fn notice(&mut self, kind: NoticeKind, text: impl Into<String>, detail: Option<String>) {
        let text = text.into();
        self.notices.retain(|before| before.about.is_some() || before.text != text);
        self.push_notice(kind, text, detail, None);
    }

    /// The newest word on a matter of these twins: it takes the place of any before.
    pub(super) fn notice_about(
        &mut self,
        matter: Matter,
        ids: &[TwinId],
        kind: NoticeKind,
        text: impl Into<String>,
        detail: Option<String>,
    ) {
        for id in ids {
            self.settled(matter, id);
        }
        self.push_notice(kind, text.into(), detail, Some(About { matter, ids: ids.to_vec() }));
    }

    fn push_notice(&mut self, kind: NoticeKind, text: String, detail: Option<String>, about: Option<About>) {
        self.last_notice += 1;
        self.notices.push(Notice { number: self.last_notice, kind, text, detail, at: self.now, about });
    }

    /// What was said of this matter holds no more.
    pub(super) fn settled(&mut self, matter: Matter, id: &TwinId) {
        self.retain_notices(|about| about.matter != matter || !about.ids.contains(id));
    }

    /// The newest word on a matter that is not one twin's.
    pub(super) fn notice_of(
        &mut self,
        matter: Matter,
        kind: NoticeKind,
        text: impl Into<String>,
        detail: Option<String>,
    ) {
        self.all_settled(matter);
        self.push_notice(kind, text.into(), detail, Some(About { matter, ids: Vec::new() }));
    }

    /// What was said of this matter, of whatever twin, holds no more.
    pub(super) fn all_settled(&mut self, matter: Matter) {
        self.retain_notices(|about| about.matter != matter);
    }

    /// The status of a device was read: that it is the other one holds no more.
    pub(super) fn status_seen(&mut self, id: &TwinId, status: Status) {
        let holds = status_words(id, status);
        let is_of = |about: &About| about.matter == Matter::Status && about.ids.contains(id);
        self.notices.retain(|notice| {
            notice.kind != NoticeKind::Good || notice.text == holds || !notice.about.as_ref().is_some_and(is_of)
        });
    }

    /// The tab is closed.
    pub(super) fn forget_notices(&mut self, id: &TwinId) {
        self.retain_notices(|about| about.matter == Matter::Existence || !about.ids.contains(id));
    }

    /// Another hub comes to the front: a twin of the same name there is another one.
    pub(super) fn forget_all_about_twins(&mut self) {
        self.retain_notices(|about| about.matter == Matter::Connections);
    }

    fn retain_notices(&mut self, stays: impl Fn(&About) -> bool) {
        self.notices.retain(|notice| notice.about.as_ref().is_none_or(&stays));
    }
}
