//! Texts in every script: what is typed, deleted and selected where it is drawn lands where the text says.

use super::super::scene::{Scene, module};
use super::super::{find, sized};
use super::{letters, marked, press, text};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use proptest::prelude::*;
use std::cell::RefCell;
use twinscope::app::Action;
use twinscope::twin::Section;

/// One word or more of each script, and what people paste.
const WORDS: &[&str] = &[
    "של",
    "חדר מכונות",
    "שָׁלוֹם",
    "درجة 42 حرارة",
    "پمپ\u{200c}ها ۱۲",
    "درجہ حرارت",
    "ܫܠܡܐ",
    "ߒߞߏ",
    "ދިވެހި",
    "อุณหภูมิ",
    "น้ำ",
    "กำลัง",
    "ນ້ຳ",
    "तापमान क्षेत्र",
    "তাপমাত্রা",
    "ఉష్ణోగ్రత",
    "வெப்பநிலை",
    "សីតុណ្ហភាព",
    "အပူချိန်",
    "དྲོད་ཚད",
    "👨\u{200d}👩\u{200d}👧",
    "👍🏽",
    "1\u{fe0f}\u{20e3}",
    "🇩🇪🇫🇷",
    "温度センサー",
    "온도",
    "e\u{301}te\u{301}",
    "a\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
    "abc של def",
    "Wärme µ Ω",
    "pаypal",
    "a\u{200b}b",
    "\u{202e}gnp",
    "x\u{2028}y",
    "\u{0}",
    "\u{e000}\u{fffe}",
    "office ->",
];

/// Where each character of a text is drawn, as a screen reader is told: the text of each line, the left edges, the row.
struct Line {
    text: String,
    lefts: Vec<f32>,
    widths: Vec<f32>,
    rect: Rect,
}

impl Line {
    /// Where a caret stands in front of a character.
    fn x(&self, n: usize) -> f32 {
        let end = || self.lefts.last().map_or(0.0, |left| left + self.widths.last().unwrap());
        self.rect.left() + self.lefts.get(n).copied().unwrap_or_else(end)
    }

    /// The places a click can reach: not between characters that share one picture.
    fn edges(&self, count: usize) -> Vec<usize> {
        (0..=count).filter(|n| *n == count || self.widths[*n] > 0.0).collect()
    }
}

fn lines(harness: &Harness<'_, Scene>, name: &str, role: Role) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let node = find(harness, role, name);
    for run in node.accesskit_node().children().filter(|run| run.role() == Role::TextRun) {
        let data = run.data();
        let text = data.value().unwrap_or_default().to_owned();
        let (lefts, widths) =
            (data.character_positions().unwrap_or_default(), data.character_widths().unwrap_or_default());
        let lengths: Vec<usize> = text.chars().map(char::len_utf8).collect();
        assert_eq!(data.character_lengths().iter().map(|n| usize::from(*n)).collect::<Vec<_>>(), lengths, "{text:?}");
        assert!(lefts.windows(2).all(|two| two[0] <= two[1]), "{text:?} is drawn in another order: {lefts:?}");
        assert_eq!((lefts.len(), widths.len()), (lengths.len(), lengths.len()), "{text:?}");
        let bounds = data.bounds().expect("a place");
        #[allow(clippy::cast_possible_truncation)]
        let [x0, y0, x1, y1] = [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(|n| n as f32);
        let rect = Rect::from_min_max(pos2(x0, y0), pos2(x1, y1));
        lines.push(Line { text, lefts: lefts.to_vec(), widths: widths.to_vec(), rect });
    }
    lines
}

fn desired<'a>(text: &str) -> Harness<'a, Scene> {
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: text.to_owned() });
    // Wide, so that all of a line can be clicked.
    let mut harness = sized(scene, [6000.0, 800.0]);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness
}

fn set(harness: &mut Harness<'_, Scene>, text: &str) {
    // What was said under the pointer goes.
    harness.event(Event::PointerMoved(pos2(5.0, 700.0)));
    harness.run();
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text: text.to_owned() });
    harness.run();
}

