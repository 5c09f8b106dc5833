//! From tokens to a query: the statement and its paths. Conditions have their own file.

use super::answer::{Item, Select, What};
use super::field::FieldPath;
use super::lexer::{Kind, Token, lex};
use super::{Query, QueryError, Source, TEXT_MAX, function};
use crate::twin::Segment;
use std::ops::Range;

/// Words that cannot start a path.
const RESERVED: &[&str] = &[
    "SELECT",
    "TOP",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "NIN",
    "TRUE",
    "FALSE",
    "NULL",
    "UNDEFINED",
];

pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// What people know from other languages and the hub does not have.
const FOREIGN: &[&str] =
    &["ORDER", "HAVING", "JOIN", "LIMIT", "OFFSET", "LIKE", "BETWEEN", "DISTINCT", "UNION", "IS", "EXISTS"];

pub(super) const AGGREGATES: &[&str] = &["COUNT", "AVG", "SUM", "MIN", "MAX"];

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
        return Err(QueryError {
            span: end..text.len(),
            message: format!("a query has at most {TEXT_MAX} characters, this one has {}", text.chars().count()),
        });
    }
    let (tokens, unreadable) = lex(text);
    let mut parser = Parser { text, tokens, at: 0, depth: 0, paths: Vec::new() };
    let parsed = parser.query();
    match (parsed, unreadable) {
        // Whichever comes first; the parser sees an end where the lexer stopped.
        (Err(error), Some(unreadable)) if error.span.start < unreadable.span.start => Err(error),
        (_, Some(unreadable)) => Err(unreadable),
        (parsed, None) => parsed,
    }
}

pub(super) struct Parser<'t> {
    text: &'t str,
    /// Ends with [`Kind::End`].
    tokens: Vec<Token>,
    at: usize,
    pub(super) depth: usize,
    /// The fields named so far, to be looked up once the source is known.
    pub(super) paths: Vec<FieldPath>,
}

/// The token-level vocabulary.
impl<'t> Parser<'t> {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn peek_second(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    /// Takes the token; stays at the end once there.
    pub(super) fn advance(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn slice(&self, span: &Range<usize>) -> &'t str {
        &self.text[span.clone()]
    }

    /// Where the last taken token ends.
    pub(super) fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |last| self.tokens[last].span.end)
    }

    pub(super) fn is_keyword(&self, token: &Token, keyword: &str) -> bool {
        token.kind == Kind::Word && self.slice(&token.span).eq_ignore_ascii_case(keyword)
    }

    pub(super) fn at_keyword(&self, keyword: &str) -> bool {
        self.is_keyword(self.peek(), keyword)
    }

    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let there = self.at_keyword(keyword);
        if there {
            self.advance();
        }
        there
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek().kind, Kind::Sign(found) if found == sign);
        if there {
            self.advance();
        }
        there
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Result<(), QueryError> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.expected(&format!("`{sign}`"))) }
    }

    fn expect_keyword(&mut self, keyword: &str) -> Result<(), QueryError> {
        if self.take_keyword(keyword) { Ok(()) } else { Err(self.expected(keyword)) }
    }

    /// The error that something else should stand at the next token.
    pub(super) fn expected(&self, what: &str) -> QueryError {
        let token = self.peek();
        let written = self.slice(&token.span);
        let hint = match token.kind {
            Kind::Sign("==") => "; equality is written `=`",
            Kind::Sign("&&") => "; write AND",
            Kind::Sign("||") => "; write OR",
            Kind::Word if FOREIGN.iter().any(|word| word.eq_ignore_ascii_case(written)) => {
                "; the hub's query language has no such word"
            }
            _ => "",
        };
        let found = match token.kind {
            Kind::End => "the end".to_owned(),
            _ if written.chars().count() > 40 => format!("`{}…`", written.chars().take(40).collect::<String>()),
            _ => format!("`{written}`"),
        };
        QueryError { span: token.span.clone(), message: format!("expected {what}, found {found}{hint}") }
    }

    pub(super) fn error<T>(span: Range<usize>, message: impl Into<String>) -> Result<T, QueryError> {
        Err(QueryError { span, message: message.into() })
    }
}

