//! Conditions: their tree, and whether a twin or a row of a job meets them.
//!
//! Two-valued: a comparison with something missing is false, `!=` and `NOT IN` included, and NOT of it is true.

use super::field::{FieldPath, Fields, Value};
use super::function::{self, Function, Gives};
use super::number::{Arithmetic, Num};
use std::cmp::Ordering;

/// A condition or a value. Chains (`a AND b AND c`, `1 + 2 + 3`) are one node each, so that only brackets nest.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Null,
    /// The constant `undefined`: a value that is not there.
    Undefined,
    Bool(bool),
    Number(Num),
    Text(String),
    Field(FieldPath),
    Negate(Box<Expr>),
    Arithmetic(Box<Expr>, Vec<(Arithmetic, Expr)>),
    Call(Function, Gives, Vec<Expr>),
    Compare(Comparison, Box<(Expr, Expr)>),
    In {
        value: Box<Expr>,
        list: List,
        member: Membership,
    },
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    In,
    NotIn,
}

/// What follows IN.
#[derive(Debug, Clone)]
pub(super) enum List {
    Items(Vec<Expr>),
    /// An array of the twin.
    Array(FieldPath),
}

impl Expr {
    /// Whether it is true or false by its form, rather than a value.
    pub(super) fn is_condition(&self) -> bool {
        match self {
            Self::Call(_, gives, _) => *gives == Gives::Condition,
            Self::Compare(..) | Self::In { .. } | Self::Not(_) | Self::And(_) | Self::Or(_) => true,
            _ => false,
        }
    }

    pub(super) fn holds(&self, row: &impl Fields) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(row)),
            Self::Or(any) => any.iter().any(|one| one.holds(row)),
            Self::Not(inner) => !inner.holds(row),
            Self::Compare(comparison, sides) => compare(*comparison, &sides.0.value(row), &sides.1.value(row)),
            Self::In { value, list, member } => is_member(&value.value(row), list, *member, row),
            _ => matches!(self.value(row), Value::Bool(true)),
        }
    }

    fn value<'a>(&'a self, row: &'a impl Fields) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Undefined => Value::Missing,
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Number(num) => Value::Number(*num),
            Self::Text(text) => Value::text(text),
            Self::Field(path) => path.of(row),
            Self::Negate(inner) => inner.value(row).number().map_or(Value::Missing, |num| Value::Number(num.negate())),
            Self::Arithmetic(first, rest) => {
                let step = |left: Num, (op, right): &(Arithmetic, Self)| left.apply(*op, right.value(row).number()?);
                let result = first.value(row).number().and_then(|first| rest.iter().try_fold(first, step));
                result.map_or(Value::Missing, Value::Number)
            }
            Self::Call(function, _, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(|argument| argument.value(row)).collect();
                function::call(*function, &arguments)
            }
            _ => Value::Bool(self.holds(row)),
        }
    }
}

fn is_member(value: &Value<'_>, list: &List, member: Membership, row: &impl Fields) -> bool {
    if matches!(value, Value::Missing) {
        return false;
    }
    let found = match list {
        List::Items(items) => items.iter().any(|item| compare(Comparison::Equal, value, &item.value(row))),
        List::Array(path) => match path.of(row) {
            Value::Array(items) => items.iter().any(|item| compare(Comparison::Equal, value, &Value::from(item))),
            _ => return false,
        },
    };
    found == (member == Membership::In)
}

/// Values of different types are not equal and have no order. Objects and arrays compare with `null` alone.
fn compare(comparison: Comparison, left: &Value<'_>, right: &Value<'_>) -> bool {
    if matches!(left, Value::Missing) || matches!(right, Value::Missing) {
        return false;
    }
    let order = order(left, right);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => {
            let primitives = left.is_primitive() && right.is_primitive();
            let with_null = matches!(left, Value::Null) || matches!(right, Value::Null);
            order != Some(Ordering::Equal) && (primitives || with_null)
        }
        Comparison::Less => order.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::Greater => order.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

/// Numbers by value, texts by their bytes, false before true; `None` where there is no order.
pub(super) fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => left.number()?.order(right.number()?),
    }
}
