//! An edit meets a newer version of its twin: the ways to stand on it.

use super::{Draft, SectionDraft};
use crate::twin::diff::{self, Change};
use crate::twin::merge::{self, Choice, Clash, Merge};
use crate::twin::text::splice::{self, Edit};
use crate::twin::{JsonMap, Section, Twin, patch};
use std::sync::Arc;

const EDITABLE: [Section; 2] = [Section::Desired, Section::Tags];

impl Draft {
    /// Moves the draft onto a newer base. A section whose text is untouched shows the new base; an edited one keeps its
    /// text to the letter and is compared with the new base from now on.
    ///
    /// A section edited in its white space alone keeps its text unless the new base says something else: then the old
    /// text would read as an edit that takes somebody else's change back.
    pub fn rebase_untouched(&mut self, base: Arc<Twin>) {
        for section in EDITABLE {
            let draft = self.section(section);
            let same = self.base.section(section) == base.section(section);
            let keep = draft.edited && (draft.is_dirty() || same);
            let draft = if keep {
                SectionDraft::of_text(section, &base, draft.text.clone())
            } else {
                SectionDraft::of_base(section, &base)
            };
            self.put(section, draft);
        }
        self.base = base;
    }

    /// Three-way merge of the edits onto a newer base (mine wins a clash; the clashes are returned for the caller to ask about).
    /// A section that does not parse is left as it is; one the merge does not change keeps its text to the letter.
    pub fn rebase_merged(&mut self, base: Arc<Twin>) -> Vec<(Section, Clash)> {
        self.rebase_chosen(base, |_, _| Choice::Mine)
    }

    /// The same with every clash as chosen. Returns the clashes.
    pub fn rebase_chosen(
        &mut self,
        base: Arc<Twin>,
        choose: impl Fn(Section, &Clash) -> Choice,
    ) -> Vec<(Section, Clash)> {
        let mut clashes = Vec::new();
        for section in EDITABLE {
            let draft = self.section(section);
            let rebased = match &draft.parsed.document {
                _ if !draft.edited => SectionDraft::of_base(section, &base),
                None => SectionDraft::of_text(section, &base, draft.text.clone()),
                Some(mine) => {
                    let (before, theirs) = (self.base.section(section), base.section(section));
                    let merge = merge::three_way(before, mine, theirs);
                    let resolved = merge.resolved(before, theirs, |clash| choose(section, clash));
                    let text = draft.rewritten(&patch::between(mine, &resolved), &resolved);
                    clashes.extend(merge.clashes.into_iter().map(|clash| (section, clash)));
                    SectionDraft::of_text(section, &base, text)
                }
            };
            self.put(section, rebased);
        }
        self.base = base;
        clashes
    }

    /// What [`Draft::follow`] would change in the texts, for whoever has a caret in one. `None` while a section does not parse.
    #[must_use]
    pub fn following(&self, theirs: &Twin) -> Option<Vec<(Section, Vec<Edit>)>> {
        EDITABLE
            .into_iter()
            .map(|section| {
                let draft = self.section(section);
                let merge = self.merge(section, theirs)?;
                let change = patch::between(draft.parsed.document.as_ref()?, &merge.merged);
                Some((section, splice::splice(&draft.text, &draft.parsed, &change, &merge.merged)?))
            })
            .collect()
    }

    /// Takes over what only the other side changed, and leaves what both changed undecided: there the text keeps my value and the
    /// base its own. A text changes only at the paths taken over. Without a clash the newer version is the base afterwards; with one
    /// the base keeps its old etag, so that a save is still refused. Does nothing while a section does not parse.
    pub fn follow(&mut self, theirs: &Arc<Twin>) {
        let merges = EDITABLE.map(|section| self.merge(section, theirs));
        let [Some(_), Some(_)] = &merges else { return };
        let clean = merges.iter().flatten().all(|merge| merge.clashes.is_empty());
        let base = if clean { theirs.clone() } else { Arc::new(self.undecided(theirs, &merges)) };
        for (section, merge) in EDITABLE.into_iter().zip(merges) {
            let draft = self.section(section);
            let (Some(merge), Some(mine)) = (merge, &draft.parsed.document) else { continue };
            let followed = if draft.edited {
                let text = draft.rewritten(&patch::between(mine, &merge.merged), &merge.merged);
                SectionDraft::of_text(section, &base, text)
            } else {
                SectionDraft::of_base(section, &base)
            };
            self.put(section, followed);
        }
        self.base = base;
    }

    fn merge(&self, section: Section, theirs: &Twin) -> Option<Merge> {
        debug_assert!(!self.section(section).pending, "a text is merged before it is read");
        let mine = self.section(section).parsed.document.as_ref()?;
        Some(merge::three_way(self.base.section(section), mine, theirs.section(section)))
    }

    /// The base with everything of theirs but what clashes.
    fn undecided(&self, theirs: &Twin, merges: &[Option<Merge>; 2]) -> Twin {
        let mut base = (*self.base).clone();
        for (section, merge) in EDITABLE.into_iter().zip(merges) {
            let before = self.base.section(section);
            let mut taken: JsonMap = theirs.section(section).clone();
            for clash in merge.iter().flat_map(|merge| &merge.clashes) {
                let (path, before_value, after) = (clash.path.clone(), clash.base.clone(), clash.theirs.clone());
                diff::revert(&mut taken, before, &Change { path, before: before_value, after });
            }
            *(if section == Section::Tags { &mut base.tags } else { &mut base.desired.values }) = taken;
        }
        base
    }
}
