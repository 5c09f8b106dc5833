//! The part of the reader that reads strings.

use super::read::Reader;

impl Reader<'_> {
    /// A string from its opening quote to behind its closing one. Ends at the line's end when it is not closed.
    pub(super) fn string(&mut self, quote: u8) -> String {
        let open = self.at;
        self.at += 1;
        // Most strings have no escape: one scan, one copy.
        let mut out = self.plain(quote).to_owned();
        loop {
            let at = self.at;
            match self.peek() {
                Some(byte) if byte == quote => {
                    self.at += 1;
                    return out;
                }
                Some(b'\\') => self.escape(&mut out),
                end @ (None | Some(b'\n' | b'\r')) => {
                    self.cut |= end.is_none();
                    self.problem(open..at, "this string is not closed");
                    return out;
                }
                Some(byte @ 0..0x20) => {
                    let message = if byte == b'\t' {
                        "a tab inside a string is written `\\t`".to_owned()
                    } else {
                        format!("a control character inside a string is written `\\u{byte:04x}`")
                    };
                    self.problem(at..at + 1, message);
                    self.at += 1;
                    out.push(char::from(byte));
                }
                Some(_) => out.push_str(self.plain(quote)),
            }
        }
    }

    /// The run of characters that stand for themselves.
    fn plain(&mut self, quote: u8) -> &str {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != quote && byte != b'\\' && byte >= 0x20) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn escape(&mut self, out: &mut String) {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.text[self.at..].chars().next() else { return };
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                self.at += 1;
                return self.unicode(start, out);
            }
            // A line break here ends the string, which is the better complaint.
            '\n' | '\r' => return,
            _ => {
                self.at += c.len_utf8();
                return self.problem(start..self.at, format!("`\\{}` is not an escape of JSON", c.escape_debug()));
            }
        };
        self.at += 1;
        out.push(plain);
    }

    /// Behind `\u`: four hexadecimal digits, or two such escapes that make one character.
    fn unicode(&mut self, start: usize, out: &mut String) {
        let Some(first) = self.four_digits() else {
            return self.problem(start..self.at, "`\\u` is followed by four hexadecimal digits");
        };
        let mut code = u32::from(first);
        if (0xD800..0xDC00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            match self.four_digits() {
                Some(second @ 0xDC00..0xE000) => {
                    code = 0x1_0000 + ((u32::from(first) - 0xD800) << 10) + (u32::from(second) - 0xDC00);
                }
                _ => self.at = back,
            }
        }
        match char::from_u32(code) {
            Some(c) => out.push(c),
            None => self.problem(start..self.at, "half a surrogate pair is not a character"),
        }
    }

    fn four_digits(&mut self) -> Option<u16> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        let mut code = 0;
        for digit in digits {
            code = code * 16 + u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
        self.at += 4;
        Some(code)
    }
}
