//! The timer of messages: one, set for the next that expires or whose lock ends.

use crate::local_hub::hub::Hub;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest sleep: the clock may be set, or the machine may have slept, and the timer knows nothing of either.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// Ends messages when their time has come, until `stop`. While none waits it sleeps.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        let next = hub.messages().expire_all(&hub).map(|next| tokio::time::sleep(next.min(SLEEP_MAX)));
        tokio::select! {
            () = hub.messages().wake.notified() => {}
            () = async { if let Some(next) = next { next.await } else { std::future::pending().await } } => {}
            () = stop.cancelled() => return,
        }
    }
}
