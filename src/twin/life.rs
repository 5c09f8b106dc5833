//! Whether two readings of a twin are of one life.
//!
//! An id can be deleted and created again. The new twin has nothing of the old one, but its etag and its versions may have the same
//! values: Microsoft documents both as opaque values and counters, and neither as unique beyond one identity. What differs for
//! certain is `generationId` of the identity record, which a twin does not carry:
//! <https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-identity-registry#device-identity-properties>.
//! Within one life a counter never goes back, and a section of one `$version` has one content.

use super::{Properties, Twin};

/// Whether `later`, read after `earlier`, can be a later state of the same twin. `false` is proof of another life; `true` is not
/// proof of the same one where the identity's etag moved as well.
#[must_use]
pub fn continues(earlier: &Twin, later: &Twin) -> bool {
    let section = |earlier: &Properties, later: &Properties| {
        earlier.version < later.version || (earlier.version == later.version && earlier.values == later.values)
    };
    earlier.version <= later.version
        && section(&earlier.desired, &later.desired)
        && section(&earlier.reported, &later.reported)
        && (earlier.version < later.version || earlier.tags == later.tags)
}

/// Whether the record behind the twin moved: its identity was updated, or is another one.
#[must_use]
pub fn identity_moved(earlier: &Twin, later: &Twin) -> bool {
    matches!((&earlier.device_etag, &later.device_etag), (Some(before), Some(after)) if before != after)
}

/// Whether a write guarded by the etag of `seen` takes back nothing that `seen` does not show, when the hub has `now`.
#[must_use]
pub fn is_as_seen(seen: &Twin, now: &Twin) -> bool {
    seen.etag == now.etag && seen.tags == now.tags && seen.desired.values == now.desired.values
}
