//! How a tab takes a new version of its twin without losing what was typed, and how a save is seen to land.

use super::Moment;
use super::Remote;
use super::conflict::EDITABLE;
use super::tab::{Act, Landing, SaveState, Sent, Tab};
use crate::client::link::LinkState;
use crate::protocol::identity::Identity;
use crate::twin::draft::Draft;
use crate::twin::text::{self, splice};
use crate::twin::{Etag, Json, JsonMap, Section, Twin, life, merge, patch, wire};
use crate::worker::Failure;
use crate::worker::event::Source;
use std::sync::Arc;

/// An answer of a read that started before a save may come after it. Within this time a lower version is taken as such; later
/// as a twin that was deleted and made again.
const LATE_MS: u64 = 5_000;

impl Tab {
    /// The newest version known, the one that moved under the edits included.
    pub fn newest(&self) -> Option<Arc<Twin>> {
        self.moved.as_ref().map(|moved| moved.theirs.clone()).or_else(|| self.current().cloned())
    }

    /// The etag of the identity record, from whichever source was read last.
    pub fn identity_etag(&self) -> Option<Etag> {
        let record = self.identity.value().map(|identity| identity.etag.clone());
        let twins = self.current().and_then(|twin| twin.device_etag.clone());
        let record_at = match &self.identity {
            Remote::Ready { at, .. } => Some(*at),
            _ => None,
        };
        match (record_at, self.seen) {
            (Some(record_at), Some((_, seen))) if seen > record_at => twins.or(record),
            _ => record.or(twins),
        }
    }

    /// Whether a version is older than what is on the screen.
    pub(super) fn is_late(&self, twin: &Twin, now: Moment) -> bool {
        let Some(current) = self.current() else { return false };
        let lately = self.seen.is_some_and(|(_, at)| now.ms.saturating_sub(at.ms) < LATE_MS);
        twin.version < current.version && (lately || matches!(self.save, SaveState::Sending { .. }))
    }

    /// Takes a newer version: read-only texts, and the draft's base where that takes nothing away from the person.
    pub(super) fn take(&mut self, twin: Arc<Twin>, source: Source, now: Moment) {
        if self.current().is_none_or(|old| old.reported != twin.reported) {
            self.reported_text = text::pretty(&twin.reported.values);
        }
        if let Json::Object(document) = wire::to_json(&twin) {
            self.document_text = text::pretty(&document);
        }
        // What was typed in an earlier run may have been typed at a twin that is gone.
        let of_another_life =
            self.current().is_none() && self.draft.as_ref().is_some_and(|draft| !life::continues(&draft.base, &twin));
        self.seen = Some((source, now));
        let caret = self.caret.filter(|_| source == Source::Watch);
        match &mut self.draft {
            None => self.draft = Some(Draft::new(twin.clone())),
            Some(draft) => {
                let under_caret = caret.is_some_and(|section| !is_same(draft, &twin, section));
                if can_move_base(draft, &twin) && !under_caret {
                    move_base(draft, twin.clone());
                    self.moved = None;
                    self.conflict_open = false;
                } else {
                    self.moved_to(twin.clone(), source, now);
                }
            }
        }
        if of_another_life && let Some(moved) = &mut self.moved {
            moved.another_life();
            self.compare_with_hub();
        }
        self.mark_lines();
        let loading = self.twin.is_loading();
        if let Remote::Loading { previous, .. } = &mut self.twin {
            *previous = Some(twin.clone());
        }
        if !loading {
            self.twin = Remote::Ready { value: twin, at: now };
        }
    }

    /// The record was read: header and record never say different things of one identity.
    pub(super) fn agree_with_record(&mut self, record: &Identity) {
        let Some(twin) = self.current() else { return };
        let status = self.id.module.is_none().then_some(record.status).or(twin.status);
        if twin.status == status && twin.connection_state == record.connection_state {
            return;
        }
        let mut now = (**twin).clone();
        (now.status, now.connection_state) = (status, record.connection_state);
        if let Remote::Ready { value, .. }
        | Remote::Loading { previous: Some(value), .. }
        | Remote::Failed { previous: Some(value), .. } = &mut self.twin
        {
            *value = Arc::new(now);
        }
    }

    /// A twin was read. A record whose etag it does not carry is out of date: it is read again where it is shown.
    pub(super) fn agree_with_twin(&mut self, twin: &Twin) {
        let Remote::Ready { value: record, .. } = &mut self.identity else { return };
        if twin.device_etag.as_ref().is_some_and(|etag| *etag != record.etag) {
            self.identity = Remote::Idle;
            return;
        }
        record.connection_state = twin.connection_state;
    }

    /// The watch read the twin and found what is shown: that is as old as this look.
    pub(super) fn looked(&mut self, now: Moment) {
        self.watch_problem = None;
        if let Some((_, at)) = &mut self.seen {
            *at = now;
        }
        if let Remote::Ready { at, .. } = &mut self.twin {
            *at = now;
        } else if let Remote::Failed { previous, .. } = &mut self.twin
            && let Some(value) = previous.take()
        {
            self.twin = Remote::Ready { value, at: now };
        }
    }

