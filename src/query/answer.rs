//! What a query answers: whole twins, projections, aggregates over groups.

use super::field::{FieldPath, Value};
use super::number::{Arithmetic, Num};
use super::{Query, eval};
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

/// An aggregate while the twins pass by, one at a time: it keeps what the columns need and no twin. Groups stand in the
/// order they are first seen. Without GROUP BY all twins are one group, and there is a row even if there is no twin.
#[derive(Debug)]
pub struct Tally<'q> {
    query: &'q Query,
    items: &'q [Item],
    places: HashMap<Vec<Key>, usize>,
    groups: Vec<Vec<Cell>>,
}

impl<'q> Tally<'q> {
    pub(super) fn new(query: &'q Query, items: &'q [Item]) -> Self {
        let mut tally = Self { query, items, places: HashMap::new(), groups: Vec::new() };
        if query.group_by.is_empty() {
            tally.places.insert(Vec::new(), 0);
            tally.groups.push(tally.fresh());
        }
        tally
    }

    fn fresh(&self) -> Vec<Cell> {
        self.items.iter().map(|_| Cell::default()).collect()
    }

    /// Counts a twin, if it survives the WHERE clause.
    pub fn take(&mut self, twin: &Twin) {
        if !self.query.matches(twin) {
            return;
        }
        let key: Vec<Key> = self.query.group_by.iter().map(|path| Key::of(&path.of(twin))).collect();
        let fresh = self.groups.len();
        let place = *self.places.entry(key).or_insert(fresh);
        if place == fresh {
            self.groups.push(self.fresh());
        }
        for (cell, item) in self.groups[place].iter_mut().zip(self.items) {
            cell.add(&item.what, twin);
        }
    }

    /// The rows, at most `TOP` of them.
    #[must_use]
    pub fn finish(self) -> Vec<Json> {
        let top = self.query.top.unwrap_or(usize::MAX);
        self.groups.iter().take(top).map(|cells| row(self.items, cells)).collect()
    }
}

fn row(items: &[Item], cells: &[Cell]) -> Json {
    let columns = items.iter().zip(cells);
    Json::Object(columns.filter_map(|(item, cell)| Some((item.name.clone(), cell.result(&item.what)?))).collect())
}

/// One column of one group while its twins pass by.
#[derive(Debug)]
struct Cell {
    /// Twins, or for a field the numbers among its values.
    count: i128,
    /// `None` once it went beyond every finite number.
    sum: Option<Num>,
    /// The smallest or largest value, or the first of a grouped field.
    chosen: Option<Json>,
}

impl Default for Cell {
    fn default() -> Self {
        Self { count: 0, sum: Some(Num::Int(0)), chosen: None }
    }
}

impl Cell {
    fn add(&mut self, what: &What, twin: &Twin) {
        match what {
            What::Count => self.count += 1,
            What::Field(path) => {
                if self.chosen.is_none() {
                    self.chosen = path.of(twin).to_json();
                }
            }
            What::Avg(path) | What::Sum(path) => {
                if let Some(number) = path.of(twin).number() {
                    self.count += 1;
                    self.sum = self.sum.and_then(|sum| sum.apply(Arithmetic::Add, number));
                }
            }
            What::Min(path) => self.choose(&path.of(twin), Ordering::Less),
            What::Max(path) => self.choose(&path.of(twin), Ordering::Greater),
        }
    }

    /// Takes the value if it stands on the wanted side of the one chosen so far. What has no order with it is passed over.
    fn choose(&mut self, value: &Value<'_>, wanted: Ordering) {
        let better = match &self.chosen {
            None => value.is_primitive() && !matches!(value, Value::Null),
            Some(chosen) => eval::order(value, &Value::from(chosen)) == Some(wanted),
        };
        if better {
            self.chosen = value.to_json();
        }
    }

    fn result(&self, what: &What) -> Option<Json> {
        match what {
            What::Count => Some(Num::Int(self.count).to_json()),
            What::Sum(_) => self.sum.map(Num::to_json),
            What::Avg(_) => self.sum?.apply(Arithmetic::Divide, Num::Int(self.count)).map(Num::to_json),
            What::Field(_) | What::Min(_) | What::Max(_) => self.chosen.clone(),
        }
    }
}

/// A value as the key of a group: numbers by value, objects and arrays by their text.
#[derive(Debug, PartialEq, Eq, Hash)]
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
