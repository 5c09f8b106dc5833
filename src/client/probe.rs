//! Tries a connection string out: what "Add connection…" tells before anything is saved.

use super::http::{Answer, Ask};
use super::hub::Observer;
use super::{HubClient, HubError, RetryPolicy, Trust};
use crate::protocol::connection_string::ConnectionString;
use crate::protocol::rest::Route;

/// What a try said about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Yes,
    No,
    /// Not tried, or the answer says neither.
    Unknown,
}

/// What is known of a connection after a few harmless reads. Nothing is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeReport {
    /// Something answers at the address.
    pub reachable: Verdict,
    /// Its certificate is believed.
    pub trusted: Verdict,
    /// The signature was accepted. `No` also when the policy carries none of the permissions below: the hub answers both alike.
    pub key: Verdict,
    /// By listing one device.
    pub registry_read: Verdict,
    /// Cannot be tried without writing: always `Unknown`.
    pub registry_write: Verdict,
    /// By a query for one device id.
    pub service_connect: Verdict,
    /// How far this machine's clock is ahead of the hub's, in seconds; `None` when the hub did not say.
    pub clock_ahead_s: Option<i64>,
    /// The first thing that stands in the way; `None` when twins can be worked with.
    pub problem: Option<HubError>,
}

/// Sends two reads, each once.
///
/// # Errors
/// When the string is not of a policy, or TLS cannot be set up: nothing could be tried.
pub async fn probe(connection: &ConnectionString, trust: &Trust, observer: Observer) -> Result<ProbeReport, HubError> {
    let client = HubClient::new(connection, trust, observer)?.with_retry(RetryPolicy::never());
    let mut report = ProbeReport {
        reachable: Verdict::Unknown,
        trusted: Verdict::Unknown,
        key: Verdict::Unknown,
        registry_read: Verdict::Unknown,
        registry_write: Verdict::Unknown,
        service_connect: Verdict::Unknown,
        clock_ahead_s: None,
        problem: None,
    };
    let query = client.wire().send(Ask::query("SELECT deviceId FROM devices", 1)).await;
    report.clock_ahead_s = query.as_ref().ok().and_then(Answer::clock_ahead_s);
    report.service_connect = report.note(&query);
    if report.reachable == Verdict::Yes && report.trusted == Verdict::Yes {
        let devices = Route::Devices { top: Some(1) };
        let registry = client.wire().send(Ask::get(&devices)).await;
        report.clock_ahead_s = report.clock_ahead_s.or(registry.as_ref().ok().and_then(Answer::clock_ahead_s));
        report.registry_read = report.note(&registry);
    }
    if let Some(HubError::ClockOff { ahead_s }) = report.problem {
        report.clock_ahead_s = Some(ahead_s);
    }
    report.key = match (report.service_connect, report.registry_read) {
        (Verdict::Yes, _) | (_, Verdict::Yes) => Verdict::Yes,
        (Verdict::No, Verdict::No) => Verdict::No,
        _ => Verdict::Unknown,
    };
    Ok(report)
}

impl ProbeReport {
    /// Takes down what one try showed; the first problem stays.
    fn note<T>(&mut self, outcome: &Result<T, HubError>) -> Verdict {
        let Err(error) = outcome else {
            (self.reachable, self.trusted) = (Verdict::Yes, Verdict::Yes);
            return Verdict::Yes;
        };
        let verdict = match error {
            HubError::Unreachable { .. } => {
                self.reachable = if self.reachable == Verdict::Yes { Verdict::Yes } else { Verdict::No };
                Verdict::Unknown
            }
            HubError::Tls { .. } => {
                (self.reachable, self.trusted) = (Verdict::Yes, Verdict::No);
                Verdict::Unknown
            }
            HubError::Unauthorized { .. } => {
                (self.reachable, self.trusted) = (Verdict::Yes, Verdict::Yes);
                Verdict::No
            }
            _ => {
                (self.reachable, self.trusted) = (Verdict::Yes, Verdict::Yes);
                Verdict::Unknown
            }
        };
        self.problem.get_or_insert_with(|| error.clone());
        verdict
    }
}
