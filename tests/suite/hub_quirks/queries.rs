//! Surprises of queries.

use super::{empty, with_device};
use serde_json::json;

#[tokio::test]
async fn the_item_type_is_capitalised_and_the_last_page_has_no_continuation() {
    let (_hub, mut owner) = empty().await;
    for n in 0..4 {
        owner.device(&format!("d{n}")).await;
    }
    for (select, item_type) in [("*", "Twin"), ("deviceId", "Raw")] {
        let text = format!("SELECT {select} FROM devices");
        let first = owner.query(&text, &[("x-ms-max-item-count", "2")]).await;
        let next = first.header("x-ms-continuation").unwrap().to_owned();
        let more = [("x-ms-max-item-count", "2"), ("x-ms-continuation", next.as_str())];
        let last = owner.query(&text, &more).await;
        assert_eq!((first.ok().as_array().unwrap().len(), last.ok().as_array().unwrap().len()), (2, 2));
        assert!(last.header("x-ms-continuation").is_none(), "the page is full, and yet the last");
        assert_eq!([&first, &last].map(|page| page.header("x-ms-item-type")), [Some(item_type); 2]);
    }
}

#[tokio::test]
async fn field_names_match_in_any_case_and_come_back_in_one() {
    let (_hub, mut owner, _) = with_device().await;
    owner.patch("/twins/d", json!({"tags": {"Site": "A"}})).await.ok();
    let rows = owner.query("SELECT DEVICEID, statusUpdatedTime FROM devices WHERE Status = 'enabled'", &[]).await;
    assert_eq!(rows.ok()[0]["deviceId"], "d");
    // Keys that people wrote match exactly.
    let rows = owner.query("SELECT * FROM devices WHERE tags.site = 'A'", &[]).await;
    assert_eq!(rows.ok(), json!([]));
    // Both names of the one field: clients ask for the identity's.
    for name in ["statusUpdateTime", "statusUpdatedTime"] {
        let rows = owner.query(&format!("SELECT {name} AS at FROM devices"), &[]).await;
        assert_eq!(rows.ok(), json!([{"at": "0001-01-01T00:00:00Z"}]));
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_a_bad_request() {
    let (_hub, mut owner) = empty().await;
    let reply = owner.query("SELECT *\nFROM devices\nWHERE tags.a == 1", &[]).await;
    reply.refused(400, "ArgumentInvalid");
    let message = reply.json()["Message"].as_str().unwrap().to_owned();
    let place = "line 3 column 14: expected an operator, found `==`; equality is written `=`";
    assert_eq!(message, format!("ErrorCode:ArgumentInvalid;BadRequest: {place}"));
}

#[tokio::test]
async fn modules_cannot_be_grouped() {
    let (_hub, mut owner) = empty().await;
    let grouped = "SELECT COUNT() AS n FROM devices.modules GROUP BY tags.a";
    owner.query(grouped, &[]).await.refused(400, "ArgumentInvalid");
    assert_eq!(owner.query("SELECT COUNT() AS n FROM devices.modules", &[]).await.ok(), json!([{"n": 0}]));
}
