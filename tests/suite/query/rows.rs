//! Queries and their rows.

use super::{device, holds, module, read, rows};
use crate::query::Made;
use twinscope::query::{self, ItemType, Source};
use twinscope::twin::Status;

/// Two sites, one device without tags.
fn fleet() -> Vec<Made> {
    vec![
        device("a1").tags(r#"{"site":"A","floor":1}"#).reported(r#"{"t":20.5,"n":1}"#),
        device("b1").tags(r#"{"site":"B","floor":2}"#).reported(r#"{"t":"hot","n":2.0}"#),
        device("a2").tags(r#"{"site":"A","floor":10}"#).reported(r#"{"t":30.5,"n":4}"#),
        device("bare"),
        module("a1", "m1").tags(r#"{"site":"A"}"#),
    ]
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(rows(text, &fleet()), expected, "{text}");
}

/// The ids that a condition lets through.
fn check_ids(condition: &str, expected: &[&str]) {
    let rows = rows(&format!("SELECT deviceId FROM devices WHERE {condition}"), &fleet());
    let expected: Vec<_> = expected.iter().map(|id| format!(r#"{{"deviceId":"{id}"}}"#)).collect();
    assert_eq!(rows, expected, "{condition}");
}

#[test]
fn sources_and_item_types() {
    for (text, source, item_type, ids) in [
        ("SELECT * FROM devices", Source::Devices, ItemType::Twin, 4),
        ("select * from DEVICES.Modules", Source::Modules, ItemType::Twin, 1),
        ("SELECT deviceId FROM devices", Source::Devices, ItemType::Raw, 4),
        ("SELECT COUNT() AS n FROM devices GROUP BY status", Source::Devices, ItemType::Raw, 4),
        ("SELECT * FROM devices.jobs", Source::Jobs, ItemType::DeviceJob, 0),
        ("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j1'", Source::Jobs, ItemType::DeviceJob, 0),
    ] {
        let query = query::parse(text).unwrap();
        assert_eq!((query.source, query.item_type()), (source, item_type), "{text}");
        let matching = fleet().iter().filter(|made| query.matches(&made.0)).count();
        assert_eq!(matching, ids, "{text}");
    }
    assert_eq!(rows("SELECT * FROM devices.jobs", &fleet()), Vec::<String>::new());
}

#[test]
fn everything_is_the_whole_twin() {
    let fleet = fleet();
    let answer = query::parse("SELECT TOP 1 * FROM devices WHERE tags.site = 'B'").unwrap();
    assert_eq!(answer.run(fleet.iter().map(|made| &made.0)), [twinscope::twin::wire::to_json(&fleet[1].0)]);
    let modules = query::parse("SELECT * FROM devices.modules").unwrap().run(fleet.iter().map(|made| &made.0));
    assert_eq!(modules.iter().map(|row| row["moduleId"].as_str()).collect::<Vec<_>>(), [Some("m1")]);
}

#[test]
fn columns() {
    check("SELECT TOP 1 deviceId FROM devices", &[r#"{"deviceId":"a1"}"#]);
    check("SELECT TOP 0 deviceId FROM devices", &[]);
    check("SELECT TOP 2 DEVICEID FROM devices", &[r#"{"deviceId":"a1"}"#, r#"{"deviceId":"b1"}"#]);
    check(
        "SELECT devices.deviceId, tags.site AS place, tags.site FROM devices WHERE tags.floor >= 2",
        &[r#"{"deviceId":"b1","place":"B","site":"B"}"#, r#"{"deviceId":"a2","place":"A","site":"A"}"#],
    );
    check("SELECT devices.modules.moduleId, deviceId FROM devices.modules", &[r#"{"moduleId":"m1","deviceId":"a1"}"#]);
    check("SELECT deviceId, tags.site FROM devices WHERE deviceId = 'bare'", &[r#"{"deviceId":"bare"}"#]);
    // The second column of one name gets its whole path.
    check(
        "SELECT properties.reported.n, properties.desired.$version, properties.reported.$version FROM devices WHERE deviceId='a1'",
        &[r#"{"n":1,"$version":1,"properties.reported.$version":1}"#],
    );
}

#[test]
fn whole_documents_in_columns() {
    let twin = [device("d")
        .tags(r#"{"deep":{"list":[1,{"odd key":2}],"two":1.50}}"#)
        .desired(r#"{"big":18014398509481985,"e":100e+1}"#)
        .with(|twin| {
            twin.desired.version = 7;
            twin.iot_edge = true;
            twin.primary_thumbprint = Some("AB".into());
            twin.extra.insert("parentScopes".into(), read("[]"));
        })];
    for (columns, expected) in [
        ("tags", r#"{"tags":{"deep":{"list":[1,{"odd key":2}],"two":1.50}}}"#),
        ("tags.deep.list", r#"{"list":[1,{"odd key":2}]}"#),
        ("tags.deep.list[1]['odd key']", r#"{"odd key":2}"#),
        ("tags['deep'].two AS x", r#"{"x":1.50}"#),
        ("tags.Deep", "{}"),
        ("properties.desired.big, properties.desired.e", r#"{"big":18014398509481985,"e":100e+1}"#),
        ("Properties.Desired.$version", r#"{"$version":7}"#),
        ("properties.reported.$metadata.$lastUpdated", r#"{"$lastUpdated":"2026-08-15T09:00:00.7654321Z"}"#),
        (
            "properties.reported",
            r#"{"reported":{"$metadata":{"$lastUpdated":"2026-08-15T09:00:00.7654321Z"},"$version":1}}"#,
        ),
        ("capabilities", r#"{"capabilities":{"iotEdge":true}}"#),
        ("Capabilities.IOTEDGE", r#"{"iotEdge":true}"#),
        ("x509Thumbprint", r#"{"x509Thumbprint":{"primaryThumbprint":"AB","secondaryThumbprint":null}}"#),
        ("x509thumbprint.PrimaryThumbprint", r#"{"primaryThumbprint":"AB"}"#),
        ("PARENTSCOPES", r#"{"parentScopes":[]}"#),
        ("statusUpdateTime", r#"{"statusUpdateTime":"0001-01-01T00:00:00Z"}"#),
        ("statusUpdatedTime", r#"{"statusUpdatedTime":"0001-01-01T00:00:00Z"}"#),
        (
            "etag, version, Status, connectionState, authenticationType, cloudToDeviceMessageCount",
            r#"{"etag":"AAAAAAAAAAE=","version":2,"status":"enabled","connectionState":"Disconnected","authenticationType":"sas","cloudToDeviceMessageCount":0}"#,
        ),
        ("modelId, statusReason, moduleId, nonsense", r#"{"modelId":""}"#),
    ] {
        assert_eq!(rows(&format!("SELECT {columns} FROM devices"), &twin), [expected], "{columns}");
    }
}

#[test]
fn conditions_over_a_fleet() {
    for (condition, ids) in [
        ("tags.site = 'A'", &["a1", "a2"][..]),
        ("tags.site != 'A'", &["b1"]),
        ("tags.site <> 'A'", &["b1"]),
        ("NOT tags.site = 'A'", &["b1", "bare"]),
        ("IS_DEFINED(tags.site) AND NOT (tags.site = 'A')", &["b1"]),
        ("NOT IS_DEFINED(tags)", &["bare"]),
        ("tags.floor = 1 OR tags.floor = 2 AND tags.site = 'A'", &["a1"]),
        ("(tags.floor = 1 OR tags.floor = 2) AND tags.site = 'B'", &["b1"]),
        ("tags.floor < 10", &["a1", "b1"]),
        ("deviceId in ['a1', \"bare\"]", &["a1", "bare"]),
        ("tags.site NOT IN ['A']", &["b1"]),
        ("tags.site NIN ['A']", &["b1"]),
        ("tags.site IN []", &[]),
        ("properties.reported.t > 20", &["a1", "a2"]),
        ("properties.reported.n = 2", &["b1"]),
        ("STARTSWITH(devices.deviceId,'a')", &["a1", "a2"]),
        ("starts_with(deviceId,'A')", &[]),
        ("lastActivityTime > '2026-01-01T00:00:00Z' AND version = 2", &["a1", "b1", "a2", "bare"]),
    ] {
        check_ids(condition, ids);
    }
}

#[test]
fn conditions_over_one_twin() {
    let twin = device("it's")
        .tags(r#"{"n":5,"f":5.0,"h":0.5,"s":"Ärger","t":true,"o":{"a":1},"l":["x",2],"big":9007199254740993,"num":" 12 ","In":1}"#)
        .with(|twin| {
            twin.status = Some(Status::Disabled);
            twin.extra.insert("nothing".into(), serde_json::Value::Null);
        });
    for (condition, expected) in [
        (r#"deviceId = "it's""#, true),
        ("deviceId = 'it''s'", true),
        (r"deviceId = 'it\'s'", true),
        ("5 = tags.f", true),
        ("tags.n = tags.f", true),
        ("tags.n = '5'", false),
        ("tags.n != '5'", true),
        ("tags.n <= 5.0 and tags.n >= 5", true),
        ("tags.h < 1 AND 0 < tags.h", true),
        ("tags.big = 9007199254740993", true),
        ("tags.big = 9007199254740992", false),
        ("tags.big = 9007199254740992.0", false),
        ("18446744073709551615 > 18446744073709551614", true),
        ("tags.n < 1e300 AND tags.n > -1e300", true),
        ("tags.n + 1 * 2 = 7", true),
        ("(tags.n + 1) * 2 = 12", true),
        ("tags.n - 1 - 1 = 3", true),
        ("7 / 2 = 3.5 AND 6 / 2 = 3 AND 7 % 4 = 3", true),
        ("-tags.n = 0 - 5", true),
        ("tags.n / 0 = 0", false),
        ("tags.n / 0 != 0", false),
        ("tags.n % 0 != 0", false),
        ("tags.s + 1 != 0", false),
        ("9223372036854775807 + 1 = 9223372036854775808", true),
        ("tags.t = true", true),
        ("tags.t != FALSE", true),
        ("tags.t = 'true'", false),
        ("tags.o = 1", false),
        ("tags.o != 1", false),
        ("tags.o != null", true),
        ("nothing = null", true),
        ("nothing != null", false),
        ("tags.missing = null", false),
        ("tags.missing != null", false),
        ("tags.missing NOT IN ['a']", false),
        ("NOT tags.missing IN ['a']", true),
        ("2.0 IN tags.l", true),
        ("'x' NOT IN tags.l", false),
        ("'x' IN tags.n", false),
        ("'x' NOT IN tags.n", false),
        ("tags.l[0] = 'x'", true),
        ("tags.l[2] = 'x'", false),
        ("tags.In = 1", true),
        ("status = 'disabled'", true),
        ("(capabilities.iotEdge=true AND status='enabled')", false),
        ("NOT NOT tags.n = 5", true),
    ] {
        assert_eq!(holds(condition, &twin), expected, "{condition}");
    }
}

#[test]
fn functions() {
    let twin =
        device("d").tags(r#"{"n":-5,"h":2.5,"s":"Ärger","t":true,"o":{"a":1},"l":[1],"num":" 12 "}"#).with(|twin| {
            twin.extra.insert("nothing".into(), serde_json::Value::Null);
        });
    for (condition, expected) in [
        ("STARTSWITH(tags.s, 'Är') AND ENDSWITH(tags.s, 'er') AND CONTAINS(tags.s, 'rg')", true),
        ("STARTSWITH(tags.s, 'er')", false),
        ("ENDSWITH(tags.s, 'Är')", false),
        ("CONTAINS(tags.s, 'gr')", false),
        ("STARTSWITH(tags.missing, '')", false),
        ("CONTAINS(tags.n, '5')", false),
        ("LENGTH(tags.s) = 5", true),
        ("LOWER(tags.s) = 'ärger' AND UPPER(tags.s) = 'ÄRGER'", true),
        ("SUBSTRING(tags.s, 1) = 'rger' AND SUBSTRING(tags.s, 1, 2) = 'rg'", true),
        ("SUBSTRING(tags.s, 9) = '' AND SUBSTRING(tags.s, 0, 99) = tags.s", true),
        ("SUBSTRING(tags.s, -1) != ''", false),
        ("CONCAT(tags.s, '-', 'x') = 'Ärger-x'", true),
        ("CONCAT(tags.s, tags.n) != ''", false),
        ("INDEX_OF(tags.s, 'ger') = 2 AND INDEX_OF(tags.s, 'z') = -1", true),
        ("ABS(tags.n) = 5 AND SIGN(tags.n) = -1 AND SQUARE(tags.n) = 25", true),
        ("CEILING(tags.h) = 3 AND FLOOR(tags.h) = 2 AND SQRT(4) = 2 AND POWER(2, 3) = 8 AND EXP(0) = 1", true),
        ("SQRT(tags.n) != 0", false),
        ("AS_NUMBER(tags.num) = 12 AND AS_NUMBER(tags.n) = -5", true),
        ("AS_NUMBER(tags.s) != 0 OR AS_NUMBER('inf') != 0", false),
        ("IS_DEFINED(nothing) AND IS_NULL(nothing) AND NOT IS_NULL(tags.missing)", true),
        (
            "IS_STRING(tags.s) AND IS_NUMBER(tags.n) AND IS_BOOL(tags.t) AND IS_OBJECT(tags.o) AND IS_ARRAY(tags.l)",
            true,
        ),
        ("IS_STRING(tags.n) OR IS_NUMBER(tags.s) OR IS_BOOL(tags.n) OR IS_OBJECT(tags.l) OR IS_ARRAY(tags.o)", false),
        ("IS_PRIMITIVE(tags.s) AND IS_PRIMITIVE(nothing)", true),
        ("IS_PRIMITIVE(tags.o) OR IS_PRIMITIVE(tags.missing)", false),
        ("IS_OBJECT(properties.desired) AND IS_DEFINED(properties.reported.$metadata)", true),
        ("is_defined(tags.n) = true", true),
    ] {
        assert_eq!(holds(condition, &twin), expected, "{condition}");
    }
}

#[test]
fn aggregates() {
    check("SELECT COUNT() AS n FROM devices", &[r#"{"n":4}"#]);
    check("SELECT COUNT(1) AS n FROM devices.modules", &[r#"{"n":1}"#]);
    check("SELECT COUNT(), SUM(tags.floor) FROM devices", &[r#"{"$1":4,"$2":13}"#]);
    check(
        "SELECT AVG(properties.reported.t) AS a, SUM(properties.reported.t) AS s, MIN(tags.floor) AS lo, MAX(tags.floor) AS hi FROM devices",
        &[r#"{"a":25.5,"s":51.0,"lo":1,"hi":10}"#],
    );
    // MIN and MAX keep the spelling; what has no order with the first value is passed over.
    check("SELECT MIN(properties.reported.n) AS lo FROM devices WHERE deviceId != 'a1'", &[r#"{"lo":2.0}"#]);
    check("SELECT MAX(properties.reported.t) AS hi FROM devices", &[r#"{"hi":30.5}"#]);
    check("SELECT MIN(tags.site) AS lo, MAX(tags.site) AS hi FROM devices", &[r#"{"lo":"A","hi":"B"}"#]);
    check(
        "SELECT COUNT() AS n, SUM(tags.x) AS s, AVG(tags.x) AS a, MIN(tags.x) AS lo FROM devices WHERE deviceId = 'none'",
        &[r#"{"n":0,"s":0}"#],
    );
}

#[test]
fn groups_stand_in_the_order_they_are_first_seen() {
    check(
        "SELECT tags.site, COUNT() AS n, MAX(tags.floor) AS top FROM devices GROUP BY tags.site",
        &[r#"{"site":"A","n":2,"top":10}"#, r#"{"site":"B","n":1,"top":2}"#, r#"{"n":1}"#],
    );
    check("SELECT TOP 1 COUNT() AS n FROM devices GROUP BY tags.site", &[r#"{"n":2}"#]);
    check(
        "SELECT devices.tags.site AS s FROM devices WHERE IS_DEFINED(tags) GROUP BY tags.site, status",
        &[r#"{"s":"A"}"#, r#"{"s":"B"}"#],
    );
    check("SELECT COUNT() AS n FROM devices WHERE deviceId = 'none' GROUP BY tags.site", &[]);
    let twins = [
        device("1").tags(r#"{"k":1}"#),
        device("2").tags(r#"{"k":1.0}"#),
        device("3").tags(r#"{"k":"1"}"#),
        device("4").tags(r#"{"k":{"a":1}}"#),
        device("5").tags(r#"{"k":{"a":1}}"#),
    ];
    assert_eq!(
        rows("SELECT tags.k, COUNT() AS n FROM devices GROUP BY tags.k", &twins),
        [r#"{"k":1,"n":2}"#, r#"{"k":"1","n":1}"#, r#"{"k":{"a":1},"n":2}"#,]
    );
}

#[test]
fn only_aggregates_need_all_rows() {
    for (text, expected, top) in [
        ("SELECT * FROM devices", false, None),
        ("SELECT TOP 5 deviceId FROM devices", false, Some(5)),
        ("SELECT COUNT() AS n FROM devices", true, None),
        ("SELECT tags.site FROM devices GROUP BY tags.site", true, None),
    ] {
        let query = query::parse(text).unwrap();
        assert_eq!((query.is_aggregate(), query.top()), (expected, top), "{text}");
    }
}

/// Word for word what Azure IoT Explorer and the portal send.
#[test]
fn queries_of_gui_clients() {
    let list = "SELECT deviceId as DeviceId, status as Status, lastActivityTime as LastActivityTime, statusUpdatedTime as StatusUpdatedTime,
 authenticationType as AuthenticationType, cloudToDeviceMessageCount as CloudToDeviceMessageCount,
 connectionState as ConnectionState, capabilities.iotEdge as IotEdge, modelId as ModelId FROM devices";
    let row = |id: &str| {
        format!(
            r#"{{"DeviceId":"{id}","Status":"enabled","LastActivityTime":"2026-08-15T09:00:00Z","StatusUpdatedTime":"0001-01-01T00:00:00Z","AuthenticationType":"sas","CloudToDeviceMessageCount":0,"ConnectionState":"Disconnected","IotEdge":false,"ModelId":""}}"#
        )
    };
    assert_eq!(rows(list, &fleet()), ["a1", "b1", "a2", "bare"].map(row));
    assert_eq!(rows(&format!("{list} WHERE STARTSWITH(devices.deviceId,'b')"), &fleet()), ["b1", "bare"].map(row));
    let edge = format!("{list} WHERE (capabilities.iotEdge=true AND status='enabled')");
    assert_eq!(rows(&edge, &fleet()), Vec::<String>::new());
    let one_edge = [device("e").with(|twin| twin.iot_edge = true)];
    assert_eq!(rows(&edge, &one_edge).len(), 1);
    check("SELECT COUNT() AS n FROM devices GROUP BY tags.site", &[r#"{"n":2}"#, r#"{"n":1}"#, r#"{"n":1}"#]);
    check(
        "SELECT tags.site, COUNT() AS n FROM devices GROUP BY tags.site",
        &[r#"{"site":"A","n":2}"#, r#"{"site":"B","n":1}"#, r#"{"n":1}"#],
    );
    for (text, expected) in [
        ("SELECT * FROM devices.modules WHERE deviceId in ['a1']", 1),
        ("SELECT * FROM devices", 4),
        ("SELECT * FROM devices WHERE deviceId = 'a1'", 1),
        ("SELECT * FROM devices WHERE tags.site = 'A'", 2),
        ("SELECT * FROM devices WHERE capabilities.iotEdge = true", 0),
        ("SELECT * FROM devices WHERE properties.reported.n = 1", 1),
        ("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j1'", 0),
    ] {
        let query = query::parse(text).unwrap();
        assert_eq!(fleet().iter().filter(|made| query.matches(&made.0)).count(), expected, "{text}");
    }
}
