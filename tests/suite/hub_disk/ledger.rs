//! A hub without sockets on a real data file, and what it has to have: everything acknowledged, as it was last.

use super::flaky::Disk;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::commit::Committer;
use twinscope::local_hub::events::Log;
use twinscope::local_hub::hub::{Hub, Parts, Refused};
use twinscope::local_hub::mqtt::Sessions;
use twinscope::local_hub::policies::Policies;
use twinscope::local_hub::registry::{Change, Mode, Registry};
use twinscope::local_hub::store::{Certainty, Damage, Founding, Store};
use twinscope::local_hub::x509::Authorities;
use twinscope::local_hub::{FleetChoice, Tuning, fleet};
use twinscope::protocol::identity::IdentityRequest;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Json, TwinId, wire};

/// A hub on the file in a folder, as after a start, and what was found wrong with the file.
pub fn open(dir: &Path, disk: &Disk) -> Result<(Hub, Option<Damage>), String> {
    let fresh = || Founding {
        fleet: FleetChoice::Empty,
        policies: Policies::new(),
        registry: fleet::fresh(FleetChoice::Empty, &Moment::now()),
    };
    let (store, loaded) = Store::open(dir, &disk.layer(), fresh)?;
    let (sessions, events) = (Arc::new(Sessions::default()), Arc::new(Log::default()));
    let committer = Committer::start(Some(store), sessions.clone(), events.clone()).unwrap();
    let hub = Hub::new(Parts {
        registry: loaded.registry,
        policies: loaded.policies,
        committer,
        sessions,
        events,
        tuning: Tuning::default(),
        items: loaded.items,
        authorities: Authorities::default(),
    });
    Ok((hub, loaded.damage))
}

/// What a hub shows of all its identities: id to twin, without what moves unkept.
pub fn shown(hub: &Hub) -> BTreeMap<String, Json> {
    hub.read(all)
}

fn all(registry: &Registry) -> BTreeMap<String, Json> {
    let twins = registry.all_kept().into_iter().map(|id| {
        let mut twin = wire::to_json(&registry.twin(&id).unwrap());
        twin["lastActivityTime"] = Json::Null;
        let key = registry.record(&id).unwrap().authentication.primary_key.clone();
        twin["key"] = key.map_or(Json::Null, |key| Json::from(key.reveal()));
        (id.to_string(), twin)
    });
    twins.collect()
}

/// The ids that two hubs show differently, with what tells the two.
fn differ(shown: &BTreeMap<String, Json>, known: &BTreeMap<String, Json>) -> Vec<String> {
    let ids: BTreeSet<&String> = shown.keys().chain(known.keys()).collect();
    let brief = |twin: Option<&Json>| twin.map(|twin| (twin["etag"].to_string(), twin["version"].as_u64()));
    let differing = ids.into_iter().filter(|id| shown.get(*id) != known.get(*id));
    differing.map(|id| format!("{id}: {:?}, known {:?}", brief(shown.get(id)), brief(known.get(id)))).collect()
}

/// What was acknowledged, and what was ever written.
#[derive(Default)]
pub struct Ledger {
    pub known: BTreeMap<String, Json>,
    /// Every state an identity was ever in, also those that were not acknowledged.
    history: BTreeSet<String>,
    /// What refused changes would have made of it, since the last that was acknowledged. A disk that fails at the very end of a
    /// commit may have all of it, which nobody can know before the next start.
    in_doubt: Vec<BTreeMap<String, Json>>,
}

impl Ledger {
    /// Makes a change and takes down what became of it. A change that is refused must leave everything as it was.
    pub async fn change(&mut self, hub: &Hub, n: usize) -> Result<(), Refused> {
        let mut after = BTreeMap::new();
        let changed = hub.write(|registry, now| {
            let change = change(registry, n, now)?;
            // What it is, should it be in the file though it was refused.
            after = all(registry);
            Ok(((), change))
        });
        let changed = changed.await;
        self.history.extend(after.values().map(Json::to_string));
        match changed {
            Ok(()) => {
                self.in_doubt.clear();
                self.known = shown(hub);
                Ok(())
            }
            Err(refused) => {
                if !after.is_empty() {
                    self.in_doubt.push(after);
                }
                assert_eq!(differ(&shown(hub), &self.known), Vec::<String>::new(), "what was refused is not served");
                Err(refused)
            }
        }
    }

    /// Compares a hub that was opened again with what was acknowledged.
    pub fn check(&mut self, hub: &Hub, damage: Option<&Damage>) {
        let shown = shown(hub);
        let in_doubt = std::mem::take(&mut self.in_doubt);
        if let Some(as_refused) = in_doubt.into_iter().find(|state| *state == shown) {
            self.known = as_refused;
        }
        let Some(damage) = damage else {
            assert_eq!(differ(&shown, &self.known), Vec::<String>::new(), "no word of damage");
            return;
        };
        assert!(damage.aside.exists(), "{damage}");
        for (id, twin) in &shown {
            let is_last = self.known.get(id) == Some(twin);
            let was_once = self.history.contains(&twin.to_string());
            assert!(
                is_last || (was_once && damage.certainty == Certainty::MayBeOld) || lacks(damage),
                "{id}: {damage}"
            );
            assert!(was_once, "{id} was never like that: {twin}");
        }
        for id in self.known.keys().filter(|id| !shown.contains_key(*id)) {
            let named = damage.lost.iter().any(|lost| lost == id || lost.starts_with(&format!("{id} (")));
            let unsure = damage.certainty != Certainty::Sure || damage.recovered == 0 || lacks(damage);
            assert!(named || unsure, "{id} is missing, and nobody says so: {damage}");
        }
        self.known = shown;
    }
}

/// Whether the file was found to be of an earlier commit.
fn lacks(damage: &Damage) -> bool {
    damage.reason.contains("it lacks the last")
}

/// One of several kinds of change, on one of a few ids.
fn change(registry: &mut Registry, n: usize, now: &Moment) -> Result<Change, Refused> {
    let device = TwinId::device(format!("d{}", n % 5));
    let id = if n.is_multiple_of(3) { TwinId::module(&device.device, "m") } else { device.clone() };
    let mut all = Change::default();
    let mut add = |change: Change| {
        all.writes.extend(change.writes);
        all.notices.extend(change.notices);
    };
    for id in [&device, &id] {
        if registry.record(id).is_none() {
            add(registry.put_identity(&IdentityRequest::new(id.clone()), &IfMatch::Absent, now)?);
        }
    }
    let size = if n.is_multiple_of(4) { 3000 } else { 20 };
    let body = serde_json::json!({"tags": {"n": n}, "properties": {"desired": {"text": "x".repeat(size), "n": n}}});
    match n % 7 {
        5 => add(registry.delete_identity(&id, &IfMatch::Any, now)?),
        6 => {
            let (_, change) = registry.report(&id, format!("{{\"r\":{n}}}").as_bytes(), None, now)?;
            add(change);
        }
        4 => add(registry.write_twin(&id, &body, &IfMatch::Any, Mode::Replace, now)?),
        _ => add(registry.write_twin(&id, &body, &IfMatch::Any, Mode::Merge, now)?),
    }
    Ok(all)
}
