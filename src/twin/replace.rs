//! A draft as a whole, to take the place of what the hub has: a PUT instead of a PATCH.

use super::diff::{Change, ChangeKind};
use super::draft::{Draft, Outgoing, Refusal};
use super::{Json, JsonMap, Path, Section, patch};

/// What a replacement would send, and what goes by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// Its body holds both sections whole; `device_told` is what changes of desired, for the device may take the rest as known.
    pub outgoing: Outgoing,
    /// The paths the hub has and the draft has not, in the order of the base.
    pub removed: Vec<(Section, Path)>,
}

impl Draft {
    /// Both sections as they are typed, with the etag of the base as precondition.
    ///
    /// # Errors
    /// When there is a problem in a section, be it one that nobody edited, or when nothing would change.
    pub fn replacement(&self) -> Result<Replacement, Refusal> {
        if self.is_pending() {
            return self.settled().replacement();
        }
        let sections = [(Section::Tags, &self.tags), (Section::Desired, &self.desired)];
        let count = sections.iter().map(|(_, draft)| draft.problems.len()).sum();
        let mut documents = [JsonMap::new(), JsonMap::new()];
        for ((section, draft), place) in sections.iter().zip(&mut documents) {
            if let Some(problem) = draft.problems.first() {
                let (line, column, message) = (problem.line, problem.column, problem.message.clone());
                return Err(Refusal::Problem { section: *section, line, column, message, count });
            }
            // A text without a problem has a document.
            place.clone_from(draft.parsed.document.as_ref().ok_or(Refusal::NoChange)?);
        }
        let changes =
            || sections.iter().flat_map(|(section, draft)| draft.changes.iter().map(|change| (*section, change)));
        let paths = changes().count();
        if paths == 0 {
            return Err(Refusal::NoChange);
        }
        let is_gone = |(_, change): &(Section, &Change)| change.kind() == ChangeKind::Removed;
        let removed = changes().filter(is_gone).map(|(section, change)| (section, change.path.clone())).collect();
        let [tags, desired] = documents;
        let told = patch::between(self.base.section(Section::Desired), &desired);
        let properties: JsonMap = std::iter::once(("desired".to_owned(), Json::Object(desired))).collect();
        let body: JsonMap =
            [("tags".to_owned(), Json::Object(tags)), ("properties".to_owned(), Json::Object(properties))]
                .into_iter()
                .collect();
        let bytes = Json::Object(body.clone()).to_string().len();
        let device_told = (!told.is_empty()).then_some(told);
        let outgoing = Outgoing {
            body,
            if_match: self.base.etag.clone(),
            bytes,
            paths,
            device_told,
            write: patch::Write::Replace,
        };
        Ok(Replacement { outgoing, removed })
    }
}
