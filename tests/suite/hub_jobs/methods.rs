//! Direct methods by jobs.

use super::{counts, hub_with, method, rows, schedule, until};
use serde_json::json;

#[tokio::test]
async fn offline_devices_count_as_failed() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    let payload = json!({"text": "ä", "n": 1.50});
    let made = schedule(&mut owner, "offline", method("*", payload.clone())).await;
    assert_eq!(made["cloudToDeviceMethod"]["payload"], payload, "the first answer is what was asked for");
    let done = until(&mut owner, "offline", "completed").await;
    assert_eq!(counts(&done), [2, 2, 0, 0, 0], "the job completes all the same");
    let bytes: Vec<u8> = serde_json::from_value(done["cloudToDeviceMethod"]["payload"].clone()).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), payload.to_string(), "and later its bytes");
    assert_eq!(done["cloudToDeviceMethod"]["methodName"], "ping");
    for row in rows(&mut owner, "jobId = 'offline'").await {
        assert_eq!((&row["status"], &row["error"]["code"]), (&json!("failed"), &json!("404103")), "{row}");
        assert!(row.get("outcome").is_none() && row["endTimeUtc"].is_string(), "{row}");
    }
    schedule(&mut owner, "no-payload", method("*", json!(null))).await;
    assert_eq!(until(&mut owner, "no-payload", "completed").await["cloudToDeviceMethod"]["payload"], json!(null));
}
