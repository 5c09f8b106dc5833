//! The devices a fresh hub starts with: the demo fleet, or any number of synthetic ones.
//!
//! The demo fleet is data here; what its devices *do* is played by simulated devices, which connect as any device does.

use super::FleetChoice;
use super::clock::Moment;
use super::random;
use super::registry::{IDENTITIES_MAX, Registry, Synthetic};
use crate::protocol::identity::IdentityRequest;
use crate::protocol::rest::IfMatch;
use crate::twin::{JsonMap, Status, TwinId};
use serde_json::{Value, json};

/// What a simulated device or module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Takes a desired patch and reports the same values a moment later.
    Prompt,
    /// Reports each value as `{"value":…,"ac":200,"av":{desired version}}`, as IoT Plug and Play devices do.
    Acknowledges,
    /// Reports what it takes, and answers one value it does not take with `ac` 400.
    Refuses,
    /// Reports a value of its own from time to time, so that reported leaves desired.
    Drifts,
    /// Never connects.
    Offline,
    /// Must not connect: its device is disabled.
    Disabled,
}

/// One identity of the demo fleet and its part in the play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoIdentity {
    pub id: TwinId,
    pub behaviour: Behaviour,
}

/// Every device and module of the demo fleet, a device before its modules.
#[must_use]
pub fn demo_identities() -> Vec<DemoIdentity> {
    seeds().into_iter().map(|seed| DemoIdentity { id: seed.id, behaviour: seed.behaviour }).collect()
}

/// The registry of a fresh hub.
#[must_use]
pub fn fresh(choice: FleetChoice, now: &Moment) -> Registry {
    match choice {
        FleetChoice::Empty => Registry::new(Synthetic::none(), random::MINT),
        FleetChoice::Synthetic(count) => {
            let count = count.min(u32::try_from(IDENTITIES_MAX).unwrap_or(u32::MAX));
            let synthetic = Synthetic { count, seed: random::bytes(), created_s: now.seconds, ..Synthetic::none() };
            Registry::new(synthetic, random::MINT)
        }
        FleetChoice::Demo => {
            let mut registry = Registry::new(Synthetic::none(), random::MINT);
            for seed in seeds() {
                plant(&mut registry, seed, now);
            }
            registry
        }
    }
}

/// One identity with its twin, before anybody wrote to it.
struct Seed {
    id: TwinId,
    behaviour: Behaviour,
    tags: Value,
    desired: Value,
}

fn plant(registry: &mut Registry, seed: Seed, now: &Moment) {
    let disabled = seed.behaviour == Behaviour::Disabled && seed.id.module.is_none();
    let request = IdentityRequest {
        status: if disabled { Status::Disabled } else { Status::Enabled },
        status_reason: disabled.then(|| "Taken out for repair".to_owned()),
        ..IdentityRequest::new(seed.id.clone())
    };
    registry.plant(&request, object(seed.tags), object(seed.desired), now);
}

fn object(value: Value) -> JsonMap {
    match value {
        Value::Object(map) => map,
        _ => JsonMap::new(),
    }
}

/// `myFirstDevice` with `myFirstModule`, the names of Microsoft's tutorials, and eight machines in each of three sites.
fn seeds() -> Vec<Seed> {
    let mut seeds = vec![
        Seed {
            id: TwinId::device("myFirstDevice"),
            behaviour: Behaviour::Prompt,
            tags: json!({"site": "desk", "owner": "you"}),
            desired: json!({"telemetryInterval": 60, "logLevel": "info"}),
        },
        Seed {
            id: TwinId::module("myFirstDevice", "myFirstModule"),
            behaviour: Behaviour::Prompt,
            tags: json!({"purpose": "tutorial"}),
            desired: json!({
                "telemetryInterval": 60,
                "enabled": true,
                "limits": {"temperature": {"low": 4.0, "high": 8.5}, "humidity": 80},
            }),
        },
    ];
    for site in SITES {
        for machine in MACHINES {
            machine_seeds(site, machine, &mut seeds);
        }
    }
    seeds
}

struct Site {
    name: &'static str,
    city: &'static str,
    country: &'static str,
}

