//! Event → state, for one twin: what was read, saved, watched, reported.

use super::activity::{PatchKind, PatchSeen};
use super::tab::{Act, Landing, News, SaveState, Sent, Tab};
use super::{App, Matter, NoticeKind, Purpose, Remote};
use crate::client::link::LinkState;
use crate::protocol::identity::Identity;
use crate::twin::{JsonMap, Section, Twin, TwinId, patch};
use crate::worker::event::{Outcome, Source};
use crate::worker::{Command, Fact, Failure, Key};
use std::slice::from_ref;
use std::sync::Arc;

impl App {
    pub(super) fn take_twin_fact(&mut self, fact: Fact) {
        match fact {
            Fact::TwinSeen { twin, source } => self.see(&twin, source),
            Fact::TwinLooked { id } => {
                let now = self.now;
                if let Some(tab) = self.tab_mut(&id) {
                    tab.looked(now);
                }
            }
            Fact::TwinRecreated { twin } => self.see_another_life(&twin),
            Fact::WatchFailed { id, error } => {
                if let Some(tab) = self.tab_mut(&id) {
                    tab.watch_problem = Some(error.to_string());
                }
            }
            Fact::Link { id, state } => self.take_link(&id, state),
            Fact::DesiredPatch { id, version, patch } => {
                let now = self.now;
                if let Some(landing) = self.tab_mut(&id).and_then(|tab| tab.landing.as_mut())
                    && landing.version <= version
                    && landing.notified_at.is_none()
                {
                    landing.notified_at = Some(now);
                }
                self.activity.push_patch(PatchSeen { at: now, id, kind: PatchKind::Received, version, patch });
            }
            _ => {}
        }
    }

    pub(super) fn settle_twin(
        &mut self,
        key: Key,
        purpose: Purpose,
        outcome: Result<Outcome, Failure>,
    ) -> Vec<Command> {
        match purpose {
            Purpose::Load(id) => self.settle_load(key, &id, outcome),
            Purpose::Save(id) => return self.settle_save(key, &id, outcome),
            Purpose::Identity(id) => self.settle_identity(key, &id, outcome),
            Purpose::SetStatus(id) => match outcome {
                Ok(Outcome::Identity(identity)) => {
                    let text = super::notices::status_words(&id, identity.status);
                    self.notice_about(Matter::Status, from_ref(&id), NoticeKind::Good, text, None);
                    self.keep_identity(&id, identity);
                }
                Ok(_) => {}
                Err(failure) => {
                    self.say_failure_about(
                        Matter::Status,
                        &id,
                        &format!("The status of {id} was not changed"),
                        &failure,
                    );
                    // The record may have moved: the next try goes against what it says now.
                    return self.load_identity(&id);
                }
            },
            Purpose::Act(id) => {
                if let Err(failure) = outcome {
                    if let Some(tab) = self.tab_mut(&id) {
                        tab.act = None;
                    }
                    self.say_failure_about(Matter::Link, &id, &format!("Cannot act as {id}"), &failure);
                }
            }
            Purpose::Timeline(id) => return self.settle_timeline(key, &id, outcome),
            Purpose::Versions(id) => self.settle_versions(key, &id, outcome),
            Purpose::Past => self.settle_past(key, outcome),
            Purpose::PastTimeline => self.settle_past_timeline(key, outcome),
            Purpose::Compared { tab, side } => self.settle_compared(key, &tab, side, outcome),
            Purpose::Report(id) => self.settle_report(key, &id, outcome),
            Purpose::CallMethod(id) => self.settle_call(key, &id, outcome),
            Purpose::SendMessage(id) => self.settle_message(key, &id, outcome),
            Purpose::CountMessages(id) => self.settle_count(&id, outcome),
            Purpose::PurgeMessages(id) => self.settle_purge(&id, outcome),
            Purpose::Feedback(id) => self.settle_feedback(key, &id, outcome),
            _ => {}
        }
        Vec::new()
    }

