//! Reads a large text while somebody types it.

use super::event::{Failure, Outcome};
use super::run::broken;
use crate::twin::draft::Reading;

/// Takes milliseconds of a processor: on a thread where that holds up nobody.
pub(super) async fn read(reading: Box<Reading>) -> Result<Outcome, Failure> {
    match tokio::task::spawn_blocking(move || reading.read()).await {
        Ok(read) => Ok(Outcome::TextRead(Box::new(read))),
        Err(error) => Err(broken(error)),
    }
}
