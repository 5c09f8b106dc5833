//! From tokens to a condition: OR, AND, NOT, comparison, sum, product, sign, in this order of binding.

use super::eval::{Comparison, Expr, List, Membership};
use super::field::FieldPath;
use super::function::{self, Function};
use super::lexer::Kind;
use super::number::{Arithmetic, Num};
use super::parser::{AGGREGATES, Parser, is_reserved};
use super::{DEPTH_MAX, QueryError};
use std::ops::Range;

/// An expression and where it stands.
type Placed = (Expr, Range<usize>);

impl Parser<'_> {
    pub(super) fn where_clause(&mut self) -> Result<Expr, QueryError> {
        let placed = self.either()?;
        self.condition(placed)
    }

    /// Insists that something is true or false by its form.
    fn condition(&self, (expr, span): Placed) -> Result<Expr, QueryError> {
        if expr.is_condition() {
            return Ok(expr);
        }
        let next = self.peek();
        let ends = matches!(next.kind, Kind::End | Kind::Sign(")"))
            || ["AND", "OR", "GROUP"].iter().any(|keyword| self.is_keyword(next, keyword));
        if !ends {
            return Err(self.expected("a comparison"));
        }
        let written = self.slice(&span);
        let message = match expr {
            _ if written.chars().count() > 60 => "this is a value; a condition compares it with another".to_owned(),
            Expr::Field(_) => format!("`{written}` is a field; compare it with a value, as in `{written} = true`"),
            _ => format!("`{written}` is a value; a condition compares it with another"),
        };
        Self::error(span, message)
    }

    fn either(&mut self) -> Result<Placed, QueryError> {
        self.chain("OR", Self::both, Expr::Or)
    }

    fn both(&mut self) -> Result<Placed, QueryError> {
        self.chain("AND", Self::negation, Expr::And)
    }

    fn chain(
        &mut self,
        keyword: &str,
        operand: fn(&mut Self) -> Result<Placed, QueryError>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Placed, QueryError> {
        let first = operand(self)?;
        if !self.at_keyword(keyword) {
            return Ok(first);
        }
        let start = first.1.start;
        let mut operands = vec![self.condition(first)?];
        while self.take_keyword(keyword) {
            let next = operand(self)?;
            operands.push(self.condition(next)?);
        }
        Ok((join(operands), start..self.end()))
    }

    fn negation(&mut self) -> Result<Placed, QueryError> {
        let start = self.peek().span.start;
        if !self.at_keyword("NOT") {
            return self.comparison();
        }
        self.nested(|parser| {
            parser.advance();
            let inner = parser.negation()?;
            let inner = parser.condition(inner)?;
            Ok((Expr::Not(Box::new(inner)), start..parser.end()))
        })
    }

    fn comparison(&mut self) -> Result<Placed, QueryError> {
        let (left, span) = self.sum()?;
        let comparison = match self.peek().kind {
            Kind::Sign("=") => Comparison::Equal,
            Kind::Sign("!=" | "<>") => Comparison::NotEqual,
            Kind::Sign("<") => Comparison::Less,
            Kind::Sign("<=") => Comparison::LessOrEqual,
            Kind::Sign(">") => Comparison::Greater,
            Kind::Sign(">=") => Comparison::GreaterOrEqual,
            Kind::Sign("==" | "&&" | "||") => return Err(self.expected("an operator")),
            _ => return self.membership(left, span),
        };
        self.advance();
        let (right, _) = self.sum()?;
        Ok((Expr::Compare(comparison, Box::new((left, right))), span.start..self.end()))
    }

    fn membership(&mut self, value: Expr, span: Range<usize>) -> Result<Placed, QueryError> {
        let member = if self.take_keyword("IN") {
            Membership::In
        } else if self.take_keyword("NIN") {
            Membership::NotIn
        } else if self.at_keyword("NOT") && self.is_keyword(self.peek_second(), "IN") {
            self.advance();
            self.advance();
            Membership::NotIn
        } else {
            return Ok((value, span));
        };
        let list = if self.take_sign("[") {
            List::Items(self.list("]")?)
        } else {
            List::Array(self.path("`[` and a list, or a field that holds one")?)
        };
        Ok((Expr::In { value: Box::new(value), list, member }, span.start..self.end()))
    }

    /// Values between commas up to the closing sign, which is taken.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, QueryError> {
        let mut items = Vec::new();
        if self.take_sign(close) {
            return Ok(items);
        }
        loop {
            items.push(self.sum()?.0);
            if self.take_sign(close) {
                return Ok(items);
            }
            if !self.take_sign(",") {
                return Err(self.expected(&format!("`,` or `{close}`")));
            }
        }
    }

    fn sum(&mut self) -> Result<Placed, QueryError> {
        let op = |sign: &Kind| match sign {
            Kind::Sign("+") => Some(Arithmetic::Add),
            Kind::Sign("-") => Some(Arithmetic::Subtract),
            _ => None,
        };
        self.arithmetic(Self::product, op)
    }

    fn product(&mut self) -> Result<Placed, QueryError> {
        let op = |sign: &Kind| match sign {
            Kind::Sign("*") => Some(Arithmetic::Multiply),
            Kind::Sign("/") => Some(Arithmetic::Divide),
            Kind::Sign("%") => Some(Arithmetic::Remainder),
            _ => None,
        };
        self.arithmetic(Self::signed, op)
    }

    fn arithmetic(
        &mut self,
        operand: fn(&mut Self) -> Result<Placed, QueryError>,
        op: fn(&Kind) -> Option<Arithmetic>,
    ) -> Result<Placed, QueryError> {
        let (first, span) = operand(self)?;
        let mut rest = Vec::new();
        while let Some(op) = op(&self.peek().kind) {
            self.advance();
            rest.push((op, operand(self)?.0));
        }
        if rest.is_empty() {
            return Ok((first, span));
        }
        Ok((Expr::Arithmetic(Box::new(first), rest), span.start..self.end()))
    }

    fn signed(&mut self) -> Result<Placed, QueryError> {
        let start = self.peek().span.start;
        if self.peek().kind != Kind::Sign("-") {
            return self.primary();
        }
        self.nested(|parser| {
            parser.advance();
            let (inner, _) = parser.signed()?;
            Ok((Expr::Negate(Box::new(inner)), start..parser.end()))
        })
    }

    fn primary(&mut self) -> Result<Placed, QueryError> {
        let token = self.peek().clone();
        let expr = match token.kind {
            Kind::Sign("(") => return self.nested(Self::bracket),
            Kind::Sign("[") => return Self::error(token.span, "a list can stand only after IN, NOT IN or NIN"),
            Kind::Word if self.peek_second().kind == Kind::Sign("(") && !is_reserved(self.slice(&token.span)) => {
                return self.nested(Self::call);
            }
            Kind::Word if self.at_keyword("TRUE") => Expr::Bool(true),
            Kind::Word if self.at_keyword("FALSE") => Expr::Bool(false),
            Kind::Word if self.at_keyword("NULL") => Expr::Null,
            Kind::Word if self.at_keyword("UNDEFINED") => Expr::Undefined,
            Kind::Word | Kind::Name(_) => {
                let path = self.path("a field, a value or a function")?;
                let span = path.span.clone();
                return Ok((Expr::Field(path), span));
            }
            Kind::Number => match number(self.slice(&token.span)) {
                Some(num) if num.as_f64().is_finite() => Expr::Number(num),
                _ => return Self::error(token.span, "this number is too large"),
            },
            Kind::Text(text) => Expr::Text(text),
            Kind::Sign(_) | Kind::End => return Err(self.expected("a field, a value or a function")),
        };
        self.advance();
        Ok((expr, token.span))
    }

    fn bracket(&mut self) -> Result<Placed, QueryError> {
        let start = self.advance().span.start;
        let (inner, _) = self.either()?;
        self.expect_sign(")")?;
        Ok((inner, start..self.end()))
    }

    fn call(&mut self) -> Result<Placed, QueryError> {
        let name = self.advance().span;
        self.advance();
        let written = self.slice(&name);
        let Some(signature) = function::find(written) else {
            return Self::error(name, unknown_function(written));
        };
        let arguments_start = self.peek().span.start;
        let arguments = self.list(")")?;
        let span = name.start..self.end();
        if !(signature.least..=signature.most).contains(&arguments.len()) {
            let takes = match (signature.least, signature.most) {
                (1, 1) => "1 argument".to_owned(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            return Self::error(span, format!("{} takes {takes}, here it has {}", signature.name, arguments.len()));
        }
        if signature.function == Function::IsDefined && !matches!(arguments[0], Expr::Field(_)) {
            let argument = arguments_start..self.end() - 1;
            return Self::error(argument, "IS_DEFINED takes a field");
        }
        let arguments = match signature.function {
            Function::IsOfModel | Function::HasInterface => self.of_model(signature.function, arguments, &span)?,
            _ => arguments,
        };
        Ok((Expr::Call(signature.function, signature.gives, arguments), span))
    }

    /// What is asked of the model that a device has announced, with that model in front. `exact` is a word, not a field.
    fn of_model(
        &mut self,
        function: Function,
        mut arguments: Vec<Expr>,
        span: &Range<usize>,
    ) -> Result<Vec<Expr>, QueryError> {
        if function == Function::IsOfModel && arguments.len() == 2 {
            let word = match &arguments[1] {
                Expr::Field(path) => self.slice(&path.span).eq_ignore_ascii_case("exact").then(|| path.span.clone()),
                _ => None,
            };
            let Some(word) = word else {
                return Self::error(span.clone(), "the second argument of IS_OF_MODEL is the word exact");
            };
            self.paths.retain(|path| path.span != word);
            arguments[1] = Expr::Bool(true);
        }
        arguments.insert(0, Expr::Field(FieldPath::new("modelId", Vec::new(), span.clone())));
        Ok(arguments)
    }

    /// Counts what stands inside something else, so that no text can exhaust the stack.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        if self.depth == DEPTH_MAX {
            return Self::error(self.peek().span.clone(), format!("nested deeper than {DEPTH_MAX} levels"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

/// A literal of decimal digits, or of hexadecimal ones after `0x`.
fn number(text: &str) -> Option<Num> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => i128::from_str_radix(digits, 16).ok().map(Num::Int),
        None => Num::parse(text),
    }
}

fn unknown_function(written: &str) -> String {
    if AGGREGATES.iter().any(|aggregate| aggregate.eq_ignore_ascii_case(written)) {
        return format!("{} can stand only after SELECT", written.to_ascii_uppercase());
    }
    match function::nearest(written) {
        Some(nearest) => format!("unknown function `{written}`, did you mean {nearest}?"),
        None => format!("unknown function `{written}`"),
    }
}
