//! What holds for every document. 256 cases each unless `PROPTEST_CASES` says otherwise.

use super::given::{any_documents, documents, json, numbers, pairs, path, twins};
use proptest::prelude::*;
use twinscope::twin::diff::{diff, revert};
use twinscope::twin::patch::{apply, between, inverse};
use twinscope::twin::rules::{self, Form};
use twinscope::twin::{Json, JsonMap, Path, Section, Segment, text, wire};

/// Every scalar and array of a document, with its path.
fn leaves(document: &JsonMap, at: &Path, out: &mut Vec<(Path, Json)>) {
    for (key, value) in document {
        match value {
            Json::Object(inner) => leaves(inner, &at.key(key), out),
            leaf => out.push((at.key(key), leaf.clone())),
        }
    }
}

pub fn all_leaves(document: &JsonMap) -> Vec<(Path, Json)> {
    let mut out = Vec::new();
    leaves(document, &Path::root(), &mut out);
    out
}

/// Every value of a document against the slice of the text its span says it is.
fn spans_slice(text: &str, parsed: &text::Parsed, value: &Json, at: &Path) -> Result<(), TestCaseError> {
    let span = parsed.span(at).ok_or_else(|| TestCaseError::fail(format!("no span for {at}")))?;
    prop_assert_eq!(&json(&text[span.value.clone()]), value);
    if let Some(Segment::Key(key)) = at.0.last() {
        prop_assert_eq!(json(&text[span.key.clone().expect("a property has a key")]), Json::from(key.as_str()));
    }
    prop_assert_eq!(&parsed.path_at(span.value.start), at);
    match value {
        Json::Object(map) => map.iter().try_for_each(|(key, value)| spans_slice(text, parsed, value, &at.key(key))),
        Json::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| spans_slice(text, parsed, item, &at.index(index)))
        }
        _ => Ok(()),
    }
}

