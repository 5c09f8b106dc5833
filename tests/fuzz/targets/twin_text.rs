//! JSON as people type it and as it comes over the network: the two readers, serde_json as a second opinion on them, and what patches,
//! splices, merges, rules and drafts promise about what was read. Three texts, parted by the byte 0xFF.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twinscope::twin::text::splice::{Edit, made, moved, splice};
use twinscope::twin::text::{self, LEVELS_MAX, Parsed, pretty};
use twinscope::twin::{Json, JsonMap, Section, diff, merge, patch, rules, wire};

/// Below the levels at which one of the readers gives up.
const LEVELS_SAFE: usize = 60;
/// Values of a text beyond which not every one is looked up again: that takes the square of them.
const SPANS_MAX: usize = 300;

/// What was read, and that all places in it are places in the text.
fn typed(text: &str) -> Parsed {
    let parsed = text::parse(text);
    assert_eq!(parsed.document.is_none(), !parsed.problems.is_empty(), "{:?}", parsed.problems);
    for problem in &parsed.problems {
        assert!(text.get(problem.range.clone()).is_some(), "{problem:?}");
        assert_eq!((problem.line, problem.column), text::line_column(text, problem.range.start));
    }
    for (index, span) in parsed.spans.iter().enumerate() {
        assert!(text.get(span.value.clone()).is_some() && text.get(span.whole()).is_some(), "{span:?}");
        assert!(index < span.after && span.after <= parsed.spans.len());
        assert!(span.parent.is_none_or(|parent| parent < index && index < parsed.spans[parent].after));
    }
    let Some(document) = &parsed.document else { return parsed };
    for (index, span) in parsed.spans.iter().enumerate().take(SPANS_MAX) {
        let path = parsed.path(index);
        assert_eq!(parsed.span(&path), Some(span));
        assert_eq!(parsed.path_at(span.value.start), path);
        if index > 0 {
            let value = path.find(document).expect("a value");
            assert_eq!(text::value(&text[span.value.clone()]).as_ref(), Ok(value), "{path}");
        }
    }
    assert_eq!(text::parse(&pretty(document)).document.as_ref(), Some(document));
    parsed
}

/// What serde_json says of the same text, where both can say anything.
fn second_opinion(text: &str) {
    let ours = text::value(text);
    // A text that begins with a byte order mark is for ours alone; the key is one serde_json keeps for itself.
    if text.starts_with('\u{feff}') || text.contains("serde_json") || levels(text) > LEVELS_SAFE {
        return;
    }
    match (ours, serde_json::from_str::<Json>(text)) {
        (Ok(ours), Ok(theirs)) => {
            // They respell numbers: `1E5` is `1e+5`.
            assert_eq!(serde_json::from_str::<Json>(&ours.to_string()).ok(), Some(theirs));
            assert_eq!(text::value(&ours.to_string()), Ok(ours));
        }
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{ours:?} is {theirs:?} to serde_json"),
    }
}

/// At least the levels of nesting in it.
fn levels(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count()
}

/// Without `null` outside arrays: what a section is.
fn section(document: &JsonMap) -> JsonMap {
    let mut section = JsonMap::new();
    patch::apply(&mut section, document);
    section
}

fn patched(text: &str, parsed: &Parsed, document: &JsonMap, patch: &JsonMap, order: &JsonMap) {
    let edits = splice(text, parsed, patch, order).expect("it parses");
    assert!(edits.windows(2).all(|two| two[0].range.end <= two[1].range.start), "{edits:?}");
    for Edit { range, .. } in &edits {
        assert!(text.get(range.clone()).is_some());
    }
    let after = made(text, &edits);
    let mut applied = document.clone();
    patch::apply(&mut applied, patch);
    assert_eq!(text::parse(&after).document.as_ref(), Some(&applied), "{after}");
    let ends: Vec<usize> = [0, text.len() / 2, text.len()].iter().map(|offset| moved(&edits, *offset)).collect();
    assert!(ends.is_sorted() && ends[2] <= after.len(), "{ends:?}");
}

fn laws(base: &JsonMap, mine: &JsonMap, theirs: &JsonMap) {
    let mut patched = base.clone();
    patch::apply(&mut patched, &patch::between(base, mine));
    assert_eq!(&patched, mine);
    let changes = diff::diff(base, mine);
    assert_eq!(changes.is_empty(), base == mine);
    let mut reverted = mine.clone();
    changes.iter().for_each(|change| diff::revert(&mut reverted, base, change));
    assert_eq!(&reverted, base);
    assert_eq!(&merge::three_way(base, mine, base).merged, mine);
    assert_eq!(&merge::three_way(base, base, theirs).merged, theirs);
    let merged = merge::three_way(base, mine, theirs);
    let resolved = merged.resolved(base, theirs, |_| merge::Choice::Mine);
    assert_eq!(resolved, merged.merged);
    let _theirs = merged.resolved(base, theirs, |_| merge::Choice::Theirs);
}

fn ruled(document: &JsonMap) {
    for which in [Section::Tags, Section::Desired] {
        let all = rules::check(which, document, rules::Form::Document);
        let as_patch = rules::check(which, document, rules::Form::Patch);
        assert!(as_patch.len() <= all.len());
        for violation in all {
            assert!(!violation.to_string().is_empty());
            assert!(violation.path.0.is_empty() || violation.path.find(document).is_some(), "{violation:?}");
        }
    }
    assert!(rules::size(document) <= pretty(document).len());
}

fn twin(body: &[u8]) {
    let Ok(twin) = wire::parse(body) else { return };
    let again = wire::from_json(wire::to_json(&twin)).expect("a twin");
    assert_eq!(again, twin);
    let text = wire::to_json(&twin).to_string();
    assert_eq!(wire::parse(text.as_bytes()).expect("a twin"), twin);
}

fuzz_target!(|data: &[u8]| {
    twin(data);
    let mut texts = data.split(|byte| *byte == 0xff).map(|text| std::str::from_utf8(text).unwrap_or_default());
    let text = texts.next().unwrap_or_default();
    second_opinion(text);
    let parsed = typed(text);
    for offset in [0, 1, text.len() / 2, text.len(), text.len() + 1] {
        let _path = parsed.path_at(offset);
    }
    let Some(document) = parsed.document.clone() else { return };
    ruled(&document);
    let mut other = || texts.next().and_then(|text| typed(text).document).unwrap_or_default();
    let (patch, order) = (other(), other());
    if levels(text) <= LEVELS_MAX / 2 {
        patched(text, &parsed, &document, &patch, &order);
    }
    laws(&section(&document), &section(&patch), &section(&order));
});
