//! A fleet of any size that costs nothing until it is touched: device number `n` is computed from `n` and a seed, and only a device
//! that was written or connected exists in memory.

use super::metadata::{Stamp, stamp};
use super::record::{Counters, Device, Document, Record};
use crate::local_hub::clock::Moment;
use crate::protocol::identity::Authentication;
use crate::protocol::secret::Secret;
use crate::twin::{AuthKind, JsonMap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use std::collections::{BTreeMap, HashSet};

const PREFIX: &str = "device-";
const SITES: [&str; 4] = ["amsterdam", "lisbon", "osaka", "quito"];

/// Whether the keys of a device are derived, which takes longer than all the rest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    Derived,
    /// For views that do not show them.
    LeftOut,
}

/// See [`Synthetic::mould`].
pub struct Mould {
    created: Moment,
    desired: Document,
}

/// The devices `device-0000001` to `device-{count}`. All ids have the same length, so their order is that of their numbers.
#[derive(Clone)] // Not Debug: the seed is as good as every key.
pub struct Synthetic {
    pub count: u32,
    /// What the keys are derived from.
    pub seed: [u8; 32],
    /// When the fleet was made, seconds since 1970.
    pub created_s: u64,
    /// Numbers that were deleted.
    pub gone: HashSet<u32>,
}

impl Synthetic {
    #[must_use]
    pub fn none() -> Self {
        Self { count: 0, seed: [0; 32], created_s: 0, gone: HashSet::new() }
    }

    #[must_use]
    pub fn id(number: u32) -> String {
        format!("{PREFIX}{number:07}")
    }

    /// The number behind an id of this fleet, deleted or not.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u32> {
        let digits = id.strip_prefix(PREFIX)?;
        if digits.len() != 7 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|number| (1..=self.count).contains(number))
    }

    /// The number behind an id that is still there.
    #[must_use]
    pub fn living(&self, id: &str) -> Option<u32> {
        self.number(id).filter(|number| !self.gone.contains(number))
    }

    /// The living numbers whose ids come after `after`, in order.
    pub fn after(&self, after: Option<&str>) -> impl Iterator<Item = u32> + '_ {
        let first = after.map_or(1, |after| self.first_after(after));
        (first..=self.count).filter(|number| !self.gone.contains(number))
    }

    /// The first number whose id comes after the text; `count + 1` when none does.
    fn first_after(&self, after: &str) -> u32 {
        let (mut low, mut high) = (1, self.count + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if Self::id(middle).as_str() > after {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Device number `number` as it is before anybody touches it.
    #[must_use]
    pub fn device(&self, number: u32, keys: Keys) -> Device {
        self.device_of(&self.mould(), number, keys)
    }

    /// What all devices have in common: whoever looks at many makes it once.
    #[must_use]
    pub fn mould(&self) -> Mould {
        let created = Moment::at(self.created_s, 0);
        let values = object(json!({"telemetryInterval": 60, "firmware": "1.4.2"}));
        let mut desired = Document::fresh(&created.text);
        stamp(&mut desired.metadata, &values, Stamp { time: &created.text, version: None });
        desired.values = values;
        Mould { created, desired }
    }

    /// As [`Synthetic::device`], with this fleet's mould.
    #[must_use]
    pub fn device_of(&self, mould: &Mould, number: u32, keys: Keys) -> Device {
        let created = &mould.created;
        let key = |which| (keys == Keys::Derived).then(|| self.key(number, which));
        let authentication = Authentication {
            kind: AuthKind::Sas,
            primary_key: key(0),
            secondary_key: key(1),
            primary_thumbprint: None,
            secondary_thumbprint: None,
        };
        let generation = created.ticks + u64::from(number);
        let mut record = Record::fresh(generation, self.counters(number), authentication, created);
        let site = SITES[number as usize % SITES.len()];
        record.tags = object(json!({"site": site, "line": number / 100 % 20, "batch": number / 1000}));
        record.desired = mould.desired.clone();
        Device { record, modules: BTreeMap::new() }
    }

    /// The generation of device number `number`.
    #[must_use]
    pub fn generation(&self, number: u32) -> u64 {
        Moment::at(self.created_s, 0).ticks + u64::from(number)
    }

    /// The largest generation of these devices: what is made later has larger ones.
    #[must_use]
    pub fn last_generation(&self) -> u64 {
        self.generation(self.count)
    }

    /// As random as the seed, and the same at each look. Not an HMAC as the keys are: queries make every device of the fleet.
    fn counters(&self, number: u32) -> Counters {
        let seed = self.seed[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        let number = u64::from(number) << 1;
        Counters::of_random(mixed(seed, number), mixed(seed, number | 1))
    }

    fn key(&self, number: u32, which: u8) -> Secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.seed).expect("HMAC takes a key of any length");
        mac.update(&number.to_be_bytes());
        mac.update(&[which]);
        Secret::new(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// `SplitMix64`, the generator's output for a place in its sequence.
fn mixed(seed: u64, place: u64) -> u64 {
    let state = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn object(value: serde_json::Value) -> JsonMap {
    match value {
        serde_json::Value::Object(map) => map,
        _ => JsonMap::new(),
    }
}
