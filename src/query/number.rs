//! Numbers of the query language: integers exact to 128 bits, everything else as `f64`.

use crate::twin::Json;
use std::cmp::Ordering;

/// A number by value. How a twin spelled it is kept elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) enum Num {
    Int(i128),
    Float(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// 2^127: the first number above every `i128`.
const INT_END: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

impl Num {
    /// Reads a decimal number in JSON's spelling (leading zeros and a plus sign are let through). `None` for anything
    /// else, the words `inf` and `nan` included.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
            return None;
        }
        text.parse().map(Self::Int).or_else(|_| text.parse().map(Self::Float)).ok()
    }

    /// The order by value; `None` only beside a number that is none.
    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => order_mixed(a, b),
            (Self::Float(a), Self::Int(b)) => order_mixed(b, a).map(Ordering::reverse),
        }
    }

    /// `None` for a division by zero and for results beyond every finite number.
    pub(super) fn apply(self, op: Arithmetic, other: Self) -> Option<Self> {
        if let (Self::Int(a), Self::Int(b)) = (self, other) {
            let exact = match op {
                Arithmetic::Add => a.checked_add(b),
                Arithmetic::Subtract => a.checked_sub(b),
                Arithmetic::Multiply => a.checked_mul(b),
                Arithmetic::Divide => (a.checked_rem(b) == Some(0)).then(|| a.checked_div(b)).flatten(),
                Arithmetic::Remainder => a.checked_rem(b),
            };
            if let Some(exact) = exact {
                return Some(Self::Int(exact));
            }
        }
        let (a, b) = (self.as_f64(), other.as_f64());
        let result = match op {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
            Arithmetic::Remainder => a % b,
        };
        result.is_finite().then_some(Self::Float(result))
    }

    pub(super) fn negate(self) -> Self {
        match self {
            Self::Int(int) => int.checked_neg().map_or(Self::Float(INT_END), Self::Int),
            Self::Float(float) => Self::Float(-float),
        }
    }

    /// The same value in one form only, so that `1` and `1.0` are one key of a group.
    pub(super) fn canonical(self) -> Self {
        match self {
            Self::Float(float) if float.fract() == 0.0 && float.abs() < INT_END => Self::Int(truncate(float)),
            other => other,
        }
    }

    /// Rounds by `round` what is not whole already.
    pub(super) fn round_by(self, round: fn(f64) -> f64) -> Self {
        match self {
            Self::Int(_) => self,
            Self::Float(float) => Self::Float(round(float)).canonical(),
        }
    }

    // An integer beyond 2^53 is rounded here on purpose: whoever asks wants the nearest f64.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// For positions and lengths: a whole number that is not negative.
    pub(super) fn as_usize(self) -> Option<usize> {
        match self.canonical() {
            Self::Int(int) => usize::try_from(int).ok(),
            Self::Float(_) => None,
        }
    }

    /// `null` for what JSON cannot say.
    pub(super) fn to_json(self) -> Json {
        match self {
            Self::Int(int) => serde_json::Number::from_i128(int).map_or(Json::Null, Json::Number),
            Self::Float(float) => serde_json::Number::from_f64(float).map_or(Json::Null, Json::Number),
        }
    }
}

fn order_mixed(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= INT_END {
        return Some(Ordering::Less);
    }
    if float < -INT_END {
        return Some(Ordering::Greater);
    }
    let floor = float.floor();
    let rest = if float > floor { Ordering::Less } else { Ordering::Equal };
    Some(int.cmp(&truncate(floor)).then(rest))
}

// Every caller has checked that the float is whole and within i128.
#[allow(clippy::cast_possible_truncation)]
fn truncate(float: f64) -> i128 {
    float as i128
}
