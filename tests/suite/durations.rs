//! Lengths of time on the command line.

use proptest::prelude::*;
use std::time::Duration;
use twinscope::protocol::duration::{LONGEST, parse, print};

#[test]
fn as_people_write_them() {
    for (text, ms) in [
        ("0", 0),
        ("0s", 0),
        ("500ms", 500),
        ("1.5s", 1500),
        ("90s", 90_000),
        ("2m", 120_000),
        ("0.5h", 1_800_000),
        ("24h", 86_400_000),
        (" 1s ", 1000),
    ] {
        assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    let digits = format!("{}s", "9".repeat(400));
    for text in ["", "s", "1", "1.5", "-1s", "+1s", "1 s", ".5s", "5.s", "1.5.2s", "1S", "1d", "1e3s", "nan", "ü"] {
        assert!(parse(text).unwrap_err().contains("such as 1.5s"), "{text}");
    }
    for text in ["25h", "86401s", &digits] {
        assert!(parse(text).unwrap_err().contains("longer than 24h"), "{text}");
    }
}

proptest! {
    #[test]
    fn print_and_parse_are_inverse(ms in 0..=u64::try_from(LONGEST.as_millis()).unwrap()) {
        let length = Duration::from_millis(ms);
        prop_assert_eq!(parse(&print(length)), Ok(length));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,20}") {
        if let Ok(length) = parse(&text) {
            prop_assert!(length <= LONGEST);
        }
    }
}
