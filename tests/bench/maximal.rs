//! Twins as large as a hub allows.

use twinscope::twin::rules;
use twinscope::twin::{JsonMap, Twin, text, wire};

/// A section of `size` by the hub's formula: objects of small settings, as sections are.
pub fn section(size: usize) -> JsonMap {
    let mut map = JsonMap::new();
    for number in 0.. {
        // 8 for the key, 8 + 8 for the number, 6 + 16 for the string, 7 + 4 for the boolean.
        if rules::size(&map) + 57 > size {
            break;
        }
        let group = text::value(&format!(r#"{{"interval":{number},"siteId":"{number:016}","enabled":true}}"#));
        map.insert(format!("group{number:03}"), group.expect("valid JSON"));
    }
    let rest = size - rules::size(&map);
    if rest > 0 {
        map.insert("x".to_owned(), "y".repeat(rest - 1).into());
    }
    map
}

/// Both properties and the tags at their limit.
pub fn maximal() -> Twin {
    let small = br#"{"deviceId":"device","etag":"AAAAAAAAAAE=","properties":{}}"#;
    let mut twin = wire::parse(small).expect("a twin");
    twin.desired.values = section(rules::PROPERTIES_MAX);
    twin.reported.values = section(rules::PROPERTIES_MAX);
    twin.tags = section(rules::TAGS_MAX);
    twin
}

/// Desired and reported of many short values, each as large as this when printed with indentation. The hub would refuse
/// the larger ones; the editor must not mind.
#[allow(dead_code)] // Not every bench that takes this file asks for it.
pub fn of_text_size(bytes: usize) -> Twin {
    let mut twin = maximal();
    let mut map = JsonMap::new();
    let mut size = 0;
    for number in 0.. {
        let group = format!(r#"{{"interval":{number},"siteId":"{number:04}","enabled":true,"mode":"eco"}}"#);
        // Six lines with their indentation.
        size += 112;
        if size > bytes {
            break;
        }
        map.insert(format!("group{number:04}"), text::value(&group).expect("valid JSON"));
    }
    twin.desired.values.clone_from(&map);
    twin.reported.values = map;
    twin
}
