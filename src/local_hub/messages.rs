//! Cloud-to-device messages: what waits for a device, and the feedback about it.

use super::store::Items;

/// The queues of all devices.
#[derive(Debug, Default)]
pub struct Messages {}

impl Messages {
    /// What was kept: items `message/…`.
    #[must_use]
    pub fn restore(_items: &Items) -> Self {
        Self::default()
    }
}