proptest! {
    #[test]
    fn a_patch_between_two_documents_leads_from_one_to_the_other((base, wanted) in pairs()) {
        let mut patched = base.clone();
        apply(&mut patched, &between(&base, &wanted));
        prop_assert_eq!(patched, wanted);
    }

    #[test]
    fn an_inverse_takes_a_patch_back(base in documents(), patch in any_documents()) {
        let back = inverse(&base, &patch);
        let mut document = base.clone();
        apply(&mut document, &patch);
        apply(&mut document, &back);
        prop_assert_eq!(document, base);
    }

    #[test]
    fn nothing_lies_between_a_document_and_itself(document in documents()) {
        prop_assert!(between(&document, &document).is_empty());
        prop_assert!(diff(&document, &document).is_empty());
    }

    #[test]
    fn a_patch_is_empty_exactly_when_the_documents_are_equal((base, wanted) in pairs()) {
        prop_assert_eq!(between(&base, &wanted).is_empty(), base == wanted);
    }

    #[test]
    fn a_patch_carries_one_leaf_per_change((base, wanted) in pairs()) {
        fn count(value: &Json, base: Option<&Json>) -> usize {
            match (value, base) {
                (Json::Object(patch), Some(Json::Object(base))) => {
                    patch.iter().map(|(key, value)| count(value, base.get(key))).sum()
                }
                _ => 1,
            }
        }
        let patch = between(&base, &wanted);
        let changes = diff(&base, &wanted);
        prop_assert_eq!(count(&Json::Object(patch), Some(&Json::Object(base))), changes.len());
    }

    #[test]
    fn applying_a_patch_twice_changes_nothing_more(base in documents(), patch in any_documents()) {
        let mut once = base;
        apply(&mut once, &patch);
        let mut twice = once.clone();
        apply(&mut twice, &patch);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn a_diff_is_empty_exactly_when_the_documents_are_equal((before, after) in pairs()) {
        prop_assert_eq!(diff(&before, &after).is_empty(), before == after);
    }

    #[test]
    fn a_diff_says_what_stood_and_what_stands((before, after) in pairs()) {
        for change in diff(&before, &after) {
            prop_assert_eq!(change.path.find(&before), change.before.as_ref());
            prop_assert_eq!(change.path.find(&after), change.after.as_ref());
        }
    }

    #[test]
    fn all_changes_reverted_give_the_document_before((before, after) in pairs(), turn in any::<prop::sample::Index>()) {
        let mut changes = diff(&before, &after);
        if !changes.is_empty() {
            let middle = turn.index(changes.len());
            changes.rotate_left(middle);
        }
        let mut document = after;
        for change in &changes {
            revert(&mut document, &before, change);
            prop_assert_eq!(change.path.find(&document), change.before.as_ref());
        }
        prop_assert_eq!(document, before);
    }

    #[test]
    fn print_and_parse_are_inverse(document in any_documents()) {
        let printed = text::pretty(&document);
        let parsed = text::parse(&printed);
        prop_assert_eq!(&parsed.problems, &vec![]);
        prop_assert_eq!(parsed.document.as_ref(), Some(&document));
        prop_assert_eq!(text::pretty(parsed.document.as_ref().unwrap()), printed.clone());
        spans_slice(&printed, &parsed, &Json::Object(document), &Path::root())?;
    }

    #[test]
    fn numbers_keep_their_spelling(spelled in numbers()) {
        let line = format!("{{\"n\":{spelled}}}");
        prop_assert_eq!(json(&line).to_string(), line.as_str());
        prop_assert_eq!(Json::Object(text::parse(&line).document.unwrap()).to_string(), line);
    }

    #[test]
    fn reads_what_serde_json_reads(document in any_documents()) {
        // Except for the spelling of exponents, which serde_json changes.
        let printed = Json::Object(document).to_string();
        let theirs: Json = serde_json::from_str(&printed).unwrap();
        prop_assert_eq!(json(&json(&printed).to_string()), json(&printed));
        prop_assert_eq!(serde_json::from_str::<Json>(&json(&printed).to_string()).unwrap(), theirs);
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        well_formed(&text)?;
    }

    #[test]
    fn text_that_is_nearly_json_is_read_without_panic(text in "[\\{\\}\\[\\],:\"'\\\\u0-9a-f.eE+ \n\tä“-]{0,60}") {
        well_formed(&text)?;
    }

    #[test]
    fn mistakes_in_json_are_read_without_panic(
        document in any_documents(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3, prop::sample::select(
            vec!['{', '}', '[', ']', ',', ':', '"', '\'', '\\', '/', '*', '#', '-', '0', 'e', 'u', ' ', '\n', 'ä', '\u{1F600}', '\0'],
        )), 1..6),
    ) {
        let mut chars: Vec<char> = text::pretty(&document).chars().collect();
        for (at, how, c) in edits {
            let at = at.index(chars.len().max(1)).min(chars.len().saturating_sub(1));
            match how {
                0 => chars.insert(at, c),
                1 if !chars.is_empty() => { chars.remove(at); }
                _ if !chars.is_empty() => chars[at] = c,
                _ => chars.push(c),
            }
        }
        well_formed(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn a_twin_survives_the_wire(twin in twins()) {
        let sent = wire::to_json(&twin);
        prop_assert_eq!(&wire::from_json(sent.clone()), &Ok(twin.clone()));
        prop_assert_eq!(wire::parse(sent.to_string().as_bytes()), Ok(twin));
    }

    #[test]
    fn any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(wire::parse(&bytes).is_err());
    }

    #[test]
    fn any_json_is_refused_or_a_twin(document in any_documents()) {
        prop_assert!(wire::from_json(Json::Object(document)).is_err());
    }

    #[test]
    fn rules_point_at_what_is_there(document in any_documents()) {
        for violation in rules::check(Section::Reported, &document, Form::Document) {
            prop_assert!(violation.path == path("") || violation.path.find(&document).is_some());
        }
        let as_patch = rules::check(Section::Tags, &document, Form::Patch);
        prop_assert!(as_patch.iter().all(|violation| violation.rule != rules::Rule::NullValue));
    }
}

/// A document exactly when there is no problem, and agreement with `serde_json` on what is one.
fn well_formed(text: &str) -> Result<(), TestCaseError> {
    let parsed = text::parse(text);
    prop_assert_eq!(parsed.document.is_some(), parsed.problems.is_empty(), "{:?}", parsed.problems);
    for problem in &parsed.problems {
        prop_assert!(text.get(problem.range.clone()).is_some(), "{:?}", problem);
        prop_assert_eq!((problem.line, problem.column), text::line_column(text, problem.range.start));
    }
    for (index, span) in parsed.spans.iter().enumerate() {
        prop_assert!(text.get(span.whole()).is_some(), "{:?}", span);
        prop_assert!(span.parent.is_none_or(|parent| parent < index));
        prop_assert!(span.after > index && span.after <= parsed.spans.len());
    }
    // Read as from the wire, where a key may stand twice.
    let read = text::value(text);
    let reference = serde_json::from_str::<Json>(text);
    if !text.starts_with('\u{feff}') && !text.contains("$serde_json") {
        prop_assert_eq!(read.is_ok(), reference.is_ok(), "{:?} {:?}", read, reference);
    }
    if let Some(document) = parsed.document {
        prop_assert_eq!(read, Ok(Json::Object(document)));
    }
    Ok(())
}
