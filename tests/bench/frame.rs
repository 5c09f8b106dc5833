//! CPU time of one frame of the main window, 1600×1000 points, tessellation included and the GPU left out: 100,000 devices
//! are listed, and a twin as large as a hub allows is open on its desired section.

mod listed;
mod maximal;

use criterion::{Criterion, criterion_group, criterion_main};
use egui::{Event, Key, Modifiers, Pos2, RawInput, Rect, Vec2};
use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use twinscope::app::tab::Pane;
use twinscope::app::{Action, App, HubState, Moment};
use twinscope::twin::draft::Reading;
use twinscope::twin::{Twin, rules};
use twinscope::ui::{self, View};
use twinscope::worker::event::Outcome;
use twinscope::worker::{self, Command, Event as News};

/// Whether somebody listens with a screen reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Absent,
    Listening,
}

struct Window {
    app: App,
    view: View,
    ctx: egui::Context,
    now: Moment,
    /// What the last frame meant, and how long taking it in took.
    meant: Vec<Action>,
    taking: Duration,
    /// What the background half was asked to read.
    reading: Option<(worker::Key, Box<Reading>)>,
}

impl Window {
    /// The caret stands in a number of the desired section.
    fn open(reader: Reader) -> Self {
        let twin = maximal::maximal();
        assert_eq!(rules::size(&twin.desired.values), rules::PROPERTIES_MAX);
        let mut window = Self::showing(reader, twin);
        window.put_on_a_number();
        window
    }

    fn showing(reader: Reader, twin: Twin) -> Self {
        let mut app = listed::listed();
        assert!(matches!(app.hub, HubState::Open(_)));
        let commands = app.update(Moment::default(), Action::OpenTwin(twin.id.clone()));
        let key = commands.iter().find_map(|command| match command {
            Command::LoadTwin { key, .. } => Some(*key),
            _ => None,
        });
        let outcome = Ok(Outcome::Twin(Arc::new(twin)));
        drop(app.apply(Moment::default(), News::Done { key: key.expect("the twin is loaded"), outcome }));
        let ctx = egui::Context::default();
        ui::prepare(&ctx);
        if reader == Reader::Listening {
            ctx.enable_accesskit();
        }
        let (now, taking) = (Moment::default(), Duration::ZERO);
        let mut window = Self { app, view: View::default(), ctx, now, meant: Vec::new(), taking, reading: None };
        window.settle();
        window
    }

    /// The caret goes into the number of the third line.
    fn put_on_a_number(&mut self) {
        // F6 goes to the list, then to the editor.
        for key in [Key::F6, Key::F6] {
            self.press(Modifiers::NONE, key);
        }
        self.press(Modifiers::COMMAND, Key::Home);
        for key in [Key::ArrowDown, Key::ArrowDown, Key::End, Key::ArrowLeft, Key::ArrowLeft] {
            self.press(Modifiers::NONE, key);
        }
    }

    /// One frame as eframe runs it, to the triangles.
    fn frame(&mut self, events: Vec<Event>) {
        self.now.ms += 16;
        #[allow(clippy::cast_precision_loss)] // Milliseconds of a bench.
        let time = self.now.ms as f64 / 1000.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, Vec2::new(1600.0, 1000.0))),
            time: Some(time),
            focused: true,
            events,
            ..RawInput::default()
        };
        let Self { app, view, ctx, now, meant, taking, reading } = self;
        app.now = *now;
        meant.clear();
        let mut output = ctx.run_ui(input, |ui| meant.extend(ui::show(app, view, ui)));
        let begun = cpu();
        for action in meant.iter() {
            let asked = app.update(*now, action.clone()).into_iter().find_map(|command| match command {
                Command::ReadText { key, reading } => Some((key, reading)),
                _ => None,
            });
            *reading = asked.or(reading.take());
        }
        *taking = cpu().saturating_sub(begun);
        // Nobody uploads them.
        output.textures_delta.clear();
        black_box(ctx.tessellate(output.shapes, output.pixels_per_point));
        black_box(output.platform_output);
    }

    /// The frame that follows a keystroke, in which the answer of the background half is there: on a processor of its own it
    /// needs less than the time between two frames.
    fn after(&mut self) -> Duration {
        let answer = self.reading.take().map(|(key, reading)| {
            let outcome = Ok(Outcome::TextRead(Box::new(reading.read())));
            News::Done { key, outcome }
        });
        let begun = cpu();
        if let Some(answer) = answer {
            drop(self.app.apply(self.now, answer));
        }
        self.frame(Vec::new());
        cpu().saturating_sub(begun)
    }

    fn settle(&mut self) {
        for _ in 0..8 {
            self.frame(Vec::new());
        }
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        self.frame(vec![event(true), event(false)]);
        self.settle();
    }

    /// Types a digit, or takes it back, so that the text stays valid and as long as it is.
    fn keystroke(&mut self, turn: u64) -> Duration {
        let key = Key::Backspace;
        let event = if turn.is_multiple_of(2) {
            Event::Text("1".to_owned())
        } else {
            Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
        };
        let begun = Instant::now();
        self.frame(vec![event]);
        let took = begun.elapsed();
        assert!(matches!(self.meant[..], [Action::Edit { .. }]), "the key did not reach the editor: {:?}", self.meant);
        took
    }
}

