//! What one keystroke means beside the letter itself: the closing bracket, the indentation of the next line, the pair that
//! goes as one. The text may be broken; a string ends at its line's end at the latest.

/// Spaces of one step of indentation.
pub const STEP: usize = 2;

/// Whether a byte offset stands inside a string. An offset beside the quotes is outside.
#[must_use]
pub fn is_in_string(text: &str, at: usize) -> bool {
    let line = before(text, at).rsplit('\n').next().unwrap_or("");
    let (mut inside, mut escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
    }
    inside
}

/// What closes a bracket or quote typed at an offset, where closing it at once helps: outside of strings, and with nothing
/// behind it that would end up inside.
#[must_use]
pub fn closer(text: &str, at: usize, typed: &str) -> Option<&'static str> {
    let closer = match typed {
        "{" => "}",
        "[" => "]",
        "\"" => "\"",
        _ => return None,
    };
    let next = behind(text, at).chars().next();
    let free = next.is_none_or(|c| c.is_whitespace() || matches!(c, ',' | '}' | ']') || typed == "\"" && c == ':');
    // A quote right behind a string would be its second end.
    let last = before(text, at).chars().next_back();
    let beside_quote = typed == "\"" && last == Some('"');
    (free && !beside_quote && !is_in_string(text, at)).then_some(closer)
}

/// Whether a closing bracket or quote typed at an offset is the one that stands there already, so that the caret only steps over
/// it. A bracket is missing, and thus put in, while the text has not one for each that opens.
#[must_use]
pub fn steps_over(text: &str, at: usize, typed: &str) -> bool {
    if !behind(text, at).starts_with(typed) {
        return false;
    }
    match typed {
        "\"" => is_in_string(text, at) && !is_escaped(before(text, at)),
        "}" | "]" => !is_in_string(text, at) && is_balanced(text),
        _ => false,
    }
}

/// Whether what follows a text inside a string is escaped by it.
fn is_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Whether every bracket outside of strings has its partner.
fn is_balanced(text: &str) -> bool {
    let mut open = Vec::new();
    let (mut inside, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            b'\n' => (inside, escaped) = (false, false),
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ if inside => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' if open.pop() != Some(byte) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Whether an offset stands between an opening bracket or quote and the one that closes it, with nothing between: deleting
/// the first deletes both.
#[must_use]
pub fn is_empty_pair(text: &str, at: usize) -> bool {
    let (Some(left), Some(right)) = (before(text, at).chars().next_back(), behind(text, at).chars().next()) else {
        return false;
    };
    matches!((left, right), ('{', '}') | ('[', ']') | ('"', '"')) && !is_in_string(text, at - left.len_utf8())
}

/// What Enter puts in at an offset, and where in it the caret goes: the indentation of the line, one step more behind an
/// opening bracket, and the closing one, if it stands right behind, on a line of its own.
#[must_use]
pub fn line_break(text: &str, at: usize) -> (String, usize) {
    let line = before(text, at).rsplit('\n').next().unwrap_or("");
    let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let opens = !is_in_string(text, at) && line.trim_end().ends_with(['{', '[']);
    if !opens {
        let typed = format!("\n{indent}");
        let caret = typed.len();
        return (typed, caret);
    }
    let mut typed = format!("\n{indent}{}", " ".repeat(STEP));
    let caret = typed.len();
    let closes = matches!(
        (line.trim_end().chars().next_back(), behind(text, at).chars().next()),
        (Some('{'), Some('}')) | (Some('['), Some(']'))
    );
    if closes {
        typed.push('\n');
        typed.push_str(&indent);
    }
    (typed, caret)
}

/// The bracket beside an offset and the one it belongs to, as byte offsets, the first of the two first. A bracket behind the
/// offset goes before one in front of it. `None` where there is none, or no partner.
#[must_use]
pub fn brackets(text: &str, at: usize) -> Option<(usize, usize)> {
    let is_bracket = |at: &usize| matches!(text.as_bytes().get(*at), Some(b'{' | b'}' | b'[' | b']'));
    let beside: Vec<usize> = [Some(at), at.checked_sub(1)].into_iter().flatten().filter(is_bracket).collect();
    if beside.is_empty() {
        return None;
    }
    let mut open = Vec::new();
    let mut found: [Option<(usize, usize)>; 2] = [None; 2];
    let (mut inside, mut escaped) = (false, false);
    for (n, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => (inside, escaped) = (false, false),
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ if inside => {}
            b'{' | b'[' => open.push((n, byte)),
            b'}' | b']' => {
                let Some((from, opening)) = open.pop() else { continue };
                if (opening == b'{') != (byte == b'}') {
                    continue;
                }
                if let Some(which) = beside.iter().position(|at| *at == n || *at == from) {
                    found[which] = Some((from, n));
                }
            }
            _ => {}
        }
        // Nothing further on can belong to a bracket at the offset once everything open began behind it.
        if n > at && open.last().is_none_or(|(from, _)| *from < beside[beside.len() - 1]) {
            break;
        }
    }
    found[0].or(found[1])
}

fn before(text: &str, at: usize) -> &str {
    &text[..text.floor_char_boundary(at)]
}

fn behind(text: &str, at: usize) -> &str {
    &text[text.floor_char_boundary(at)..]
}
