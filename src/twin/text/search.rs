//! Finding and replacing in a text: plain words or a regular expression. Takes time in proportion to the text, whatever is
//! looked for.

use super::splice::Edit;
use regex::{Regex, RegexBuilder};
use std::ops::Range;

/// Memory an expression may take once it is compiled, in bytes.
const COMPILED_MAX: usize = 4 << 20;

/// How what was typed into the field is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// To the letter.
    #[default]
    Words,
    /// As a regular expression of the `regex` crate; `^` and `$` are the ends of a line.
    Expression,
}

/// Whether capital letters count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    #[default]
    Ignored,
    Matched,
}

/// Something to look for.
#[derive(Debug, Clone)]
pub struct Search {
    expression: Regex,
    kind: Kind,
}

impl Search {
    /// # Errors
    /// What is wrong with the expression, as one sentence without a full stop.
    pub fn new(wanted: &str, kind: Kind, case: Case) -> Result<Self, String> {
        let pattern = match kind {
            Kind::Words => regex::escape(wanted),
            Kind::Expression => wanted.to_owned(),
        };
        RegexBuilder::new(&pattern)
            .case_insensitive(case == Case::Ignored)
            .multi_line(true)
            .size_limit(COMPILED_MAX)
            .build()
            .map(|expression| Self { expression, kind })
            .map_err(|error| explained(&error))
    }

    /// Where it stands in a text, in order and without overlap. An expression that fits nothing at all, as `x*` does between
    /// two letters, is not found there.
    #[must_use]
    pub fn hits(&self, text: &str) -> Vec<Range<usize>> {
        self.expression.find_iter(text).map(|hit| hit.range()).filter(|hit| !hit.is_empty()).collect()
    }

    /// What takes the place of a hit. In an expression's replacement `$1` and `${name}` are what its groups found.
    #[must_use]
    pub fn replacement(&self, text: &str, hit: &Range<usize>, with: &str) -> Edit {
        let mut put_in = String::new();
        match self.expression.captures_at(text, hit.start) {
            Some(groups) if self.kind == Kind::Expression => groups.expand(with, &mut put_in),
            _ => with.clone_into(&mut put_in),
        }
        Edit { range: hit.clone(), text: put_in }
    }
}

/// The last line of what the crate says: those before draw the expression with a mark under it.
fn explained(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
        error => {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default();
            last.trim().trim_start_matches("error: ").to_owned()
        }
    }
}
