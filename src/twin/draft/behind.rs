//! A draft whose text is ahead of what is known of it: a large text is read elsewhere while somebody types.
//!
//! Until then everything known of the text before stays, and its places move along with what is typed, so that nothing
//! flickers and no place leads out of the text. What acts on the meaning of a text never uses that: it settles first.

use super::{Draft, SectionDraft};
use crate::twin::text::shift::Shift;
use crate::twin::{Section, Twin};
use std::sync::Arc;

/// Bytes of a text that is read at once whenever it changes: up to here that takes less than a key may.
pub const AT_ONCE_MAX: usize = 64 * 1024;

/// A text to be read and what it is compared with: all it takes to do that elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    section: Section,
    base: Arc<Twin>,
    printed: Arc<str>,
    text: String,
}

impl Reading {
    /// Does it. The answer is for [`Draft::take_read`].
    #[must_use]
    pub fn read(self) -> SectionDraft {
        SectionDraft::read(self.section, &self.base, self.printed, self.text)
    }
}

impl SectionDraft {
    /// Takes a text ahead of its reading.
    fn follow(&mut self, text: String) {
        let shift = Shift::between(&self.text, &text);
        shift.spans(&mut self.parsed.spans);
        shift.problems(&mut self.parsed.problems, &text);
        shift.problems(&mut self.problems, &text);
        self.edited = *text != *self.printed;
        self.text = text;
        self.pending = true;
    }
}

impl Draft {
    /// Takes a new text for a section as it is typed: a small one is read at once, a large one is left to be read, see
    /// [`Draft::unread`].
    pub fn type_text(&mut self, section: Section, text: String) {
        if section == Section::Reported || text.len() <= AT_ONCE_MAX {
            self.set_text(section, text);
        } else if self.section(section).text != text {
            self.section_mut(section).follow(text);
        }
    }

    /// Whether a text is not read yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.desired.pending || self.tags.pending
    }

    /// What is left to be read of a section; `None` when nothing is.
    #[must_use]
    pub fn unread(&self, section: Section) -> Option<Reading> {
        let part = Some(self.section(section)).filter(|part| part.pending)?;
        Some(Reading { section, base: self.base.clone(), printed: part.printed.clone(), text: part.text.clone() })
    }

    /// Takes what was read of a section. What was read of another text, or against another base, is dropped. Returns whether it
    /// was taken.
    pub fn take_read(&mut self, section: Section, read: SectionDraft) -> bool {
        let part = self.section_mut(section);
        // Equal texts of a base are equal bases: the text has every key and value, in order and as spelled.
        let wanted = part.pending && !read.pending && part.text == read.text && part.printed == read.printed;
        if wanted {
            *part = read;
        }
        wanted
    }

    /// Reads what is not read yet. Returns whether there was anything.
    pub fn settle(&mut self) -> bool {
        let mut any = false;
        for section in [Section::Desired, Section::Tags] {
            if let Some(reading) = self.unread(section) {
                any |= self.take_read(section, reading.read());
            }
        }
        any
    }

    pub(in crate::twin) fn settled(&self) -> Self {
        let mut settled = self.clone();
        settled.settle();
        settled
    }
}
