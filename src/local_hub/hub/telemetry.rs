//! What devices sent: it moves what the hub knows of them, and goes into the log.

use super::Hub;
use crate::twin::TwinId;

impl Hub {
    /// Telemetry arrived: moves `lastActivityTime`, and is kept in the log for whoever follows it.
    pub fn telemetry(&self, id: &TwinId, bag: &str, payload: &[u8]) {
        let arrived = self.now_text();
        self.touch(id, |record| {
            record.last_activity.clone_from(&arrived);
            Some(())
        });
        self.events.telemetry(id, arrived, bag, payload);
    }

    /// As [`Hub::telemetry`], from a connection that was opened for this generation of the identity. What arrives after the
    /// identity was deleted is dropped: another one may have its id by now.
    pub fn telemetry_of(&self, id: &TwinId, generation: &str, bag: &str, payload: &[u8]) {
        let arrived = self.now_text();
        if self.touch_as(id, generation, |record| record.last_activity.clone_from(&arrived)) {
            self.events.telemetry(id, arrived, bag, payload);
        }
    }
}