fn measure(c: &mut Criterion, name: &str, reader: Reader) {
    let mut window = Window::open(reader);
    let mut group = c.benchmark_group(name);
    group.bench_function("idle", |b| b.iter(|| window.frame(Vec::new())));
    // Counted on over all runs: an odd number of iterations must not type twice in a row.
    let mut turn = 0;
    group.bench_function("taking a keystroke", |b| {
        b.iter_custom(|rounds| {
            let mut took = Duration::ZERO;
            for _ in 0..rounds {
                took += window.keystroke(turn);
                turn += 1;
                window.after();
            }
            took
        });
    });
    group.bench_function("after a keystroke", |b| {
        b.iter_custom(|rounds| {
            let mut took = Duration::ZERO;
            for _ in 0..rounds {
                window.keystroke(turn);
                turn += 1;
                took += window.after();
            }
            took
        });
    });
    group.finish();
    let draft = window.app.active_tab().and_then(|tab| tab.draft.as_ref()).expect("the twin is open");
    assert!(draft.desired.problems.is_empty(), "what was typed is no valid number: {:?}", draft.desired.problems);
}

fn frame(c: &mut Criterion) {
    measure(c, "frame", Reader::Absent);
    measure(c, "frame with a screen reader", Reader::Listening);
}

/// CPU time of this thread, so that what else the machine does is left out; the clock where the system does not tell.
fn cpu() -> Duration {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    // Linux counts up to the last tick, 4 ms away at worst, unless the thread has just offered its place.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    ns.map_or_else(|| BEGUN.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// Prints the middle and the slowest but one in a hundred.
fn print_spread(name: &str, mut took: Vec<Duration>) {
    took.sort();
    let ms = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!("{name:<48} p50 {:6.2} ms   p99 {:6.2} ms   of {}", ms(50), ms(99), took.len());
}

/// Text sizes from a usual section to the largest document.
const SIZES_KB: [usize; 4] = [32, 72, 100, 375];

/// CPU from a key to the triangles of its frame, and of a frame in which a read-only pane is scrolled.
fn spread(_: &mut Criterion) {
    const FRAMES: u64 = 300;
    println!();
    for kb in SIZES_KB {
        let mut window = Window::showing(Reader::Absent, maximal::of_text_size(kb * 1024));
        window.put_on_a_number();
        let (mut taking, mut after) = (Vec::new(), Vec::new());
        let measured = |turn| {
            let begun = cpu();
            window.keystroke(turn);
            let took = cpu().saturating_sub(begun);
            taking.push(window.taking);
            after.push(window.after());
            took
        };
        print_spread(&format!("keystroke in {kb} KB"), (0..FRAMES).map(measured).collect());
        print_spread("  of which the draft takes", taking);
        print_spread("  the frame after it", after);
        for pane in [Pane::Reported, Pane::Document] {
            let id = window.app.active_tab().expect("the twin is open").id.clone();
            drop(window.app.update(window.now, Action::ShowPane(id, pane)));
            window.settle();
            window.frame(vec![Event::PointerMoved(Pos2::new(700.0, 400.0))]);
            let scrolled = |turn: u64| {
                let y = if (turn / 50).is_multiple_of(2) { -90.0 } else { 90.0 };
                let wheel = Event::MouseWheel {
                    unit: egui::MouseWheelUnit::Point,
                    delta: Vec2::new(0.0, y),
                    phase: egui::TouchPhase::Move,
                    source: egui::MouseWheelSource::Unknown,
                    modifiers: Modifiers::NONE,
                };
                let begun = cpu();
                window.frame(vec![wheel]);
                cpu().saturating_sub(begun)
            };
            let name = format!("{pane:?} scrolled, {kb} KB each section");
            print_spread(&name, (0..FRAMES).map(scrolled).collect());
        }
    }
}

criterion_group!(benches, spread, frame);
criterion_main!(benches);