/// The statement.
impl Parser<'_> {
    fn query(&mut self) -> Result<Query, QueryError> {
        self.expect_keyword("SELECT")?;
        let top = self.top()?;
        let start = self.peek().span.start;
        let select = self.select()?;
        let selected = start..self.end();
        self.expect_keyword("FROM")?;
        let source = self.source()?;
        if source == Source::Jobs && matches!(select, Select::Items(_)) {
            return Self::error(selected, "devices.jobs can only be read whole: write SELECT *");
        }
        let condition = if self.take_keyword("WHERE") { Some(self.where_clause()?) } else { None };
        let group_by = self.group_by(source, &select)?;
        if self.peek().kind != Kind::End {
            let open = match (&condition, group_by.is_empty()) {
                (_, false) => "`,` or the end",
                (Some(_), true) => "AND, OR, GROUP BY or the end",
                (None, true) => "WHERE, GROUP BY or the end",
            };
            return Err(self.expected(open));
        }
        let doubt = self.paths.iter().find_map(|path| path.doubt(source));
        let query = Query { source, top, select, condition, group_by, doubt };
        Self::check_columns(&query)?;
        Ok(query)
    }

    fn top(&mut self) -> Result<Option<usize>, QueryError> {
        if !self.take_keyword("TOP") {
            return Ok(None);
        }
        let count = match self.peek().kind {
            Kind::Number => self.slice(&self.peek().span).parse().ok(),
            _ => None,
        };
        let Some(count) = count else { return Err(self.expected("a whole number after TOP")) };
        self.advance();
        Ok(Some(count))
    }

    fn select(&mut self) -> Result<Select, QueryError> {
        if self.take_sign("*") {
            return Ok(Select::Everything);
        }
        let mut items: Vec<Item> = Vec::new();
        loop {
            let item = self.item(&items)?;
            items.push(item);
            if !self.take_sign(",") {
                return Ok(Select::Items(items));
            }
        }
    }

    fn item(&mut self, before: &[Item]) -> Result<Item, QueryError> {
        let start = self.peek().span.start;
        let what = self.what(before)?;
        let used = |name: &str| before.iter().any(|item| item.name == name);
        if self.take_keyword("AS") {
            let token = self.peek().clone();
            let name = match token.kind {
                Kind::Word => self.slice(&token.span).to_owned(),
                Kind::Text(text) | Kind::Name(text) => text,
                _ => return Err(self.expected("a name after AS")),
            };
            if used(&name) {
                return Self::error(token.span, format!("another column is called `{name}` already"));
            }
            self.advance();
            return Ok(Item { name, what });
        }
        // What the hub calls an aggregate without a name is not documented; its engine numbers them.
        let unnamed = before.iter().filter(|item| !matches!(item.what, What::Field(_))).count() + 1;
        let name = match &what {
            What::Field(path) => path.name.clone(),
            _ => format!("${unnamed}"),
        };
        let whole = start..self.end();
        match (used(&name), used(self.slice(&whole))) {
            (false, _) => Ok(Item { name, what }),
            (true, false) => Ok(Item { name: self.slice(&whole).to_owned(), what }),
            (true, true) => Self::error(whole, format!("the column `{name}` is there already")),
        }
    }

    fn what(&mut self, before: &[Item]) -> Result<What, QueryError> {
        let token = self.peek().clone();
        let called = token.kind == Kind::Word && self.peek_second().kind == Kind::Sign("(");
        if !called {
            let everything = if before.is_empty() { "`*`, " } else { "" };
            return self.path(&format!("{everything}a field or an aggregate")).map(What::Field);
        }
        let name = self.slice(&token.span).to_ascii_uppercase();
        if !AGGREGATES.contains(&name.as_str()) {
            return Self::error(token.span, not_an_aggregate(&name));
        }
        self.advance();
        self.advance();
        if name == "COUNT" {
            // Some clients write COUNT(1); it counts the same rows.
            if self.peek().kind == Kind::Number {
                self.advance();
            }
            if !self.take_sign(")") {
                return Err(self.expected("`)`, as in COUNT()"));
            }
            return Ok(What::Count);
        }
        let path = self.path("a field")?;
        self.expect_sign(")")?;
        Ok(match name.as_str() {
            "AVG" => What::Avg(path),
            "SUM" => What::Sum(path),
            "MIN" => What::Min(path),
            _ => What::Max(path),
        })
    }

    fn source(&mut self) -> Result<Source, QueryError> {
        const THREE: &str = "a query reads devices, devices.modules or devices.jobs";
        let token = self.peek().clone();
        if token.kind != Kind::Word {
            return Err(self.expected("devices, devices.modules or devices.jobs"));
        }
        self.advance();
        let mut names = vec![self.slice(&token.span).to_ascii_lowercase()];
        while self.take_sign(".") {
            if self.peek().kind != Kind::Word {
                return Err(self.expected("modules or jobs"));
            }
            let name = self.advance().span;
            names.push(self.slice(&name).to_ascii_lowercase());
        }
        match names.join(".").as_str() {
            "devices" => Ok(Source::Devices),
            "devices.modules" => Ok(Source::Modules),
            "devices.jobs" => Ok(Source::Jobs),
            _ => {
                let span = token.span.start..self.end();
                let message = format!("unknown source `{}`: {THREE}", self.slice(&span));
                Self::error(span, message)
            }
        }
    }

    fn group_by(&mut self, source: Source, select: &Select) -> Result<Vec<FieldPath>, QueryError> {
        let start = self.peek().span.start;
        if !self.take_keyword("GROUP") {
            return Ok(Vec::new());
        }
        self.expect_keyword("BY")?;
        let span = start..self.end();
        if source != Source::Devices {
            return Self::error(span, "only devices can be grouped");
        }
        if matches!(select, Select::Everything) {
            return Self::error(span, "SELECT * cannot be grouped: select the grouped fields and aggregates");
        }
        let mut paths = vec![self.path("a field")?];
        while self.take_sign(",") {
            paths.push(self.path("a field")?);
        }
        Ok(paths)
    }

    /// Beside an aggregate or under GROUP BY, a column must be one value per group.
    fn check_columns(query: &Query) -> Result<(), QueryError> {
        let Select::Items(items) = &query.select else { return Ok(()) };
        if !query.is_aggregate() {
            return Ok(());
        }
        for item in items {
            if let What::Field(path) = &item.what
                && !query.group_by.iter().any(|grouped| grouped.same_place(path))
            {
                let message = format!("`{}` needs to stand after GROUP BY, or inside an aggregate", path.name);
                return Self::error(path.span.clone(), message);
            }
        }
        Ok(())
    }

    /// A path, here called `what` where it is missing.
    pub(super) fn path(&mut self, what: &str) -> Result<FieldPath, QueryError> {
        let token = self.peek().clone();
        let first = match &token.kind {
            Kind::Name(name) => name.clone(),
            Kind::Word if !is_reserved(self.slice(&token.span)) => self.slice(&token.span).to_owned(),
            _ => return Err(self.expected(what)),
        };
        self.advance();
        let mut segments = vec![Segment::Key(first)];
        loop {
            if self.take_sign(".") {
                let name = match self.peek().kind.clone() {
                    Kind::Name(name) => name,
                    Kind::Word => self.slice(&self.peek().span).to_owned(),
                    _ => return Err(self.expected("a name after `.` (an odd key is written [[key]])")),
                };
                self.advance();
                segments.push(Segment::Key(name));
            } else if let Kind::Name(name) = self.peek().kind.clone() {
                self.advance();
                segments.push(Segment::Key(name));
            } else if self.take_sign("[") {
                segments.push(self.subscript()?);
                self.expect_sign("]")?;
            } else {
                break;
            }
        }
        let prefix = prefix_length(&segments);
        let rest = segments.split_off(prefix + 1);
        let Some(Segment::Key(top)) = segments.pop() else { return Err(self.expected(what)) };
        let path = FieldPath::new(&top, rest, token.span.start..self.end());
        self.paths.push(path.clone());
        Ok(path)
    }

    fn subscript(&mut self) -> Result<Segment, QueryError> {
        let token = self.peek().clone();
        let segment = match token.kind {
            Kind::Text(key) => Some(Segment::Key(key)),
            Kind::Number => self.slice(&token.span).parse().ok().map(Segment::Index),
            _ => None,
        };
        let Some(segment) = segment else { return Err(self.expected("a place or a key in quotes")) };
        self.advance();
        Ok(segment)
    }
}

/// How many segments at the start only repeat the source.
fn prefix_length(segments: &[Segment]) -> usize {
    let is = |at: usize, words: &[&str]| match (segments.get(at), segments.get(at + 1)) {
        (Some(Segment::Key(key)), Some(Segment::Key(_))) => words.iter().any(|word| word.eq_ignore_ascii_case(key)),
        _ => false,
    };
    match (is(0, &["devices"]), is(1, &["modules", "jobs"])) {
        (true, true) => 2,
        (true, false) => 1,
        (false, _) => 0,
    }
}

fn not_an_aggregate(name: &str) -> String {
    match (function::find(name), function::nearest(name)) {
        (Some(_), _) => format!("{name} works only after WHERE; a column is a field or COUNT, AVG, SUM, MIN, MAX"),
        (None, Some(nearest)) => format!("unknown function `{name}`, did you mean {nearest}?"),
        (None, None) => format!("unknown function `{name}`; the aggregates are COUNT, AVG, SUM, MIN and MAX"),
    }
}
