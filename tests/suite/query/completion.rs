//! What is proposed while a query is typed.

use twinscope::query::{CompletionKind, complete, property_path};
use twinscope::twin::{Path, Section, Segment};

const PATHS: &[&str] = &["tags.site", "tags.Floor", "properties.reported.battery", "tags.[[odd key]]"];

/// `marked` is the text with `|` at the caret; answers the text after taking the first proposal, caret and all.
fn first(marked: &str) -> Option<String> {
    let caret = marked.find('|').unwrap();
    let mut text = marked.replace('|', "");
    let proposal = complete(&text, caret, PATHS).into_iter().next()?;
    text.replace_range(proposal.replace.clone(), &format!("{}|", proposal.insert));
    Some(text)
}

fn all(marked: &str) -> Vec<String> {
    let caret = marked.find('|').unwrap();
    complete(&marked.replace('|', ""), caret, PATHS).into_iter().map(|proposal| proposal.insert).collect()
}

#[test]
fn the_first_proposal() {
    for (before, after) in [
        ("|", "SELECT|"),
        ("sel|", "SELECT|"),
        ("SEL|EC * FROM devices", "SELECT| * FROM devices"),
        ("SELECT |", "SELECT * FROM devices|"),
        ("SELECT * F|", "SELECT * FROM|"),
        ("SELECT * FROM |", "SELECT * FROM devices|"),
        ("SELECT * FROM devices.m|", "SELECT * FROM devices.modules|"),
        ("SELECT * FROM devices |", "SELECT * FROM devices WHERE|"),
        ("SELECT * FROM devices G|", "SELECT * FROM devices GROUP BY|"),
        ("SELECT * FROM devices GROUP |", "SELECT * FROM devices GROUP BY|"),
        ("SELECT dev|", "SELECT deviceId|"),
        ("SELECT TOP 5 dev| FROM devices", "SELECT TOP 5 deviceId| FROM devices"),
        ("SELECT deviceId, CO| FROM devices", "SELECT deviceId, connectionState| FROM devices"),
        ("SELECT deviceId, COUN| FROM devices", "SELECT deviceId, COUNT()| FROM devices"),
        ("SELECT deviceId |", "SELECT deviceId FROM|"),
        ("SELECT AVG(tags.f|) FROM devices", "SELECT AVG(tags.Floor|) FROM devices"),
        ("SELECT * FROM devices WHERE devices.dev|", "SELECT * FROM devices WHERE devices.deviceId|"),
        ("SELECT * FROM devices WHERE tags.s|", "SELECT * FROM devices WHERE tags.site|"),
        ("SELECT * FROM devices WHERE tags['|", ""),
        ("SELECT * FROM devices WHERE properties.rep|", "SELECT * FROM devices WHERE properties.reported|"),
        (
            "SELECT * FROM devices WHERE properties.reported.b|",
            "SELECT * FROM devices WHERE properties.reported.battery|",
        ),
        ("SELECT * FROM devices WHERE starts|", "SELECT * FROM devices WHERE STARTSWITH(|"),
        ("SELECT * FROM devices WHERE STARTSWITH(mod|", "SELECT * FROM devices WHERE STARTSWITH(moduleId|"),
        ("SELECT * FROM devices WHERE a = tr|", "SELECT * FROM devices WHERE a = true|"),
        ("SELECT * FROM devices WHERE a = true |", "SELECT * FROM devices WHERE a = true AND|"),
        ("SELECT * FROM devices WHERE NOT IS_D|", "SELECT * FROM devices WHERE NOT IS_DEFINED(|"),
        ("SELECT * FROM devices WHERE deviceId IN [|", "SELECT * FROM devices WHERE deviceId IN [deviceId|"),
        ("SELECT COUNT() AS n FROM devices GROUP BY tags.s|", "SELECT COUNT() AS n FROM devices GROUP BY tags.site|"),
        ("SELECT a AS |", ""),
        ("SELECT TOP |", ""),
        ("SELECT * FROM devices WHERE a = 'dev|'", ""),
        ("SELECT zzz|", ""),
    ] {
        assert_eq!(first(before).unwrap_or_default(), after, "{before}");
    }
}

#[test]
fn what_belongs_together() {
    assert_eq!(all("SELECT * FROM |"), ["devices", "devices.modules", "devices.jobs"]);
    assert_eq!(all("SELECT * FROM devices WHERE tags|"), ["tags.site", "tags.Floor", "tags.[[odd key]]"]);
    let condition = complete("SELECT * FROM devices WHERE ", 28, PATHS);
    for kind in [CompletionKind::Field, CompletionKind::Property, CompletionKind::Function, CompletionKind::Keyword] {
        assert!(condition.iter().any(|proposal| proposal.kind == kind), "{kind:?}");
    }
    assert!(condition.iter().all(|proposal| proposal.replace == (28..28)));
}

#[test]
fn a_caret_beyond_the_text_or_inside_a_character_is_harmless() {
    assert_eq!(complete("sel", 99, PATHS).len(), 1);
    assert_eq!(complete("ä", 1, PATHS)[0].replace, 0..0);
}

#[test]
fn property_paths_are_written_as_the_parser_reads_them() {
    let path = Path(vec![
        Segment::Key("a".into()),
        Segment::Key("it's odd".into()),
        Segment::Index(2),
        Segment::Key("1".into()),
        Segment::Key("group".into()),
        Segment::Key("a]]".into()),
    ]);
    for (section, expected) in [
        (Section::Tags, "tags.a.[[it's odd]][2].[[1]].[[group]]['a]]']"),
        (Section::Desired, "properties.desired.a.[[it's odd]][2].[[1]].[[group]]['a]]']"),
        (Section::Reported, "properties.reported.a.[[it's odd]][2].[[1]].[[group]]['a]]']"),
    ] {
        let text = property_path(section, &path);
        assert_eq!(text, expected);
        twinscope::query::parse(&format!("SELECT {text} FROM devices")).unwrap();
    }
}
