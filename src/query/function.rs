//! The functions of the query language, by name.

use super::field::Value;
use super::number::Num;
use std::borrow::Cow;
use std::cmp::Ordering;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith,
    EndsWith,
    Contains,
    ArrayContains,
    IsOfModel,
    HasInterface,
    IsDefined,
    IsString,
    IsNumber,
    IsBool,
    IsNull,
    IsObject,
    IsArray,
    IsPrimitive,
    AsNumber,
    Length,
    Lower,
    Upper,
    Substring,
    Concat,
    IndexOf,
    Abs,
    Ceiling,
    Floor,
    Sign,
    Sqrt,
    Square,
    Power,
    Exp,
}

/// Whether a call can stand where a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Condition,
    Value,
}

/// A function's name and what it takes.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    /// The name with its open bracket, to be put into a text.
    pub(super) call: &'static str,
    pub(super) function: Function,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) gives: Gives,
}

const fn condition(call: &'static str, function: Function, count: usize) -> Signature {
    Signature {
        name: call.split_at(call.len() - 1).0,
        call,
        function,
        least: count,
        most: count,
        gives: Gives::Condition,
    }
}

/// With an argument that may be left out.
const fn optional(call: &'static str, function: Function, most: usize) -> Signature {
    Signature { least: most - 1, ..condition(call, function, most) }
}

const fn value(call: &'static str, function: Function, least: usize, most: usize) -> Signature {
    Signature { name: call.split_at(call.len() - 1).0, call, function, least, most, gives: Gives::Value }
}

/// In the order they are offered. `ARRAY_CONTAINS` and `IS_OF_MODEL` are described for Azure Digital Twins, whose query language is of
/// the same family; the `az iot` extension asks a hub for children by `array_contains(parentScopes, …)`. `HAS_INTERFACE` and
/// `HAS_CAPABILITYMODEL` are of the IoT Plug and Play preview (articles/iot-pnp/howto-develop-solution). The two spellings of `STARTSWITH` and `ENDSWITH` are both in the hub's documentation.
pub(super) const FUNCTIONS: &[Signature] = &[
    condition("STARTSWITH(", Function::StartsWith, 2),
    condition("STARTS_WITH(", Function::StartsWith, 2),
    condition("ENDSWITH(", Function::EndsWith, 2),
    condition("ENDS_WITH(", Function::EndsWith, 2),
    condition("CONTAINS(", Function::Contains, 2),
    condition("ARRAY_CONTAINS(", Function::ArrayContains, 2),
    optional("IS_OF_MODEL(", Function::IsOfModel, 2),
    optional("HAS_INTERFACE(", Function::HasInterface, 2),
    optional("HAS_CAPABILITYMODEL(", Function::HasInterface, 2),
    condition("IS_DEFINED(", Function::IsDefined, 1),
    condition("IS_STRING(", Function::IsString, 1),
    condition("IS_NUMBER(", Function::IsNumber, 1),
    condition("IS_BOOL(", Function::IsBool, 1),
    condition("IS_NULL(", Function::IsNull, 1),
    condition("IS_OBJECT(", Function::IsObject, 1),
    condition("IS_ARRAY(", Function::IsArray, 1),
    condition("IS_PRIMITIVE(", Function::IsPrimitive, 1),
    value("AS_NUMBER(", Function::AsNumber, 1, 1),
    value("LENGTH(", Function::Length, 1, 1),
    value("LOWER(", Function::Lower, 1, 1),
    value("UPPER(", Function::Upper, 1, 1),
    value("SUBSTRING(", Function::Substring, 2, 3),
    value("CONCAT(", Function::Concat, 2, 64),
    value("INDEX_OF(", Function::IndexOf, 2, 2),
    value("ABS(", Function::Abs, 1, 1),
    value("CEILING(", Function::Ceiling, 1, 1),
    value("FLOOR(", Function::Floor, 1, 1),
    value("SIGN(", Function::Sign, 1, 1),
    value("SQRT(", Function::Sqrt, 1, 1),
    value("SQUARE(", Function::Square, 1, 1),
    value("POWER(", Function::Power, 2, 2),
    value("EXP(", Function::Exp, 1, 1),
];

pub(super) fn find(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|signature| signature.name.eq_ignore_ascii_case(name))
}

/// The function somebody probably meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let names = FUNCTIONS.iter().map(|signature| signature.name).chain(["COUNT", "AVG", "SUM", "MIN", "MAX"]);
    nearest_of(name, names)
}

/// The one of the names that is spelt nearly like this, in any case.
pub(super) fn nearest_of<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_ascii_uppercase();
    let (distance, nearest) = names
        .map(|known| (distance(&name, &known.to_ascii_uppercase()), known))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 3 && distance < name.chars().count()).then_some(nearest)
}

/// How many letters must be put in, left out or changed to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in b.iter().enumerate() {
            let change = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Calls a function with as many arguments as its signature says. A condition about something missing or of the wrong
