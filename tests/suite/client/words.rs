//! What the client tells people: waits and advice.

use std::path::PathBuf;
use std::time::Duration;
use twinscope::client::trust::TrustError;
use twinscope::client::{HubError, RetryPolicy};
use twinscope::protocol::error::{ErrorCode, ServiceError};
use twinscope::protocol::policy::Permission;

fn service(code: ErrorCode) -> ServiceError {
    ServiceError { name: Some(code.name.to_owned()), number: Some(code.number), ..ServiceError::default() }
}

#[test]
fn advice_names_the_remedy() {
    let denied = HubError::Unauthorized { service: service(ErrorCode::IOT_HUB_UNAUTHORIZED_ACCESS) };
    assert!(denied.advice_for(Permission::ServiceConnect).contains("ServiceConnect"));
    let host = || "h".to_owned();
    let throttled = Some(Duration::from_secs(17));
    let cases = [
        (HubError::Unreachable { host: host(), reason: String::new() }, "network"),
        (HubError::Tls { host: host(), reason: String::new() }, "CA"),
        (HubError::ClockOff { ahead_s: -600 }, "600 s slow"),
        (HubError::ClockOff { ahead_s: 600 }, "600 s fast"),
        (denied, "RegistryWrite"),
        (HubError::Unauthorized { service: service(ErrorCode::IOT_HUB_UNAUTHORIZED) }, "expired"),
        (HubError::Forbidden { service: service(ErrorCode::IOT_HUB_QUOTA_EXCEEDED) }, "quota"),
        (HubError::Forbidden { service: ServiceError::default() }, "network rules"),
        (HubError::Forbidden { service: service(ErrorCode::DEVICE_MODEL_MAX_PROPERTIES_EXCEEDED) }, "tags hold 8 KB"),
        (HubError::Throttled { service: ServiceError::default(), retry_after: throttled }, "17 s"),
        (HubError::Refused { status: 413, service: service(ErrorCode::TOO_MANY_MODULES_ON_DEVICE) }, "50 modules"),
        (HubError::Conflict { service: ServiceError::default() }, "Read"),
        (HubError::OutcomeUnknown { reason: String::new() }, "before repeating"),
        (HubError::NotAService, "SharedAccessKeyName"),
        (HubError::Trust(TrustError::NoCertificate { path: PathBuf::from("x") }), "PEM"),
    ];
    for (error, expected) in cases {
        let advice = error.advice();
        assert!(advice.contains(expected), "{error:?}: {advice}");
        assert!(!advice.ends_with('.'), "{advice}");
    }
}

#[test]
fn waits_stay_within_their_bounds() {
    let policy = RetryPolicy::default();
    for attempt in 1..40 {
        let limit = (policy.base * (1 << (attempt - 1).min(10))).min(policy.cap);
        for _ in 0..50 {
            assert!(policy.backoff(attempt) <= limit, "attempt {attempt}");
        }
    }
    let wait = policy.after_throttling(None).unwrap();
    assert!(wait >= Duration::from_secs(10) && wait <= Duration::from_secs(15), "{wait:?}");
    let at_once: std::collections::HashSet<Duration> =
        (0..20).filter_map(|_| policy.after_throttling(Some(Duration::ZERO))).collect();
    assert!(at_once.len() > 1 && at_once.iter().all(|wait| *wait <= policy.base), "{at_once:?}");
    assert_eq!(policy.after_throttling(Some(Duration::from_mins(1))), Some(Duration::from_mins(1)));
    assert_eq!(policy.after_throttling(Some(Duration::from_secs(61))), None);
}
