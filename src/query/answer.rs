//! What a query answers: whole twins, projections, aggregates over groups.

use super::eval;
use super::field::{FieldPath, Value};
use super::number::{Arithmetic, Num};
use crate::twin::{Json, JsonMap, Twin};
use std::cmp::Ordering;
use std::collections::HashMap;

/// What stands after SELECT.
#[derive(Debug, Clone)]
pub(super) enum Select {
    Everything,
    Items(Vec<Item>),
}

/// One column.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its key in the answer.
    pub(super) name: String,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Field(FieldPath),
    Count,
    Avg(FieldPath),
    Sum(FieldPath),
    Min(FieldPath),
    Max(FieldPath),
}

/// The columns of one twin; a column whose field is missing is left out.
pub(super) fn project(items: &[Item], twin: &Twin) -> Json {
    let mut row = JsonMap::new();
    for item in items {
        if let What::Field(path) = &item.what
            && let Some(json) = path.of(twin).to_json()
        {
            row.insert(item.name.clone(), json);
        }
    }
    Json::Object(row)
}

/// One row per group, groups in the order they are first seen. Without GROUP BY all twins are one group, and there is
/// a row even if there is no twin.
pub(super) fn aggregate<'a>(
    items: &[Item],
    group_by: &[FieldPath],
    twins: impl Iterator<Item = &'a Twin>,
    top: usize,
) -> Vec<Json> {
    let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut groups: Vec<Vec<Cell<'a>>> = Vec::new();
    let fresh = || items.iter().map(|_| Cell::default()).collect::<Vec<_>>();
    if group_by.is_empty() {
        places.insert(Vec::new(), 0);
        groups.push(fresh());
    }
    for twin in twins {
        let key: Vec<Key> = group_by.iter().map(|path| Key::of(&path.of(twin))).collect();
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(fresh());
            groups.len() - 1
        });
        for (cell, item) in groups[place].iter_mut().zip(items) {
            cell.add(&item.what, twin);
        }
    }
    groups.iter().take(top).map(|cells| row(items, cells)).collect()
}

fn row(items: &[Item], cells: &[Cell<'_>]) -> Json {
    let columns = items.iter().zip(cells);
    Json::Object(columns.filter_map(|(item, cell)| Some((item.name.clone(), cell.result(&item.what)?))).collect())
}

/// One column of one group while its twins pass by.
struct Cell<'a> {
    /// Twins, or for a field the numbers among its values.
    count: i128,
    /// `None` once it went beyond every finite number.
    sum: Option<Num>,
    /// The smallest or largest value, or the first of a grouped field.
    chosen: Value<'a>,
}

impl Default for Cell<'_> {
    fn default() -> Self {
        Self { count: 0, sum: Some(Num::Int(0)), chosen: Value::Missing }
    }
}

impl<'a> Cell<'a> {
    fn add(&mut self, what: &What, twin: &'a Twin) {
        match what {
            What::Count => self.count += 1,
            What::Field(path) => {
                if matches!(self.chosen, Value::Missing) {
                    self.chosen = path.of(twin);
                }
            }
            What::Avg(path) | What::Sum(path) => {
                if let Some(number) = path.of(twin).number() {
                    self.count += 1;
                    self.sum = self.sum.and_then(|sum| sum.apply(Arithmetic::Add, number));
                }
            }
            What::Min(path) => self.choose(path.of(twin), Ordering::Less),
            What::Max(path) => self.choose(path.of(twin), Ordering::Greater),
        }
    }

    /// Takes the value if it stands on the wanted side of the one chosen so far. What has no order with it is passed over.
    fn choose(&mut self, value: Value<'a>, wanted: Ordering) {
        let better = match self.chosen {
            Value::Missing => value.is_primitive() && !matches!(value, Value::Null),
            _ => eval::order(&value, &self.chosen) == Some(wanted),
        };
        if better {
            self.chosen = value;
        }
    }

    fn result(&self, what: &What) -> Option<Json> {
        match what {
            What::Count => Some(Num::Int(self.count).to_json()),
            What::Sum(_) => self.sum.map(Num::to_json),
            What::Avg(_) => self.sum?.apply(Arithmetic::Divide, Num::Int(self.count)).map(Num::to_json),
            What::Field(_) | What::Min(_) | What::Max(_) => self.chosen.to_json(),
        }
    }
}

/// A value as the key of a group: numbers by value, objects and arrays by their text.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Missing,
    Null,
    Bool(bool),
    Int(i128),
    Float(u64),
    Text(String),
    Document(String),
}

impl Key {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Missing => Self::Missing,
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::Array(_) | Value::Object(_) => Self::Document(value.to_json().unwrap_or_default().to_string()),
            Value::Number(_) | Value::Written(_) => match value.number().map(Num::canonical) {
                Some(Num::Int(int)) => Self::Int(int),
                Some(Num::Float(float)) => Self::Float(float.to_bits()),
                None => Self::Missing,
            },
        }
    }
}
