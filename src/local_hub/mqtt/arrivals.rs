//! Wakes who waits for an identity to connect or to subscribe.

use crate::twin::TwinId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Holds an entry only for identities somebody waits for.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<HashMap<TwinId, watch::Sender<()>>>);

/// One who waits.
#[derive(Debug)]
pub struct Arrival<'a> {
    arrivals: &'a Arrivals,
    id: TwinId,
    news: watch::Receiver<()>,
}

impl Arrivals {
    pub fn of(&self, id: &TwinId) -> Arrival<'_> {
        let news = self.lock().entry(id.clone()).or_default().subscribe();
        Arrival { arrivals: self, id: id.clone(), news }
    }

    pub fn tell(&self, id: &TwinId) {
        if let Some(waiting) = self.lock().get(id) {
            waiting.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TwinId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival<'_> {
    /// The next arrival since this was made, or since the last one this returned.
    pub async fn next(&mut self) {
        if self.news.changed().await.is_err() {
            // The entry stays as long as somebody waits, so nothing more could come of one that went.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        let mut all = self.arrivals.lock();
        // This one still counts.
        if all.get(&self.id).is_some_and(|waiting| waiting.receiver_count() <= 1) {
            all.remove(&self.id);
        }
    }
}