/// type is false; any other function then gives [`Value::Missing`].
pub(super) fn call<'a>(function: Function, arguments: &[Value<'a>]) -> Value<'a> {
    let first = arguments.first().unwrap_or(&Value::Missing);
    match function {
        Function::StartsWith => two_texts(arguments, |text, part| text.starts_with(part)),
        Function::EndsWith => two_texts(arguments, |text, part| text.ends_with(part)),
        Function::Contains => two_texts(arguments, |text, part| text.contains(part)),
        Function::ArrayContains => match arguments {
            [Value::Array(items), wanted] => Value::Bool(
                items.iter().any(|item| super::eval::order(&Value::from(item), wanted) == Some(Ordering::Equal)),
            ),
            _ => Value::Bool(false),
        },
        Function::IsOfModel => Value::Bool(is_of_model(arguments)),
        Function::HasInterface => Value::Bool(has_interface(arguments)),
        Function::IsDefined => Value::Bool(!matches!(first, Value::Missing)),
        Function::IsString => Value::Bool(matches!(first, Value::Text(_))),
        Function::IsNumber => Value::Bool(matches!(first, Value::Number(_) | Value::Written(_))),
        Function::IsBool => Value::Bool(matches!(first, Value::Bool(_))),
        Function::IsNull => Value::Bool(matches!(first, Value::Null)),
        Function::IsObject => Value::Bool(matches!(first, Value::Object(_))),
        Function::IsArray => Value::Bool(matches!(first, Value::Array(_))),
        Function::IsPrimitive => Value::Bool(first.is_primitive()),
        Function::Length | Function::Lower | Function::Upper | Function::Substring => {
            let Value::Text(text) = first else { return Value::Missing };
            of_text(function, text, &arguments[1..])
        }
        Function::Concat => concat(arguments),
        Function::IndexOf => index_of(arguments),
        Function::AsNumber => {
            let number = match first {
                Value::Text(text) => Num::parse(text.trim()),
                other => other.number(),
            };
            number.map_or(Value::Missing, Value::Number)
        }
        _ => of_number(function, arguments).map_or(Value::Missing, Value::Number),
    }
}

/// The announced model, the one asked for, and `true` for `exact`. What a model extends stands in the model itself, which the hub
/// does not have. A model counts in the version asked for or a later one: this hub.s choice.
fn is_of_model(arguments: &[Value<'_>]) -> bool {
    let [Value::Text(model), Value::Text(wanted), exact @ ..] = arguments else { return false };
    if matches!(exact, [Value::Bool(true)]) {
        return model == wanted;
    }
    match (model.rsplit_once(';'), wanted.rsplit_once(';')) {
        (Some((name, version)), Some((of, least))) => {
            let versions = Num::parse(version).zip(Num::parse(least));
            name == of && versions.and_then(|(version, least)| version.order(least)).is_some_and(Ordering::is_ge)
        }
        _ => model == wanted,
    }
}

/// The announced model, an id without its version, and the version if it matters.
fn has_interface(arguments: &[Value<'_>]) -> bool {
    let [Value::Text(model), Value::Text(wanted), version @ ..] = arguments else { return false };
    let (name, number) = model.rsplit_once(';').map_or((model.as_ref(), ""), |(name, number)| (name, number));
    let same = name == wanted.as_ref() || model == wanted;
    match version {
        [] => same,
        [version, ..] => {
            let version = match version {
                Value::Text(text) => Num::parse(text.trim()),
                other => other.number(),
            };
            let order = version.zip(Num::parse(number)).and_then(|(version, number)| version.order(number));
            same && order == Some(Ordering::Equal)
        }
    }
}

fn two_texts<'a>(arguments: &[Value<'a>], holds: fn(&str, &str) -> bool) -> Value<'a> {
    match arguments {
        [Value::Text(text), Value::Text(part)] => Value::Bool(holds(text, part)),
        _ => Value::Bool(false),
    }
}

fn count<'a>(count: usize) -> Value<'a> {
    i128::try_from(count).map_or(Value::Missing, |count| Value::Number(Num::Int(count)))
}

/// Positions and lengths count characters; the first is 0.
fn of_text<'a>(function: Function, text: &str, rest: &[Value<'a>]) -> Value<'a> {
    match function {
        Function::Length => count(text.chars().count()),
        Function::Lower => Value::Text(Cow::Owned(text.to_lowercase())),
        Function::Upper => Value::Text(Cow::Owned(text.to_uppercase())),
        _ => {
            let position = |n: usize| rest.get(n).map(|value| value.number().and_then(Num::as_usize));
            match (position(0), position(1)) {
                (Some(Some(start)), None) => Value::Text(Cow::Owned(text.chars().skip(start).collect())),
                (Some(Some(start)), Some(Some(length))) => {
                    Value::Text(Cow::Owned(text.chars().skip(start).take(length).collect()))
                }
                _ => Value::Missing,
            }
        }
    }
}

fn concat<'a>(arguments: &[Value<'a>]) -> Value<'a> {
    let mut whole = String::new();
    for argument in arguments {
        let Value::Text(text) = argument else { return Value::Missing };
        whole.push_str(text);
    }
    Value::Text(Cow::Owned(whole))
}

/// The first place of the part, -1 if it is nowhere.
fn index_of<'a>(arguments: &[Value<'a>]) -> Value<'a> {
    match arguments {
        [Value::Text(text), Value::Text(part)] => match text.find(part.as_ref()) {
            Some(at) => count(text[..at].chars().count()),
            None => Value::Number(Num::Int(-1)),
        },
        _ => Value::Missing,
    }
}

fn of_number(function: Function, arguments: &[Value<'_>]) -> Option<Num> {
    let number = arguments.first()?.number()?;
    let zero = Num::Int(0);
    let finite = |float: f64| float.is_finite().then_some(Num::Float(float));
    match function {
        Function::Abs => Some(if number.order(zero)?.is_lt() { number.negate() } else { number }),
        Function::Ceiling => Some(number.round_by(f64::ceil)),
        Function::Floor => Some(number.round_by(f64::floor)),
        Function::Sign => Some(Num::Int(match number.order(zero)? {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })),
        Function::Sqrt => finite(number.as_f64().sqrt()),
        Function::Square => number.apply(super::number::Arithmetic::Multiply, number),
        Function::Power => finite(number.as_f64().powf(arguments.get(1)?.number()?.as_f64())),
        Function::Exp => finite(number.as_f64().exp()),
        _ => None,
    }
}
