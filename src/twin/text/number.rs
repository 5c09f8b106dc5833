//! The spelling of numbers, and what to say of those that are not JSON.

/// Whether a text is a number by the grammar of JSON.
pub(super) fn check(spelled: &str) -> Result<(), &'static str> {
    if is_json(spelled.as_bytes()) { Ok(()) } else { Err(complaint(spelled)) }
}

fn is_json(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (whole, rest) = digits(rest);
    if whole == 0 || (whole > 1 && bytes[bytes.len() - rest.len() - whole] == b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            if fraction == 0 {
                return false;
            }
            rest
        }
        None => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"+")).unwrap_or(rest);
            let (exponent, rest) = digits(rest);
            exponent > 0 && rest.is_empty()
        }
        _ => false,
    }
}

fn digits(bytes: &[u8]) -> (usize, &[u8]) {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &bytes[count..])
}

fn complaint(spelled: &str) -> &'static str {
    let unsigned = spelled.strip_prefix('-').unwrap_or(spelled);
    let lower = unsigned.to_ascii_lowercase();
    if spelled.starts_with('+') {
        "a number cannot start with `+`"
    } else if lower.starts_with("0x") || lower.starts_with("0b") || lower.starts_with("0o") {
        "JSON numbers are decimal"
    } else if unsigned.starts_with('.') {
        "a digit is missing before `.`"
    } else if unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.as_bytes()[1].is_ascii_digit() {
        "a number cannot start with `0`"
    } else if unsigned.ends_with('.') || lower.contains(".e") {
        "a digit is missing after `.`"
    } else if unsigned.contains('_') {
        "digits cannot be grouped with `_`"
    } else if lower.starts_with("inf") || lower.starts_with("nan") {
        "JSON knows finite numbers only"
    } else {
        "this is not a number: a text needs double quotes"
    }
}