    fn settle_load(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let Some(tab) = self.tab_mut(id) else { return };
        if !tab.twin.waits_for(key) {
            return;
        }
        match outcome {
            Ok(Outcome::Twin(twin)) => {
                // `see` compares with the version before; only then does the new one take its place.
                self.see(&twin, Source::Load);
                // A late answer was dropped: what is shown stays.
                if let Some(tab) = self.tab_mut(id) {
                    let value = tab.current().cloned().unwrap_or(twin);
                    tab.twin = Remote::Ready { value, at: now };
                }
            }
            Ok(_) => {}
            Err(failure) => tab.twin.settle(key, now, Err(failure)),
        }
    }

    /// A version of a twin was seen, by whatever way.
    pub(super) fn see(&mut self, twin: &Arc<Twin>, source: Source) {
        let now = self.now;
        self.fleet.note(&twin.id, twin.connection_state, twin.status);
        let Some(tab) = self.tab_mut(&twin.id) else { return };
        tab.watch_problem = None;
        tab.history.outdated();
        if tab.is_late(twin, now) {
            return;
        }
        if let (None, Some(status)) = (&twin.id.module, twin.status) {
            self.status_seen(&twin.id, status);
        }
        let Some(tab) = self.tab_mut(&twin.id) else { return };
        if tab.in_doubt.is_some() {
            self.settle_doubt(twin);
        }
        let Some(tab) = self.tab_mut(&twin.id) else { return };
        let news = tab.current().map(|old| changes_between(old, twin, source, now)).unwrap_or_default();
        let (was_open, stood) = (tab.conflict_open, tab.moved.is_none());
        tab.take(twin.clone(), source, now);
        tab.agree_with_twin(twin);
        let (closed, moved) = (was_open && !tab.conflict_open, stood && tab.moved.is_some());
        if moved {
            // Nothing said of the edits before was said of this version.
            self.settled(Matter::Edits, &twin.id);
        }
        if closed {
            let (id, version) = (&twin.id, twin.version);
            let text = format!(
                "Nothing is left to decide about {id}: the hub's version {version} no longer differs where you edit, and your edits stand on it now"
            );
            self.notice_about(Matter::Edits, from_ref(id), NoticeKind::Info, text, None);
        }
        if source != Source::Save {
            for (kind, seen) in &news {
                self.activity.push_patch(PatchSeen {
                    at: now,
                    id: twin.id.clone(),
                    kind: *kind,
                    version: seen.version,
                    patch: seen.patch.clone(),
                });
            }
        }
        if let Some(tab) = self.tab_mut(&twin.id) {
            if source != Source::Save {
                tab.add_news(news.into_iter().map(|(_, seen)| seen.news).filter(|news| !news.changes.is_empty()));
            }
            if let Some(landing) = &mut tab.landing {
                landing.look_at(twin, now);
            }
        }
    }

    /// The identity was deleted and created again. What was edited was edited in the life before: nothing of it is merged into the
    /// new one unasked.
    fn see_another_life(&mut self, twin: &Arc<Twin>) {
        let now = self.now;
        self.fleet.note(&twin.id, twin.connection_state, twin.status);
        let Some(tab) = self.tab_mut(&twin.id) else { return };
        tab.begin_another_life(twin.clone(), now);
        // While the text is that of the life before, the banner over it says so.
        let stays = tab.moved.is_some();
        let id = &twin.id;
        self.settled(Matter::Edits, id);
        if !stays {
            let text = format!(
                "{id} was deleted and created again on the hub: this is the new twin. History keeps the one before"
            );
            self.notice_about(Matter::Edits, from_ref(id), NoticeKind::Info, text, None);
        }
    }