    /// The identity was deleted and created again, and `twin` is what it has now.
    pub(super) fn begin_another_life(&mut self, twin: Arc<Twin>, now: Moment) {
        self.history.outdated();
        self.watch_problem = None;
        // The device never answers to what the twin before was told, and the record is another one.
        self.landing = None;
        self.followed = None;
        self.identity = Remote::Idle;
        if let Some(sent) = self.in_doubt.take() {
            let reason = "the identity was deleted and created again before it was known".to_owned();
            let failure = Failure::Unknown { landed: None, now: Some(twin.clone()), reason };
            self.save = SaveState::Failed { failure, at: now, write: sent.outgoing.write };
        }
        self.take(twin, Source::Watch, now);
        if let Some(moved) = &mut self.moved {
            moved.another_life();
        }
        self.compare_with_hub();
    }

    /// Another hub comes to the front: what was under way there ends untold.
    pub(super) fn park(&mut self, now: Moment) {
        self.act = None;
        self.methods.running = None;
        self.messages.leave(now);
        self.history.park();
        self.compare.park(now);
        self.caret = None;
        if matches!(self.save, SaveState::Sending { .. }) {
            self.in_doubt = self.sent.take();
            let write = self.in_doubt.as_ref().map(|sent| sent.outgoing.write).unwrap_or_default();
            let reason = "the hub was left before it answered".to_owned();
            let failure = Failure::Unknown { landed: None, now: None, reason };
            self.save = SaveState::Failed { failure, at: now, write };
        }
        if self.identity.is_loading() {
            self.identity = Remote::Idle;
        }
        if self.twin.is_loading()
            && let Some(value) = self.current().cloned()
        {
            self.twin = Remote::Ready { value, at: now };
        }
    }

    /// The caret left: a text that nobody edited shows what the hub has now.
    pub(super) fn caret_moved(&mut self, section: Option<Section>) {
        self.caret = section;
        if section.is_none()
            && !self.is_dirty()
            && let Some(moved) = self.moved.take()
        {
            self.settle_moved();
            self.draft = Some(Draft::new(moved.theirs));
        }
    }

    /// Our save was taken: what was sent is the base now. What was typed meanwhile stays typed.
    pub(super) fn after_save(&mut self, twin: &Arc<Twin>, sent: &Sent) {
        self.saw_saved(sent);
        self.settle_moved();
        self.in_doubt = None;
        if let Some(draft) = &mut self.draft {
            if let Some(asked) = typed_over(draft, twin, sent) {
                *draft = asked;
                return;
            }
            let texts = EDITABLE.map(|section| (section, draft.section(section).text.clone()));
            *draft = Draft::new(twin.clone());
            for (section, text) in texts {
                let (typed, saved) = (sent.typed.of(section), sent.saved.of(section));
                if let Some(text) = text_after_save(text, typed, saved, twin.section(section)) {
                    draft.set_text(section, text);
                }
            }
        }
    }
}

/// Whether the base may move under the text: no section that was edited has another value on the hub.
fn can_move_base(draft: &Draft, twin: &Twin) -> bool {
    EDITABLE.iter().all(|&section| {
        let edit = draft.section(section);
        let edited = edit.parsed.document.is_none() || !edit.changes.is_empty();
        !edited || is_same(draft, twin, section)
    })
}

/// Whether the hub's section says what the base said, or what the text says: nothing is taken from the person then.
fn is_same(draft: &Draft, twin: &Twin, section: Section) -> bool {
    let mine = draft.section(section).parsed.document.as_ref();
    draft.base.section(section) == twin.section(section) || mine == Some(twin.section(section))
}

/// The draft after a save during which somebody typed where others had changed something, or left a text that does not parse
/// yet: it stands on what was typed at when the save left, under the etag of then, and not on the hub's version, which that text
/// never showed. `None` when nothing is to be asked.
fn typed_over(draft: &Draft, twin: &Arc<Twin>, sent: &Sent) -> Option<Draft> {
    let mut before = (*draft.base).clone();
    before.etag = sent.outgoing.if_match.clone();
    let mut ask = false;
    for section in EDITABLE {
        let (typed, theirs) = (text::parse(sent.typed.of(section)).document?, twin.section(section));
        ask |= match &draft.section(section).parsed.document {
            Some(mine) => !merge::three_way(&typed, mine, theirs).clashes.is_empty(),
            None => typed != *theirs,
        };
        *(if section == Section::Tags { &mut before.tags } else { &mut before.desired.values }) = typed;
    }
    ask.then(|| {
        let mut asked = Draft::new(Arc::new(before));
        for section in EDITABLE {
            asked.set_text(section, draft.section(section).text.clone());
        }
        asked.follow(twin);
        asked
    })
}