fn button(harness: &mut Harness<'_, Scene>, pos: Pos2, pressed: bool) {
    harness.event(Event::PointerMoved(pos));
    harness.event(Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
    harness.run();
}

/// Clicks, with a pause that makes the next click no double one.
fn click(harness: &mut Harness<'_, Scene>, pos: Pos2) {
    button(harness, pos, true);
    button(harness, pos, false);
    harness.run_steps(30);
}

/// The runs of a text are its characters; U+0000 is shown by its symbol.
fn check_runs(harness: &Harness<'_, Scene>, name: &str, role: Role, text: &str) {
    let told: String = lines(harness, name, role).iter().map(|line| line.text.as_str()).collect();
    assert_eq!(told, text.replace('\0', "\u{2400}"), "{name}");
}

const FIELD: (&str, Role) = ("Desired JSON", Role::MultilineTextInput);

#[test]
fn a_screen_reader_gets_the_characters_of_every_script() {
    let mut harness = desired("{}");
    for word in WORDS {
        let text = format!("{{\n  \"n\": \"{word}\",\n  \"{word}\": 60\n}}");
        set(&mut harness, &text);
        check_runs(&harness, FIELD.0, FIELD.1, &text);
    }
}

#[test]
fn a_digit_typed_behind_a_number_lands_there_whatever_stands_above() {
    let mut harness = desired("{}");
    for word in WORDS {
        let text = format!("{{\n\"n\": \"{word}\",\n\"interval\": 60,\n\"m\": 1\n}}");
        set(&mut harness, &text);
        let at = lines(&harness, FIELD.0, FIELD.1);
        let line = at.iter().find(|line| line.text.starts_with("\"interval\"")).expect("the line");
        let place = pos2(line.x("\"interval\": 60".chars().count()), line.rect.center().y);
        click(&mut harness, place);
        letters(&mut harness, "9");
        assert_eq!(self::text(&harness), text.replace("60,", "609,").replace('\0', "\u{2400}"), "{word:?}");
    }
}

thread_local! {
    static WINDOW: RefCell<Option<Harness<'static, Scene>>> = const { RefCell::new(None) };
}

/// What a person does between two places of a line.
fn act(harness: &mut Harness<'_, Scene>, line: &str, from: usize, to: usize, deed: usize) {
    let above = WORDS[(from + to) % WORDS.len()];
    let whole = format!("{{\"n\": \"{above}\"\n{line}\n\"m\": 1}}");
    set(harness, &whole);
    let told = lines(harness, FIELD.0, FIELD.1);
    let count = line.chars().count();
    let start = whole.chars().position(|c| c == '\n').unwrap() + 1;
    // Lines longer than a run have several: these are short.
    let drawn = &told[1];
    let edges = drawn.edges(count);
    let (from, to) = (edges[from % edges.len()], edges[to % edges.len()]);
    let (a, b) = (pos2(drawn.x(from), drawn.rect.center().y), pos2(drawn.x(to), drawn.rect.center().y));
    let mut model: Vec<char> = whole.chars().collect();
    match deed {
        0 => {
            click(harness, a);
            letters(harness, "7");
            model.insert(start + from, '7');
        }
        1 => {
            click(harness, a);
            let after: Vec<Rect> = lines(harness, FIELD.0, FIELD.1).iter().map(|line| line.rect).collect();
            let said: Vec<String> = super::labels(harness).into_iter().filter(|l| l.contains("line")).collect();
            assert_eq!(
                super::caret(harness),
                (2, from + 1),
                "{a:?} {:?} in {line:?} after {after:?} {said:?}",
                drawn.rect
            );
            press(harness, Modifiers::NONE, Key::Backspace);
            model.remove(start + from - 1);
        }
        _ => {
            button(harness, a, true);
            harness.event(Event::PointerMoved(b));
            harness.run();
            button(harness, b, false);
            harness.run_steps(30);
            press(harness, Modifiers::NONE, Key::Delete);
            if from == to {
                model.remove(start + from);
            } else {
                model.drain(start + from.min(to)..start + from.max(to));
            }
        }
    }
    let model: String = model.into_iter().collect();
    assert_eq!(text(harness), model.replace('\0', "\u{2400}"), "{deed} from {from} to {to} of {line:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn what_is_done_at_drawn_places_is_done_at_those_of_the_text(
        words in proptest::collection::vec(0..WORDS.len(), 1..3),
        (from, to) in (0..64usize, 0..64usize),
        deed in 0..3usize,
    ) {
        let line: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        // One window for all: after a failure a new one.
        let mut harness = WINDOW.take().unwrap_or_else(|| desired("{}"));
        act(&mut harness, &format!("\"{}\"", line.join(" ")), from, to, deed);
        WINDOW.set(Some(harness));
    }
}

#[test]
fn a_double_click_takes_the_word_under_the_pointer() {
    for (line, word) in [
        ("\"interval\": 60,", "60"),
        ("\"t\": 21.5,", "21.5"),
        ("\"חדר\": 1", "חדר"),
        ("\"น้ำ\": 1", "น้ำ"),
        ("[60,70]", "70"),
        ("\"temp_low\": 1", "temp_low"),
    ] {
        let mut harness = desired(line);
        let at = line.find(word).unwrap();
        let (first, last) = (line[..at].chars().count(), line[..at + word.len()].chars().count());
        let drawn = lines(&harness, FIELD.0, FIELD.1).remove(0);
        let (left, right) = (drawn.x(first), drawn.x(last));
        for x in [left + 1.0, right - 1.0] {
            set(&mut harness, line);
            let pos = pos2(x, drawn.rect.center().y);
            harness.event(Event::PointerMoved(pos));
            for pressed in [true, false, true, false] {
                let button = PointerButton::Primary;
                harness.event(Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE });
            }
            harness.run();
            letters(&mut harness, "x");
            assert_eq!(text(&harness), line.replace(word, "x"), "{word} of {line} at {x}");
            harness.run_steps(30);
        }
    }
}