    fn settle_save(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        let now = self.now;
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        if !matches!(tab.save, SaveState::Sending { key: waiting, .. } if waiting == key) {
            return Vec::new();
        }
        let Some(sent) = tab.sent.take() else { return Vec::new() };
        let write = sent.outgoing.write;
        match outcome {
            Ok(Outcome::Saved(twin)) => {
                let kept = self.keep_given_up(id, &sent);
                self.saved(id, &twin, sent);
                return kept.into_iter().collect();
            }
            Ok(Outcome::Conflict { theirs }) => {
                tab.save = SaveState::Idle;
                self.see(&theirs, Source::Load);
                if let Some(tab) = self.tab_mut(id) {
                    // Even where the sections agree by value the hub refused this etag: the person decides with both in view.
                    tab.conflict(theirs, now);
                    tab.refused(sent.tried);
                }
            }
            Ok(_) => tab.save = SaveState::Idle,
            Err(Failure::Unknown { landed, now: Some(twin), reason }) => {
                self.settle_unknown(id, landed, &twin, reason, sent);
            }
            // The next version seen tells.
            Err(failure @ Failure::Unknown { .. }) => {
                tab.in_doubt = Some(sent);
                tab.save = SaveState::Failed { failure, at: now, write };
            }
            // It may have been sent all the same: the twin is read again.
            Err(Failure::Cancelled) => {
                tab.in_doubt = Some(sent);
                let reason = "it was cancelled, perhaps after it was sent".to_owned();
                let failure = Failure::Unknown { landed: None, now: None, reason };
                tab.save = SaveState::Failed { failure, at: now, write };
                return self.load_twin(id);
            }
            Err(failure) => tab.save = SaveState::Failed { failure, at: now, write },
        }
        Vec::new()
    }

    /// A save without an answer, and the twin as it was read afterwards.
    fn settle_unknown(&mut self, id: &TwinId, landed: Option<bool>, twin: &Arc<Twin>, reason: String, sent: Sent) {
        let now = self.now;
        if landed == Some(true) {
            self.saved(id, twin, sent);
            let text = format!("The answer to saving {id} was lost, but the hub has your values: it is saved");
            self.notice_about(Matter::Edits, from_ref(id), NoticeKind::Info, text, None);
            return;
        }
        let Some(tab) = self.tab_mut(id) else { return };
        let failure = Failure::Unknown { landed, now: Some(twin.clone()), reason };
        tab.save = SaveState::Failed { failure, at: now, write: sent.outgoing.write };
        self.see(twin, Source::Load);
        // Somebody wrote since, before ours or over it: the person decides with all three in view.
        if landed.is_none()
            && let Some(tab) = self.tab_mut(id)
            && tab.moved.is_some()
        {
            tab.conflict(twin.clone(), now);
        }
    }

    /// A version was seen while the outcome of a save was not known.
    fn settle_doubt(&mut self, twin: &Arc<Twin>) {
        let Some(tab) = self.tab_mut(&twin.id) else { return };
        let Some(sent) = tab.in_doubt.take() else { return };
        let reason = match &tab.save {
            SaveState::Failed { failure: Failure::Unknown { reason, .. }, .. } => reason.clone(),
            _ => "no answer came".to_owned(),
        };
        let landed = patch::landed(&sent.outgoing.body, sent.outgoing.write, &sent.outgoing.if_match, twin);
        self.settle_unknown(&twin.id, landed, twin, reason, sent);
    }

