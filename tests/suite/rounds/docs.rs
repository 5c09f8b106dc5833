//! Both sections of a twin that people edit, taken apart into the values at their places.

use std::collections::{BTreeMap, BTreeSet};
use twinscope::twin::draft::Draft;
use twinscope::twin::patch::Write;
use twinscope::twin::{Json, JsonMap, Path, Section, Segment, Twin, patch};

/// A place that holds a value which is no object. Objects without any value in them do not count.
pub type Leaf = (Section, Vec<String>);
/// What stands at places; `None` where nothing does.
pub type Leaves = BTreeMap<Leaf, Option<String>>;
const EDITABLE: [Section; 2] = [Section::Desired, Section::Tags];

/// Both sections that people edit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Docs {
    pub desired: JsonMap,
    pub tags: JsonMap,
}

impl Docs {
    pub fn of(twin: &Twin) -> Self {
        Self { desired: twin.desired.values.clone(), tags: twin.tags.clone() }
    }

    /// `None` while one of the texts does not parse.
    pub fn typed(draft: &Draft) -> Option<Self> {
        let document = |section| draft.section(section).parsed.document.clone();
        Some(Self { desired: document(Section::Desired)?, tags: document(Section::Tags)? })
    }

    pub fn section(&self, section: Section) -> &JsonMap {
        if section == Section::Tags { &self.tags } else { &self.desired }
    }

    pub fn section_mut(&mut self, section: Section) -> &mut JsonMap {
        if section == Section::Tags { &mut self.tags } else { &mut self.desired }
    }

    pub fn leaves(&self) -> BTreeMap<Leaf, String> {
        let mut leaves = BTreeMap::new();
        for section in EDITABLE {
            for (key, value) in self.section(section) {
                collect(section, &mut vec![key.clone()], value, &mut leaves);
            }
        }
        leaves
    }

    /// Whether anything stands at a place, an object without values included.
    pub fn has(&self, section: Section, path: &[String]) -> bool {
        let (first, rest) = path.split_first().unwrap();
        let value = self.section(section).get(first);
        rest.iter().fold(value, |value, key| value?.get(key)).is_some()
    }

    /// What a body makes of it.
    pub fn written(&self, body: &JsonMap, write: Write) -> Self {
        let mut docs = match write {
            Write::Patch => self.clone(),
            Write::Replace => Self::default(),
        };
        let desired = body.get("properties").and_then(|properties| properties.get("desired"));
        for (section, change) in [(Section::Desired, desired), (Section::Tags, body.get("tags"))] {
            if let Some(Json::Object(change)) = change {
                patch::apply(docs.section_mut(section), change);
            }
        }
        docs
    }
}

fn collect(section: Section, path: &mut Vec<String>, value: &Json, leaves: &mut BTreeMap<Leaf, String>) {
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                collect(section, path, value, leaves);
                path.pop();
            }
        }
        other => {
            leaves.insert((section, path.clone()), other.as_str().map_or_else(|| other.to_string(), str::to_owned));
        }
    }
}

pub fn keys(path: &Path) -> Vec<String> {
    let key = |segment: &Segment| match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => panic!("no arrays here: {index}"),
    };
    path.0.iter().map(key).collect()
}

pub fn under(section: Section, path: &Path, value: Option<&Json>) -> BTreeMap<Leaf, String> {
    let mut leaves = BTreeMap::new();
    if let Some(value) = value {
        collect(section, &mut keys(path), value, &mut leaves);
    }
    leaves
}

/// Where two states differ, with what stood there in the first.
pub fn differing(before: &BTreeMap<Leaf, String>, after: &BTreeMap<Leaf, String>) -> Vec<Leaf> {
    let places: BTreeSet<&Leaf> = before.keys().chain(after.keys()).collect();
    places.into_iter().filter(|leaf| before.get(*leaf) != after.get(*leaf)).cloned().collect()
}
