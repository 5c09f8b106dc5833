//! What the rows of a data file mean: the registry, the policies, the fleet, and what is kept beside identities. A row that means
//! nothing is named and left out; the others stand for themselves.

use super::read::{Contents, Form, Rows};
use super::seal::Table;
use super::{Damage, Keys};
use crate::local_hub::FleetChoice;
use crate::local_hub::policies::Policies;
use crate::local_hub::random::MINT;
use crate::local_hub::registry::{Kept, Record, Registry, Synthetic};
use crate::twin::{Json, TwinId};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What was kept beside identities, by key.
pub type Items = BTreeMap<String, Vec<u8>>;

/// What a hub needs to go on where it was.
pub struct Loaded {
    /// What it was founded with.
    pub fleet: FleetChoice,
    pub policies: Policies,
    pub registry: Registry,
    pub items: Items,
    /// The file was damaged; it was set aside, and this is what was left.
    pub damage: Option<Damage>,
}

/// A hub that is to begin.
pub struct Founding {
    pub fleet: FleetChoice,
    pub policies: Policies,
    pub registry: Registry,
}

/// Rows and what they mean.
pub struct Understood {
    pub contents: Contents,
    /// Names of rows that are altered or mean nothing, for people.
    pub lost: Vec<String>,
    /// Rows that mean something.
    pub recovered: usize,
    fleet: Option<FleetChoice>,
    policies: Option<Policies>,
    registry: Registry,
}

impl Founding {
    pub fn contents(&self) -> Contents {
        let Self { fleet, policies, registry } = self;
        let mut contents = Contents { hub: hub_rows(*fleet, policies, registry.synthetic()), ..Contents::default() };
        for id in registry.all_kept() {
            if let Kept::Record(bytes) = registry.kept(&id) {
                contents.identities.insert(id.to_string(), bytes);
            }
        }
        contents
    }
}

impl From<Founding> for Loaded {
    fn from(founding: Founding) -> Self {
        let Founding { fleet, policies, registry } = founding;
        Self { fleet, policies, registry, items: Items::new(), damage: None }
    }
}

impl Understood {
    /// What is missing comes from `fresh`, which is a whole new hub if nothing is there.
    pub fn into_loaded(self, fresh: impl FnOnce() -> Founding) -> (Loaded, Keys) {
        let Self { contents, recovered, fleet, policies, registry, .. } = self;
        if let (Some(fleet), Some(policies)) = (fleet, policies.clone()) {
            return (Loaded { fleet, policies, registry, items: contents.items, damage: None }, Keys::Kept);
        }
        let founding = fresh();
        if recovered == 0 {
            return (founding.into(), Keys::New);
        }
        let keys = if policies.is_some() { Keys::Kept } else { Keys::New };
        let (fleet, policies) = (fleet.unwrap_or(FleetChoice::Empty), policies.unwrap_or(founding.policies));
        (Loaded { fleet, policies, registry, items: contents.items, damage: None }, keys)
    }

    /// The same, with the rows of a new file for it.
    pub fn into_loaded_with_contents(mut self, fresh: impl FnOnce() -> Founding) -> (Loaded, Keys, Contents) {
        let identities = std::mem::take(&mut self.contents.identities);
        let nothing = self.recovered == 0;
        let (loaded, keys) = self.into_loaded(fresh);
        let Loaded { fleet, policies, registry, items, .. } = &loaded;
        let mut contents = Contents { hub: hub_rows(*fleet, policies, registry.synthetic()), ..Contents::default() };
        contents.items.clone_from(items);
        if nothing {
            for id in registry.all_kept() {
                if let Kept::Record(bytes) = registry.kept(&id) {
                    contents.identities.insert(id.to_string(), bytes);
                }
            }
        } else {
            contents.identities = identities;
        }
        (loaded, keys, contents)
    }
}

fn hub_rows(fleet: FleetChoice, policies: &Policies, synthetic: &Synthetic) -> Rows {
    let synthetic = serde_json::json!({
        "count": synthetic.count,
        "seed": synthetic.seed.to_vec(),
        "created": synthetic.created_s,
    });
    let rows = [
        ("fleet", fleet_word(fleet).to_owned()),
        ("policies", policies.to_json().to_string()),
        ("synthetic", synthetic.to_string()),
    ];
    rows.into_iter().map(|(key, text)| (key.to_owned(), text.into_bytes())).collect()
}