    fn saved(&mut self, id: &TwinId, twin: &Arc<Twin>, sent: Sent) {
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.save = SaveState::Saved { at: sent.at };
            tab.after_save(twin, &sent);
            let told = sent.outgoing.device_told.clone();
            tab.landing = told.map(|patch| {
                let mut landing = Landing::new(sent.at, twin.desired.version, patch);
                landing.look_at_first(twin, now);
                landing
            });
        }
        self.settled(Matter::Edits, id);
        let (version, patch) = match sent.outgoing.device_told {
            Some(patch) => (twin.desired.version, patch),
            None => (twin.version, sent.outgoing.body),
        };
        self.activity.push_patch(PatchSeen { at: now, id: id.clone(), kind: PatchKind::Saved, version, patch });
        self.see(twin, Source::Save);
    }

    fn settle_identity(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        match outcome {
            Ok(Outcome::Identity(identity)) => self.keep_identity(id, identity),
            Ok(_) => {}
            Err(failure) => {
                let sentence = super::apply::failure_sentence(&failure);
                if let Some(super::Dialog::Delete { id: asked, etag: None, problem, .. }) = &mut self.dialog
                    && asked == id
                {
                    *problem = Some(sentence);
                }
                if self.copy_when_loaded.take_if(|wanted| wanted == id).is_some() {
                    self.say_failure_about(
                        Matter::ConnectionString,
                        id,
                        "The connection string was not copied",
                        &failure,
                    );
                }
                if let Some(tab) = self.tab_mut(id) {
                    tab.identity.settle(key, now, Err(failure));
                }
            }
        }
    }

    fn keep_identity(&mut self, id: &TwinId, identity: Box<Identity>) {
        let now = self.now;
        if let Some(super::Dialog::Delete { id: asked, etag, .. }) = &mut self.dialog
            && asked == id
        {
            *etag = Some(identity.etag.clone());
        }
        if id.module.is_none() {
            self.status_seen(id, identity.status);
        }
        self.fleet.note(id, identity.connection_state, id.module.is_none().then_some(identity.status));
        if let Some(tab) = self.tab_mut(id) {
            tab.agree_with_record(&identity);
            tab.identity = Remote::Ready { value: identity, at: now };
        }
        if self.copy_when_loaded.take_if(|wanted| wanted == id).is_some() {
            self.put_connection_string(id);
        }
    }

    fn take_link(&mut self, id: &TwinId, state: LinkState) {
        let now = self.now;
        let Some(tab) = self.tab_mut(id) else { return };
        match &state {
            LinkState::Closed => {
                tab.act = None;
                return;
            }
            LinkState::PushedOut => {
                // MQTT 3.1.1 closes without a word; another client is the usual cause, a disabled or deleted identity the other.
                let text = format!("The hub closed your connection as {id}: you are no longer acting as it");
                let why = "Most likely another client connected with the same identity, or it was disabled or deleted";
                self.notice_about(Matter::Link, from_ref(id), NoticeKind::Info, text, Some(why.to_owned()));
            }
            LinkState::Refused { reason } => {
                let text = format!("The hub refused the connection as {id}");
                self.notice_about(Matter::Link, from_ref(id), NoticeKind::Problem, text, Some(reason.clone()));
            }
            LinkState::Online { .. } => self.settled(Matter::Link, id),
            LinkState::Connecting | LinkState::Retrying { .. } => {}
        }
        if let Some(tab) = self.tab_mut(id) {
            let text = tab.report_text.clone();
            let act = tab.act.get_or_insert_with(|| Act::new(now, text));
            act.state = state;
            act.since = now;
        }
    }

    fn settle_report(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let Some(act) = self.tab_mut(id).and_then(|tab| tab.act.as_mut()) else { return };
        if act.sending != Some(key) {
            return;
        }
        act.sending = None;
        match outcome {
            Ok(Outcome::Reported { version, .. }) => {
                act.last_report = Some((version, now));
                let patch = act.report_parsed.document.clone().unwrap_or_default();
                let text = act.report_text.clone();
                let seen = PatchSeen { at: now, id: id.clone(), kind: PatchKind::ReportSent, version, patch };
                self.activity.push_patch(seen);
                if let Some(tab) = self.tab_mut(id) {
                    tab.report_sent = text;
                }
                self.settled(Matter::Link, id);
            }
            Ok(_) => {}
            Err(failure) => {
                self.say_failure_about(Matter::Link, id, &format!("The report as {id} was not taken"), &failure);
            }
        }
    }
}

/// One section that moved: what a person reads and what the Activity pane keeps.
struct Seen {
    version: u64,
    patch: JsonMap,
    news: News,
}

/// What moved between two versions, section by section.
fn changes_between(old: &Twin, new: &Twin, source: Source, now: super::Moment) -> Vec<(PatchKind, Seen)> {
    let sections = [
        (Section::Desired, PatchKind::SeenDesired, new.desired.version),
        (Section::Tags, PatchKind::SeenTags, new.version),
        (Section::Reported, PatchKind::SeenReported, new.reported.version),
    ];
    sections
        .into_iter()
        .filter_map(|(section, kind, version)| {
            let patch = patch::between(old.section(section), new.section(section));
            if patch.is_empty() {
                return None;
            }
            let changes = crate::twin::diff::diff(old.section(section), new.section(section));
            Some((kind, Seen { version, patch, news: News { at: now, source, section, changes, version } }))
        })
        .collect()
}

/// News kept per tab.
const NEWS_MAX: usize = 50;

impl Tab {
    fn add_news(&mut self, news: impl Iterator<Item = News>) {
        for one in news {
            self.news.insert(0, one);
        }
        self.news.truncate(NEWS_MAX);
    }
}
