//! The words of Microsoft's references, and texts that were copied from somewhere.

use super::device;
use twinscope::query::{checked, heal, parse};

fn twin() -> twinscope::twin::Twin {
    let mut twin = device("dev1").tags(r#"{"group":{"region":"US"},"odd key":1,"list":["a",2,true],"n":31}"#).0;
    twin.model_id = Some("dtmi:com:example:Thermostat;2".into());
    twin.extra.insert("parentScopes".into(), serde_json::json!(["ms-azure-iot-edge://azedge-1"]));
    twin
}

#[test]
fn every_word_of_the_references() {
    let twin = twin();
    for (condition, expected) in [
        ("tags.[[group]].region = 'US'", true),
        ("devices.tags.[[group]].[[region]] = 'US'", true),
        ("[[tags]].[[group]].region = 'US'", true),
        ("tags.[[odd key]] = 1", true),
        ("tags[[group]].region = 'US'", true),
        ("tags.[[where]] = 1", false),
        ("STARTSWITH(id, 'dev')", true),
        ("startswith(id, 'x')", false),
        ("array_contains(parentScopes, 'ms-azure-iot-edge://azedge-1')", true),
        ("ARRAY_CONTAINS(parentScopes, 'other')", false),
        ("array_contains(tags.list, 2)", true),
        ("array_contains(tags.list, true)", true),
        ("array_contains(tags.list, '2')", false),
        ("array_contains(tags.missing, 1)", false),
        ("array_contains(tags.n, 31)", false),
        ("IS_OF_MODEL('dtmi:com:example:Thermostat;1')", true),
        ("IS_OF_MODEL('dtmi:com:example:Thermostat;1', exact)", false),
        ("IS_OF_MODEL('dtmi:com:example:Thermostat;2', exact)", true),
        ("IS_OF_MODEL('dtmi:com:example:Thermostat;3')", false),
        ("has_interface('dtmi:com:example:Thermostat', 2)", true),
        ("has_interface('dtmi:com:example:Thermostat', 1)", false),
        ("HAS_CAPABILITYMODEL('dtmi:com:example:Thermostat')", true),
        ("tags.n = 0x1F", true),
        ("tags.missing = undefined", false),
        ("NOT IS_DEFINED(tags.missing)", true),
        ("tags.n <> 30 AND tags.n != 30", true),
        ("tags.n NIN [1, 2]", true),
        ("(tags.n + 1) / 2 * 2 - 1 % 2 = 31", true),
    ] {
        let query = checked(&format!("SELECT * FROM devices WHERE {condition}"));
        assert_eq!(
            query.unwrap_or_else(|error| panic!("{condition}: {error}")).matches(&twin),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn a_field_that_no_document_has_is_said() {
    for (text, part) in [
        ("SELECT * FROM devices WHERE deviceIdd = 'x'", "did you mean deviceId?"),
        ("SELECT * FROM devices WHERE property.reported.x = 1", "no field `property`"),
        ("SELECT * FROM devices WHERE deviceId = dev1", "a text is written 'dev1'"),
        ("SELECT * FROM devices WHERE properties.battery < 5", "only desired and reported"),
        ("SELECT * FROM devices WHERE capabilities.edge = true", "only iotEdge"),
        ("SELECT * FROM devices WHERE status.word = 'x'", "no parts"),
        ("SELECT battery FROM devices", "no field `battery`"),
        ("SELECT * FROM devices.jobs WHERE tags.x = 1", "a job has no field `tags`"),
    ] {
        let error = checked(text).expect_err(text);
        assert!(error.message.contains(part), "{text}: {}", error.message);
        // Another hub may know it.
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn copied_text_is_healed() {
    for (text, expected) in [
        ("SELECT * FROM devices;", "SELECT * FROM devices"),
        ("SELECT * FROM devices ; ;\n", "SELECT * FROM devices"),
        ("\u{feff}SELECT\u{a0}*\u{200b} FROM devices;\u{200b}", "SELECT * FROM devices"),
        ("SELECT * FROM devices WHERE deviceId = \u{2018}a\u{2019}", "SELECT * FROM devices WHERE deviceId = 'a'"),
        ("WHERE a = \u{201c}it's\u{201d};", "WHERE a = \"it's\""),
        ("WHERE a = 'x\u{2019}", "WHERE a = 'x'"),
        ("WHERE a > \u{2212}5", "WHERE a > -5"),
        // What stands in a text or a name stays.
        ("WHERE a = 'x;\u{a0}\u{201c}\u{200b}'", "WHERE a = 'x;\u{a0}\u{201c}\u{200b}'"),
        ("WHERE a = 'it\\'s;'", "WHERE a = 'it\\'s;'"),
        ("WHERE tags.[[a\u{a0}b;]] = 1;", "WHERE tags.[[a\u{a0}b;]] = 1"),
        ("WHERE a = 'open;", "WHERE a = 'open;"),
    ] {
        assert_eq!(heal(text), expected, "{text:?}");
        assert_eq!(heal(expected), expected, "{expected:?}");
    }
}
