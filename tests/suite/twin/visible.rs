//! What of a text cannot be seen is shown by its code point, and different texts are shown differently.

use proptest::prelude::*;
use twinscope::twin::text::visible::{self, Look};
use twinscope::twin::text::word;

/// Reads back what was written as code points.
fn back(shown: &str) -> String {
    let mut text = String::new();
    let mut rest = shown;
    while let Some(at) = rest.find("[U+") {
        text.push_str(&rest[..at]);
        let (code, behind) = rest[at + 3..].split_once(']').expect("a bracket");
        let (hex, count) = code.split_once('×').unwrap_or((code, "1"));
        let c = char::from_u32(u32::from_str_radix(hex, 16).expect("a number")).expect("a character");
        text.extend(std::iter::repeat_n(c, count.parse().expect("a count")));
        rest = behind;
    }
    text + rest
}

fn any_text() -> impl Strategy<Value = String> {
    let odd = proptest::sample::select(
        "\0\t\n\r\u{7f}\u{85}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{2028}\u{202e}\u{2060}\u{2066}\u{2800}\u{3000}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fffe}\u{e000}\u{e0041}\u{e0100}\u{301}\u{302}\u{20e3}1aаеѕ[U+שلاกำक्ष👨🇩Ａ"
            .chars()
            .collect::<Vec<_>>(),
    );
    proptest::collection::vec(prop_oneof![3 => odd, 1 => any::<char>()], 0..24)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_shown_is_hidden_and_what_is_shown_tells_the_text(text in any_text()) {
        for shown in [visible::text(&text), visible::id(&text)] {
            prop_assert!(!shown.chars().any(visible::is_hidden), "{:?} of {:?}", shown, text);
            prop_assert_eq!(back(&shown), text.as_str());
        }
        prop_assert!(visible::is_ascii(&visible::id(&text)) || visible::id(&text).contains('×'));
    }

    #[test]
    fn the_pieces_are_the_text(text in any_text()) {
        let pieces = visible::pieces(&text);
        let joined: String = pieces.iter().map(|piece| &text[piece.range.clone()]).collect();
        prop_assert_eq!(&joined, &text);
        for piece in &pieces {
            let hidden = text[piece.range.clone()].chars().any(visible::is_hidden);
            prop_assert!(!hidden || piece.look == Look::Named, "{:?} of {:?}", piece, text);
        }
    }

    #[test]
    fn a_word_has_the_character_it_is_of(text in any_text(), at in 0..24usize) {
        let Some((byte, c)) = text.char_indices().nth(at) else { return Ok(()) };
        let word = word::at(&text, byte);
        prop_assert!(c == '\n' && word.is_empty() || word.contains(&byte), "{:?} at {} of {:?}", word, byte, text);
        prop_assert!(!text[word].contains('\n'));
    }
}

#[test]
fn what_cannot_be_seen_is_written() {
    for (text, shown) in [
        ("a", "a"),
        ("\u{200b}a", "[U+200B]a"),
        ("x\u{202e}y\u{2028}", "x[U+202E]y[U+2028]"),
        ("21.5\0", "21.5[U+0000]"),
        ("[U+200B]", "[U+005B]U+200B]"),
        ("pаypal", "p[U+0430]ypal"),
        ("ｐump", "[U+FF50]ump"),
        ("но а потом", "но а потом"),
        ("аео", "[U+0430][U+0435][U+043E]"),
        ("Ωmega µ", "Ωmega µ"),
        ("תל אביב", "תל אביב"),
        ("温度", "温度"),
    ] {
        assert_eq!(visible::text(text), shown, "{text:?}");
    }
    let heap = format!("a{}", "\u{301}".repeat(2000));
    assert_eq!(visible::text(&heap), format!("a{}[U+0301×1996]", "\u{301}".repeat(4)));
    assert_eq!(visible::id("dev-א"), "dev-[U+05D0]");
}

#[test]
fn it_has_a_name() {
    assert_eq!(visible::said("a\u{200b}b", 1).as_deref(), Some("U+200B ZERO WIDTH SPACE"));
    assert_eq!(visible::said("pаypal", 1).as_deref(), Some("U+0430 Cyrillic letter, looks like a"));
    assert_eq!(visible::said("\0", 0).as_deref(), Some("U+0000 NULL"));
    assert_eq!(visible::said("של", 0).as_deref(), Some("Shown letter by letter, in the order of the text"));
    assert_eq!(visible::said("abc", 1), None);
}
