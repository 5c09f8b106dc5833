//! What the hub does when it cannot keep what it was told.

use crate::support::{options, token};
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::commit::{Committer, Keep};
use twinscope::local_hub::events::Log;
use twinscope::local_hub::hub::{Hub, Parts};
use twinscope::local_hub::mqtt::Sessions;
use twinscope::local_hub::policies::Policies;
use twinscope::local_hub::store::Items;
use twinscope::local_hub::x509::Authorities;
use twinscope::local_hub::{FleetChoice, Tuning, fleet};
use twinscope::twin::TwinId;

/// A hub with the demo fleet whose writes end like this.
fn hub(keep: Keep) -> Hub {
    let sessions = Arc::new(Sessions::default());
    let events = Arc::new(Log::default());
    let committer = Committer::start_with(Some(keep), sessions.clone(), events.clone()).unwrap();
    let registry = fleet::fresh(FleetChoice::Demo, &Moment::at(1_790_000_000, 0));
    let (policies, tuning, items) = (Policies::new(), Tuning::default(), Items::default());
    Hub::new(Parts {
        registry,
        policies,
        committer,
        sessions,
        events,
        tuning,
        items,
        authorities: Authorities::default(),
    })
}

#[tokio::test]
async fn a_write_that_was_not_kept_is_taken_back_and_the_next_try_counts() {
    let fails: Keep = Box::new(|_| Err("the disk is full".to_owned()));
    let panics: Keep = Box::new(|_| panic!("a mistake in the store"));
    for keep in [fails, panics] {
        let hub = hub(keep);
        let id = TwinId::device("myFirstDevice");
        let before = hub.device_view(&id).unwrap();
        for _ in 0..3 {
            let lost = hub.report(&id, br#"{"a":1}"#, None).await.unwrap_err();
            assert_eq!(lost.code.name, "ServerError");
            assert_eq!(hub.device_view(&id).unwrap(), before, "what was kept last is served");
        }
    }
}

/// Changes that were made upon one that could not be kept are taken back with it, whatever became of the disk meanwhile.
#[tokio::test]
async fn what_was_built_on_a_lost_change_is_lost_with_it() {
    let (outcome, outcomes) = std::sync::mpsc::channel::<Result<(), String>>();
    let keep: Keep = Box::new(move |_| outcomes.recv().unwrap_or(Ok(())));
    let hub = Arc::new(hub(keep));
    let id = TwinId::device("myFirstDevice");
    let before = hub.device_view(&id).unwrap();
    let report = |n: u32| {
        let (hub, id) = (hub.clone(), id.clone());
        tokio::spawn(async move { hub.report(&id, format!("{{\"n\":{n}}}").as_bytes(), None).await })
    };
    let mut reports = Vec::new();
    for n in 0..5 {
        reports.push(report(n));
        while hub.read(|registry| registry.twin(&id).unwrap().reported.version) != u64::from(n) + 2 {
            tokio::task::yield_now().await;
        }
    }
    outcome.send(Err("the disk is full".to_owned())).unwrap();
    // With room from now on.
    drop(outcome);
    for report in reports {
        assert_eq!(report.await.unwrap().unwrap_err().code.name, "ServerError");
    }
    assert_eq!(hub.device_view(&id).unwrap(), before);
    assert_eq!(hub.report(&id, br#"{"n":9}"#, None).await.unwrap(), 2);
}

#[tokio::test]
async fn the_service_answers_nothing_that_is_not_kept() {
    let dir = TempDir::new().unwrap();
    let local = twinscope::local_hub::LocalHub::start(options(dir.path(), FleetChoice::Demo)).await.unwrap();
    let key = local.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let token = token("localhost", &key, Some("iothubowner"));
    let mut owner = crate::support::Caller::connect(local.https(), local.ca_file(), &token).await;
    assert_eq!(owner.get("/twins/myFirstDevice").await.status, 200);
    local.hub().close().await;
    owner.patch("/twins/myFirstDevice", json!({"tags": {"a": 1}})).await.refused(500, "ServerError");
    owner.get("/twins/myFirstDevice").await.refused(500, "ServerError");
    owner.query("SELECT * FROM devices", &[]).await.refused(500, "ServerError");
}