/// Reads the rows; `altered` are the keys of rows that are known to be damaged. Rows that mean nothing are taken out.
pub fn understand(mut contents: Contents, altered: &BTreeSet<(Table, String)>) -> Understood {
    let mut lost: BTreeSet<String> = altered.iter().map(|(table, key)| name(*table, key)).collect();
    let json = |key: &str| contents.hub.get(key).and_then(|value| serde_json::from_slice::<Json>(value).ok());
    let policies = json("policies").and_then(|value| Policies::from_json(&value));
    let synthetic = json("synthetic").and_then(|value| synthetic(&value));
    let count = synthetic.as_ref().map_or(0, |synthetic| synthetic.count);
    let choices = [FleetChoice::Demo, FleetChoice::Empty, FleetChoice::Synthetic(count)];
    let word = contents.hub.get("fleet");
    let fleet = choices.into_iter().find(|choice| word.is_some_and(|word| fleet_word(*choice).as_bytes() == word));
    for (key, is_there) in
        [("policies", policies.is_some()), ("fleet", fleet.is_some()), ("synthetic", synthetic.is_some())]
    {
        if !is_there {
            lost.insert(name(Table::Hub, key));
        }
    }
    let mut recovered = usize::from(policies.is_some()) + usize::from(synthetic.is_some()) + contents.items.len();
    let mut registry = Registry::new(synthetic.unwrap_or_else(Synthetic::none), MINT);
    let mut modules = Vec::new();
    contents.identities.retain(|key, value| {
        let Ok(id) = key.parse::<TwinId>() else {
            lost.insert(key.clone());
            return false;
        };
        if value.is_empty() {
            registry.restore_gone(&id.device);
            return true;
        }
        match Record::from_bytes(value) {
            // A device's record may come after those of its modules: `+` sorts before `/`.
            Ok(record) if id.module.is_some() => modules.push((id, record)),
            Ok(record) => {
                recovered += 1;
                registry.restore(&id, record);
            }
            Err(error) => {
                tracing::warn!(%id, error, "a record cannot be understood and is left out");
                lost.insert(key.clone());
                return false;
            }
        }
        true
    });
    for (id, record) in modules {
        if registry.restore(&id, record) {
            recovered += 1;
        } else {
            contents.identities.remove(&id.to_string());
            lost.insert(format!("{id} (its device is not there)"));
        }
    }
    if contents.form == Form::Plain && recovered == 0 {
        contents.items.clear();
    }
    Understood { contents, lost: lost.into_iter().collect(), recovered, fleet, policies, registry }
}

/// What a row is for, in words.
fn name(table: Table, key: &str) -> String {
    match (table, key) {
        (Table::Identities, id) => id.to_owned(),
        (Table::Hub, "policies") => "the keys of the policies".to_owned(),
        (Table::Hub, "fleet") => "what it was founded with".to_owned(),
        (Table::Hub, "synthetic") => "the synthetic fleet".to_owned(),
        (Table::Hub, _) => "its head".to_owned(),
        (Table::Items, _) => {
            let (kind, rest) = key.split_once('/').unwrap_or((key, ""));
            match kind {
                "session" => format!("the MQTT session of {rest}"),
                "message" => format!("a message to {}", rest.rsplit_once('/').map_or(rest, |(device, _)| device)),
                "feedback" => "feedback about a message".to_owned(),
                "job" => format!("job {rest}"),
                _ => key.to_owned(),
            }
        }
    }
}

/// How the file says which fleet it was founded with; the size of a synthetic one stands beside its seed.
fn fleet_word(fleet: FleetChoice) -> &'static str {
    match fleet {
        FleetChoice::Demo => "demo",
        FleetChoice::Empty => "empty",
        FleetChoice::Synthetic(_) => "synthetic",
    }
}

fn synthetic(value: &Json) -> Option<Synthetic> {
    let seed: Vec<u8> = serde_json::from_value(value.get("seed")?.clone()).ok()?;
    Some(Synthetic {
        count: u32::try_from(value.get("count")?.as_u64()?).ok()?,
        seed: seed.try_into().ok()?,
        created_s: value.get("created")?.as_u64()?,
        gone: HashSet::new(),
    })
}
