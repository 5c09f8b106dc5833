//! Names of the characters that cannot be seen, and the letters that look like ASCII ones.

use unicode_properties::{GeneralCategory as Gc, UnicodeGeneralCategory};

/// Names as Unicode gives them; of controls the usual ones.
const NAMES: &[(char, &str)] = &[
    ('\u{0}', "NULL"),
    ('\u{7}', "BELL"),
    ('\u{8}', "BACKSPACE"),
    ('\u{9}', "TAB"),
    ('\u{A}', "LINE FEED"),
    ('\u{B}', "LINE TABULATION"),
    ('\u{C}', "FORM FEED"),
    ('\u{D}', "CARRIAGE RETURN"),
    ('\u{1B}', "ESCAPE"),
    ('\u{7F}', "DELETE"),
    ('\u{85}', "NEXT LINE"),
    ('\u{A0}', "NO-BREAK SPACE"),
    ('\u{AD}', "SOFT HYPHEN"),
    ('\u{34F}', "COMBINING GRAPHEME JOINER"),
    ('\u{61C}', "ARABIC LETTER MARK"),
    ('\u{115F}', "HANGUL CHOSEONG FILLER"),
    ('\u{1160}', "HANGUL JUNGSEONG FILLER"),
    ('\u{1680}', "OGHAM SPACE MARK"),
    ('\u{180E}', "MONGOLIAN VOWEL SEPARATOR"),
    ('\u{2002}', "EN SPACE"),
    ('\u{2003}', "EM SPACE"),
    ('\u{2007}', "FIGURE SPACE"),
    ('\u{2009}', "THIN SPACE"),
    ('\u{200A}', "HAIR SPACE"),
    ('\u{200B}', "ZERO WIDTH SPACE"),
    ('\u{200C}', "ZERO WIDTH NON-JOINER"),
    ('\u{200D}', "ZERO WIDTH JOINER"),
    ('\u{200E}', "LEFT-TO-RIGHT MARK"),
    ('\u{200F}', "RIGHT-TO-LEFT MARK"),
    ('\u{2028}', "LINE SEPARATOR"),
    ('\u{2029}', "PARAGRAPH SEPARATOR"),
    ('\u{202A}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202B}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202C}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202D}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202E}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{202F}', "NARROW NO-BREAK SPACE"),
    ('\u{205F}', "MEDIUM MATHEMATICAL SPACE"),
    ('\u{2060}', "WORD JOINER"),
    ('\u{2061}', "FUNCTION APPLICATION"),
    ('\u{2062}', "INVISIBLE TIMES"),
    ('\u{2063}', "INVISIBLE SEPARATOR"),
    ('\u{2064}', "INVISIBLE PLUS"),
    ('\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
    ('\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
    ('\u{2068}', "FIRST STRONG ISOLATE"),
    ('\u{2069}', "POP DIRECTIONAL ISOLATE"),
    ('\u{20E3}', "COMBINING ENCLOSING KEYCAP"),
    ('\u{2800}', "BRAILLE PATTERN BLANK"),
    ('\u{3000}', "IDEOGRAPHIC SPACE"),
    ('\u{3164}', "HANGUL FILLER"),
    ('\u{FEFF}', "ZERO WIDTH NO-BREAK SPACE"),
    ('\u{FFA0}', "HALFWIDTH HANGUL FILLER"),
];

/// Letters of other scripts and the ASCII letters they look like.
const ALIKE: &[(&str, &str)] = &[
    // Cyrillic
    ("аеорсухіјѕһԁԛԝӏүґ", "aeopcyxijshdqwlyr"),
    ("АВЕКМНОРСТУХЅІЈԚԜҮӀ", "ABEKMHOPCTYXSIJQWYI"),
    // Greek
    ("ορνικυαγ", "opvikuay"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳ", "ABEZHIKMNOPTYXCj"),
    // Armenian, Cherokee, and letters that only look old or small
    ("օոսհցզյքԱՕՏ", "onuhgqjpUOS"),
    ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "ABCDEGHJKLMPRSTVWZ"),
    ("ıɑɡɩʟⅼⅽⅾⅿⅰⅴⅹKÅſ", "iagilLcdmivxKAs"),
];

/// The ASCII character this one looks like.
#[must_use]
pub fn looks_like(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    // Full width forms, and the letters and digits of mathematics, of which those with holes in their block stay out.
    if let Some(ascii) = u32::from(c).checked_sub(0xFEE0).filter(|n| (0x21..=0x7E).contains(n)) {
        return char::from_u32(ascii).filter(char::is_ascii_alphanumeric);
    }
    if ('\u{1D400}'..='\u{1D6A3}').contains(&c) {
        let n = (u32::from(c) - 0x1D400) % 52;
        return char::from_u32(if n < 26 { 0x41 + n } else { 0x61 + n - 26 });
    }
    if ('\u{1D7CE}'..='\u{1D7FF}').contains(&c) {
        return char::from_u32(0x30 + (u32::from(c) - 0x1D7CE) % 10);
    }
    ALIKE.iter().find_map(|(foreign, ascii)| {
        let at = foreign.chars().position(|other| other == c)?;
        ascii.chars().nth(at)
    })
}

/// One of two that make a flag.
pub(super) fn is_regional(c: char) -> bool {
    ('\u{1F1E6}'..='\u{1F1FF}').contains(&c)
}

/// The name of a character, or of its kind.
#[must_use]
pub fn name(c: char) -> &'static str {
    if let Ok(at) = NAMES.binary_search_by_key(&c, |(known, _)| *known) {
        return NAMES[at].1;
    }
    match c {
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => return "VARIATION SELECTOR",
        '\u{E0000}'..='\u{E007F}' => return "TAG CHARACTER",
        '\u{400}'..='\u{52F}' => return "Cyrillic letter",
        '\u{370}'..='\u{3FF}' => return "Greek letter",
        '\u{530}'..='\u{58F}' => return "Armenian letter",
        '\u{13A0}'..='\u{13FF}' => return "Cherokee letter",
        '\u{FF01}'..='\u{FF5E}' => return "full width character",
        '\u{1D400}'..='\u{1D7FF}' => return "mathematical character",
        _ => {}
    }
    match c.general_category() {
        Gc::Control => "control character",
        Gc::Format => "format character",
        Gc::PrivateUse => "private use character",
        Gc::SpaceSeparator => "space",
        Gc::NonspacingMark | Gc::SpacingMark | Gc::EnclosingMark => "combining mark",
        Gc::Unassigned if u32::from(c) & 0xFFFE == 0xFFFE || ('\u{FDD0}'..='\u{FDEF}').contains(&c) => "noncharacter",
        Gc::Unassigned => "unassigned code point",
        _ => "character",
    }
}
