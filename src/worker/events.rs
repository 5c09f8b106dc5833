//! Follows the event stream of the open hub, as long as somebody looks: one question after the other, each answered as
//! soon as something happens.

use super::event::{Fact, Reachability, Then};
use super::session::OpenHub;
use crate::client::{HubError, retry};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the hub may wait for news before it answers with none. Shorter than what proxies put up with.
const WAIT: Duration = Duration::from_secs(25);
/// At most four pages a second: what happens within that comes in one.
const GATHER: Duration = Duration::from_millis(250);
/// Between two tries at a hub that fails: first about this, then more.
const FAILING: Duration = Duration::from_secs(1);
const FAILING_MAX: Duration = Duration::from_secs(15);

/// Goes on until it is aborted, or until the hub refuses for good.
pub(super) async fn follow(hub: Arc<OpenHub>, mut after: u64) {
    // A window that follows would find little else among its requests.
    let client = hub.once.clone().unobserved();
    let mut failures = 0;
    // The first answer comes at once and is told even when it is empty: the window learns that there is a stream.
    let mut known = false;
    loop {
        let asked = Instant::now();
        let wait = if known { WAIT } else { Duration::ZERO };
        match hub.heard(client.events(after, wait).await) {
            Ok(page) => {
                failures = 0;
                let next = page.next;
                if !known || next != after || !page.events.is_empty() {
                    hub.out.fact(Fact::HubEvents { after, page: Box::new(page) }).await;
                }
                (after, known) = (next, true);
                tokio::time::sleep(GATHER.saturating_sub(asked.elapsed())).await;
            }
            Err(error) if is_final(&error) => {
                hub.out.fact(Fact::EventsFailed { error, then: Then::GaveUp }).await;
                return;
            }
            Err(error) => {
                failures += 1;
                known = false;
                if failures == 1 {
                    hub.out.fact(Fact::EventsFailed { error, then: Then::TriesAgain }).await;
                }
                pause(&hub, failures).await;
            }
        }
    }
}

/// Whether asking again would get the same answer.
fn is_final(error: &HubError) -> bool {
    matches!(
        error,
        HubError::NotFound { .. }
            | HubError::Unauthorized { .. }
            | HubError::Forbidden { .. }
            | HubError::Refused { .. }
            | HubError::Tls { .. }
            | HubError::Trust(_)
            | HubError::NotAService
    )
}

/// Until it may be tried again: after a while, or as soon as the hub is heard of.
async fn pause(hub: &OpenHub, failures: u32) {
    let mut reach = hub.reach();
    reach.mark_unchanged();
    let while_away = FAILING + retry::backoff(FAILING, FAILING_MAX, failures);
    let back = async {
        while reach.changed().await.is_ok() {
            if *reach.borrow_and_update() == Reachability::Online {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    drop(tokio::time::timeout(while_away, back).await);
}
