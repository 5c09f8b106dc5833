//! Jobs: a twin update or a direct method for every device a query finds, at a time.

use super::store::Items;

/// All jobs.
#[derive(Debug, Default)]
pub struct Jobs {}

impl Jobs {
    /// What was kept: items `job/…`.
    #[must_use]
    pub fn restore(_items: &Items) -> Self {
        Self::default()
    }
}
