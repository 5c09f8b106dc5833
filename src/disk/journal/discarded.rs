//! Drafts that were thrown away: their texts as they were typed, on the version they were typed at, so that they can be
//! compared and brought back.

use super::line::Line;
use super::tail::{append, open_lines};
use super::{Changed, Entry, Journal, Seen, file};
use crate::disk::KeptDraft;
use crate::twin::{Json, JsonMap, Section, Twin, diff, text};
use std::sync::Arc;

impl Journal {
    /// Keeps a draft that was thrown away, under the time it carries. When this returns, it survives a pulled plug.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn record_discarded(&self, hub: &str, draft: &KeptDraft) -> Result<(), String> {
        let path = self.twin_file(hub, &draft.base.id);
        let wrong = |error: std::io::Error| {
            format!("The discarded draft of {} cannot be kept in {}: {error}", draft.base.id, path.display())
        };
        let _turn = self.turn().map_err(wrong)?;
        self.inside(&path).map_err(wrong)?;
        let mut lines = open_lines(&path).map_err(wrong)?;
        let (line, mut objects) = Line::of(hub, &draft.base, Seen::Load, draft.at_ms, None);
        let texts = texts(draft);
        let hash = file::digest(texts.as_bytes());
        objects.push((hash.clone(), texts));
        self.keep_objects(&objects).map_err(wrong)?;
        append(&mut lines, &line.discarded(&hash, changed(draft))).map_err(wrong)?;
        lines.sync_data().map_err(wrong)
    }

    /// A draft that was thrown away.
    ///
    /// # Errors
    /// A sentence: its texts, or the version it was typed at, are gone or damaged, or the entry is no draft.
    pub fn discarded(&self, entry: &Entry) -> Result<KeptDraft, String> {
        let hash = entry.line.typed().ok_or("that entry is no discarded draft")?;
        let texts = self.object(hash)?;
        let text = |key: &str| texts.get(key).and_then(Json::as_str).map(str::to_owned);
        Ok(KeptDraft {
            hub: entry.line.hub().unwrap_or_default().to_owned(),
            base: Arc::new(self.base(entry)?),
            desired: text("desired"),
            tags: text("tags"),
            report: text("report"),
            at_ms: entry.at_ms,
        })
    }
}

fn texts(draft: &KeptDraft) -> String {
    let texts = [("desired", &draft.desired), ("tags", &draft.tags), ("report", &draft.report)];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Json::from(text.as_deref()?))));
    Json::Object(texts.collect()).to_string()
}

impl KeptDraft {
    /// The twin as the draft would have made it.
    ///
    /// # Errors
    /// A sentence when a text does not parse.
    pub fn twin(&self) -> Result<Twin, String> {
        let mut twin = (*self.base).clone();
        if let Some(document) = document(self.desired.as_ref(), Section::Desired)? {
            twin.desired.values = document;
        }
        if let Some(document) = document(self.tags.as_ref(), Section::Tags)? {
            twin.tags = document;
        }
        Ok(twin)
    }
}

fn document(text: Option<&String>, section: Section) -> Result<Option<JsonMap>, String> {
    let Some(text) = text else { return Ok(None) };
    let none = || format!("the text of {} does not parse, so it cannot be compared", section.word());
    text::parse(text).document.map(Some).ok_or_else(none)
}

fn changed(draft: &KeptDraft) -> Option<Changed> {
    let twin = draft.twin().ok()?;
    let count = |section| diff::diff(draft.base.section(section), twin.section(section)).len();
    Some(Changed { tags: count(Section::Tags), desired: count(Section::Desired), reported: 0 })
}