const SITES: [&Site; 3] = [
    &Site { name: "north", city: "Tromsø", country: "NO" },
    &Site { name: "harbour", city: "Marseille", country: "FR" },
    &Site { name: "plateau", city: "Bogotá", country: "CO" },
];

/// Kind, number, modules, behaviour at the three sites.
type Machine = (&'static str, u32, &'static [&'static str], [Behaviour; 3]);

const MACHINES: [Machine; 8] = {
    use Behaviour::{Acknowledges, Disabled, Drifts, Offline, Prompt, Refuses};
    [
        ("chiller", 1, &["control", "telemetry"], [Prompt, Prompt, Acknowledges]),
        ("chiller", 2, &["control", "telemetry"], [Acknowledges, Prompt, Offline]),
        ("conveyor", 1, &["drive"], [Prompt, Acknowledges, Prompt]),
        ("conveyor", 2, &["drive"], [Offline, Prompt, Prompt]),
        ("press", 1, &["control", "safety", "telemetry"], [Prompt, Refuses, Prompt]),
        ("pump", 1, &["control"], [Drifts, Prompt, Acknowledges]),
        ("pump", 2, &["control"], [Prompt, Offline, Disabled]),
        ("camera", 1, &["capture", "inference", "upload"], [Acknowledges, Prompt, Prompt]),
    ]
};

fn machine_seeds(site: &Site, (kind, number, modules, behaviours): Machine, seeds: &mut Vec<Seed>) {
    let at = SITES.iter().position(|other| other.name == site.name).unwrap_or(0);
    let behaviour = behaviours[at];
    let device = format!("{}-{kind}-{number:02}", site.name);
    seeds.push(Seed {
        id: TwinId::device(&device),
        behaviour,
        tags: json!({
            "site": site.name,
            "location": {"city": site.city, "country": site.country, "hall": number},
            "kind": kind,
        }),
        desired: json!({"telemetryInterval": 60, "maintenance": {"window": "02:00-04:00", "automatic": true}}),
    });
    for module in modules {
        seeds.push(Seed {
            id: TwinId::module(&device, *module),
            behaviour,
            tags: json!({"site": site.name, "role": module}),
            desired: module_desired(kind, module),
        });
    }
}

fn module_desired(kind: &str, module: &str) -> Value {
    match module {
        "control" if kind == "chiller" => {
            json!({"setpoint": 4.5, "hysteresis": 0.5, "fans": {"count": 4, "mode": "auto"}})
        }
        "control" => json!({"setpoint": 3.2, "rampSeconds": 12, "mode": "auto"}),
        "drive" => json!({"speed": 0.8, "direction": "forward", "schedule": [{"from": "06:00", "to": "22:00"}]}),
        "safety" => json!({"lightCurtain": true, "maxForce": 1200}),
        "capture" => json!({"resolution": {"width": 1920, "height": 1080}, "framesPerSecond": 12}),
        "inference" => json!({"model": "defects-7", "threshold": 0.82, "classes": ["scratch", "dent", "crack"]}),
        "upload" => json!({"maxKilobitsPerSecond": 2048, "nightOnly": false}),
        _ => json!({"telemetryInterval": 30, "channels": ["temperature", "current", "vibration"]}),
    }
}

/// Keeps the seeding beside the seeds: a planted identity is as if just created with these properties.
impl Registry {
    fn plant(&mut self, request: &IdentityRequest, tags: JsonMap, desired: JsonMap, now: &Moment) {
        // A module of a disabled device cannot be put by a call; its device is disabled afterwards.
        let enabled = IdentityRequest { status: Status::Enabled, ..request.clone() };
        let parent_disabled = request.id.module.is_some()
            && self.device(&request.id.device).is_some_and(|device| device.record.status == Status::Disabled);
        let parent = request.id.parent();
        if parent_disabled && let Some(record) = self.record_mut(&parent) {
            record.status = Status::Enabled;
        }
        let made = self.put_identity(&enabled, &IfMatch::Absent, now);
        debug_assert!(made.is_ok(), "{made:?}");
        if parent_disabled && let Some(record) = self.record_mut(&parent) {
            record.status = Status::Disabled;
        }
        if let Some(record) = self.record_mut(&request.id) {
            record.status = request.status;
            record.tags = tags;
            super::registry::seed_desired(record, desired, now);
        }
    }
}