/// The text of a section after a save; `None` for the hub's own. `typed` stood there when it was sent, `saved` is what was sent.
fn text_after_save(text: String, typed: &str, saved: &str, theirs: &JsonMap) -> Option<String> {
    let parsed = text::parse(&text);
    let Some(mine) = &parsed.document else { return Some(text) };
    if mine == theirs {
        return Some(text);
    }
    if text == typed {
        // Nothing was typed since: the text is what was chosen; or the hub has something else, for somebody wrote right after us.
        return (text::parse(saved).document.as_ref() == Some(theirs)).then(|| saved.to_owned());
    }
    let Some(sent) = text::parse(typed).document else { return Some(text) };
    if sent == *theirs {
        return Some(text);
    }
    // Typed meanwhile, over what was sent; what others changed since is not undone by it.
    let merged = merge::three_way(&sent, mine, theirs).merged;
    let edits = splice::splice(&text, &parsed, &patch::between(mine, &merged), &merged);
    Some(edits.map_or_else(|| text.clone(), |edits| splice::made(&text, &edits)))
}

/// Moves the base; a section whose value did not move keeps its text to the letter.
fn move_base(draft: &mut Draft, twin: Arc<Twin>) {
    if EDITABLE.iter().all(|&section| draft.base.section(section) == twin.section(section)) {
        draft.base = twin;
        return;
    }
    let kept: Vec<(Section, String)> = EDITABLE
        .into_iter()
        .filter(|&section| is_same(draft, &twin, section))
        .map(|section| (section, draft.section(section).text.clone()))
        .collect();
    *draft = Draft::new(twin);
    for (section, text) in kept {
        draft.set_text(section, text);
    }
}

impl Act {
    #[must_use]
    pub fn new(now: Moment, report_text: String) -> Self {
        Self {
            state: LinkState::Connecting,
            since: now,
            report_parsed: text::parse(&report_text),
            report_text,
            report_problem: None,
            sending: None,
            last_report: None,
        }
    }
}

impl Landing {
    #[must_use]
    pub fn new(saved_at: Moment, version: u64, patch: JsonMap) -> Self {
        Self {
            saved_at,
            version,
            patch,
            notified_at: None,
            reported_at: None,
            already: false,
            refusal: None,
            timed_out: false,
        }
    }

    /// Nothing more is waited for.
    pub fn is_over(&self) -> bool {
        self.reported_at.is_some() || self.refusal.is_some() || self.timed_out
    }

    /// Looks at the version the save led to, or the first one seen after an answer was lost.
    pub(super) fn look_at_first(&mut self, twin: &Twin, now: Moment) {
        self.look_at(twin, now);
        self.already = self.reported_at.is_some();
    }

    /// Whether the device made of the patch what was meant: every value reported, or acknowledged with this version.
    pub(super) fn look_at(&mut self, twin: &Twin, now: Moment) {
        if self.reported_at.is_some() || self.refusal.is_some() {
            return;
        }
        let mut all = !self.patch.is_empty();
        for (key, wanted) in &self.patch {
            match answer(wanted, twin.reported.values.get(key), self.version) {
                Answer::Agrees => {}
                Answer::NotYet => all = false,
                Answer::Refused(why) => {
                    self.refusal = Some(format!("{key}: {why}"));
                    return;
                }
            }
        }
        if all {
            self.reported_at = Some(now);
            self.timed_out = false;
        }
    }
}

enum Answer {
    Agrees,
    NotYet,
    Refused(String),
}

/// What the device says to one desired value: itself, or an acknowledgement `{value, ac, av, ad}`.
fn answer(wanted: &Json, reported: Option<&Json>, version: u64) -> Answer {
    match (wanted, reported) {
        (Json::Null, None) => Answer::Agrees,
        (wanted, Some(reported)) if wanted == reported => Answer::Agrees,
        (_, Some(Json::Object(reported))) if reported.contains_key("ac") && reported.contains_key("av") => {
            if reported.get("av").and_then(Json::as_u64).is_none_or(|av| av < version) {
                return Answer::NotYet;
            }
            let code = reported.get("ac").and_then(Json::as_i64).unwrap_or(0);
            if (200..300).contains(&code) {
                return Answer::Agrees;
            }
            let why = reported.get("ad").and_then(Json::as_str).unwrap_or("refused by the device");
            Answer::Refused(format!("{why} (code {code})"))
        }
        (Json::Object(wanted), Some(Json::Object(reported))) => {
            let mut all = Answer::Agrees;
            for (key, value) in wanted {
                match answer(value, reported.get(key), version) {
                    Answer::Agrees => {}
                    Answer::NotYet => all = Answer::NotYet,
                    Answer::Refused(why) => return Answer::Refused(format!("{key}: {why}")),
                }
            }
            all
        }
        _ => Answer::NotYet,
    }
}
