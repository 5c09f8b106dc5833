//! `/$twinscope/faults`: the JSON in which a local hub is told its faults, and tells what became of them.

use super::{Fault, FaultError, Kind, Switch};
use crate::twin::Json;
use serde_json::json;

/// Faults at once.
pub const FAULTS_MAX: usize = 100;

/// Faults to be put in force, in place of those that are. `{"seed":1,"faults":["429 p=0.1"]}`; what a hub tells is taken too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// `None`: the hub draws one.
    pub seed: Option<u64>,
    pub faults: Vec<Fault>,
}

/// The faults of a hub: `{"seed":1,"faults":[{"fault":"429 p=0.1","matched":12,"struck":1}]}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub seed: u64,
    pub faults: Vec<Counted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub fault: Fault,
    /// How often it concerned something, since it was set.
    pub matched: u64,
    /// How often it struck.
    pub struck: u64,
}

/// Why a JSON is no plan or report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("the body must be such as {{\"seed\":1,\"faults\":[\"429 p=0.1\"]}}: {0}")]
    Form(&'static str),
    #[error("at most {FAULTS_MAX} faults are in force at once")]
    TooMany,
    /// Counted from 1.
    #[error("fault {number}: {error}")]
    Fault { number: usize, error: FaultError },
}

impl Plan {
    #[must_use]
    pub fn to_json(&self) -> Json {
        let faults: Vec<String> = self.faults.iter().map(Fault::to_string).collect();
        match self.seed {
            Some(seed) => json!({"seed": seed, "faults": faults}),
            None => json!({"faults": faults}),
        }
    }

    /// # Errors
    /// Which fault is wrong and why, or what is missing.
    pub fn from_json(value: &Json) -> Result<Self, PlanError> {
        let object = value.as_object().ok_or(PlanError::Form("it is no object"))?;
        let seed = match object.get("seed") {
            None | Some(Json::Null) => None,
            Some(seed) => Some(seed.as_u64().ok_or(PlanError::Form("seed is a whole number from 0"))?),
        };
        let faults = object.get("faults").and_then(Json::as_array).ok_or(PlanError::Form("faults is a list"))?;
        if faults.len() > FAULTS_MAX {
            return Err(PlanError::TooMany);
        }
        let text = |fault: &Json| fault.as_str().or_else(|| fault.get("fault")?.as_str()).map(str::to_owned);
        let faults = faults.iter().enumerate().map(|(index, fault)| {
            let text = text(fault).ok_or(PlanError::Form("a fault is a text, such as \"429 p=0.1\""))?;
            text.parse().map_err(|error| PlanError::Fault { number: index + 1, error })
        });
        Ok(Self { seed, faults: faults.collect::<Result<_, _>>()? })
    }

    /// Those that are switched on.
    pub fn in_force(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.switch == Switch::On)
    }

    /// Seconds the clock is to be ahead, all skews together.
    #[must_use]
    pub fn ahead_s(&self) -> i64 {
        self.in_force().fold(0_i64, |sum, fault| match fault.kind {
            Kind::Skew { ahead_s } => sum.saturating_add(ahead_s),
            _ => sum,
        })
    }
}

impl Report {
    #[must_use]
    pub fn to_json(&self) -> Json {
        let faults = self.faults.iter().map(|Counted { fault, matched, struck }| {
            json!({"fault": fault.to_string(), "matched": matched, "struck": struck})
        });
        json!({"seed": self.seed, "faults": faults.collect::<Vec<_>>()})
    }

    /// # Errors
    /// As [`Plan::from_json`].
    pub fn from_json(value: &Json) -> Result<Self, PlanError> {
        let plan = Plan::from_json(value)?;
        let seed = plan.seed.ok_or(PlanError::Form("seed is missing"))?;
        let count = |index: usize, key: &str| {
            let count = value.get("faults").and_then(|faults| faults.get(index)?.get(key)?.as_u64());
            count.ok_or(PlanError::Form("matched and struck are whole numbers"))
        };
        let faults = plan.faults.into_iter().enumerate().map(|(index, fault)| {
            Ok(Counted { fault, matched: count(index, "matched")?, struck: count(index, "struck")? })
        });
        Ok(Self { seed, faults: faults.collect::<Result<_, _>>()? })
    }

    /// The same faults, to be put in force again.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan { seed: Some(self.seed), faults: self.faults.iter().map(|counted| counted.fault.clone()).collect() }
    }

    /// How many are switched on.
    #[must_use]
    pub fn in_force(&self) -> usize {
        self.faults.iter().filter(|counted| counted.fault.switch == Switch::On).count()
    }
}