#[test]
fn a_click_in_the_middle_of_what_is_told_of_the_editor_reaches_it() {
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(9000));
    let mut harness = desired(&long);
    let bounds = find(&harness, FIELD.1, FIELD.0).accesskit_node().raw_bounds().expect("a place");
    assert!(bounds.x1 <= 6000.0 && bounds.y1 <= 800.0, "{bounds:?}");
    #[allow(clippy::cast_possible_truncation)]
    let centre = pos2(f64::midpoint(bounds.x0, bounds.x1) as f32, f64::midpoint(bounds.y0, bounds.y1) as f32);
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    click(&mut harness, centre);
    assert!(find(&harness, FIELD.1, FIELD.0).is_focused());
}

#[test]
fn the_older_keys_of_the_clipboard_work() {
    let mut harness = super::editing("{\"a\": |12}");
    press(&mut harness, Modifiers::SHIFT, Key::ArrowRight);
    let copied = |harness: &Harness<'_, Scene>| {
        harness
            .output()
            .platform_output
            .commands
            .iter()
            .any(|command| matches!(command, egui::OutputCommand::CopyText(text) if text == "1"))
    };
    let key = |harness: &mut Harness<'_, Scene>, key, modifiers| {
        harness.event(Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers });
        harness.step();
    };
    key(&mut harness, Key::Insert, Modifiers::COMMAND);
    assert!(copied(&harness));
    key(&mut harness, Key::Delete, Modifiers::SHIFT);
    assert!(copied(&harness));
    harness.run();
    assert_eq!(marked(&harness), "{\"a\": |2}");
    key(&mut harness, Key::Insert, Modifiers::SHIFT);
    let asked = harness
        .output()
        .viewport_output
        .values()
        .any(|viewport| viewport.commands.contains(&egui::ViewportCommand::RequestPaste));
    assert!(asked, "the native window is asked for the clipboard");
}

#[test]
fn no_string_holds_a_nul() {
    let mut harness = desired("{\"a\0\": \"b\0c\"}");
    let strings = |harness: &Harness<'_, Scene>| {
        let nodes = harness.root().children_recursive().map(|node| {
            let data = node.accesskit_node().data().clone();
            [data.label(), data.value(), data.description(), data.placeholder(), data.tooltip()]
                .map(|s| s.map(str::to_owned))
        });
        nodes.flatten().flatten().collect::<Vec<_>>()
    };
    let all = strings(&harness);
    assert!(all.len() > 50 && all.iter().all(|said| !said.contains('\0')));
    assert!(all.iter().any(|said| said.contains("a[U+0000]")), "a change names the key");
    check_runs(&harness, FIELD.0, FIELD.1, "{\"a\0\": \"b\0c\"}");
    super::paste(&mut harness, "\0");
    assert!(strings(&harness).iter().all(|said| !said.contains('\0')));
}

#[test]
fn every_field_holds_its_characters() {
    let mut harness = desired("{}");
    let name = "Search devices";
    find(&harness, Role::TextInput, name).focus();
    harness.run();
    for word in WORDS.iter().filter(|word| !word.contains('\0')) {
        press(&mut harness, Modifiers::COMMAND, Key::A);
        let typed = format!("x{word}60");
        super::paste(&mut harness, &typed);
        check_runs(&harness, name, Role::TextInput, &typed);
        let drawn = lines(&harness, name, Role::TextInput).remove(0);
        // What does not fit is scrolled away to the left: its end is in sight.
        let end = typed.chars().count();
        let edge = find(&harness, Role::TextInput, name).rect();
        let x = drawn.x(end - 1);
        if drawn.rect.right() > edge.right() {
            continue;
        }
        click(&mut harness, pos2(x, drawn.rect.center().y));
        letters(&mut harness, "9");
        let value = find(&harness, Role::TextInput, name).value().unwrap_or_default();
        assert_eq!(value, format!("x{word}690"), "{word:?}");
    }
}

/// It draws nothing, and is no character that cannot be seen.
#[test]
fn a_space_between_letters_of_any_script_is_a_space() {
    for text in ["חדר מכונות", "درجہ حرارت", "\u{1F468} \u{0E19}\u{0E49}\u{0E33} x", "a\u{200b} b"] {
        let mut harness = desired("{}");
        set(&mut harness, &format!("\"11111\"\n{text}"));
        let told = lines(&harness, FIELD.0, FIELD.1);
        let digit = told[0].x(3) - told[0].x(2);
        for (n, _) in text.chars().enumerate().filter(|(_, c)| *c == ' ') {
            let width = told[1].x(n + 1) - told[1].x(n);
            assert!(width > 1.0 && width < digit * 1.5, "{text:?}: the space is {width} wide, a digit {digit}");
        }
    }
}
