//! The native window: drains what the background half told, paints, sends what was meant. What goes wrong before there
//! is a window becomes one clear message.

use super::{View, prepare, show};
use crate::app::{Action, App, HubState, Moment};
use crate::twin::text::visible;
use crate::worker::event::Fact;
use crate::worker::{Command, Event, Wake, Worker, WorkerOptions};
use eframe::{CreationContext, NativeOptions};
use egui::{Context, ViewportCommand};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NAME: &str = "Twinscope";
/// How long a frame may spend on news before it paints.
const NEWS_BUDGET: Duration = Duration::from_millis(4);
/// How long the start waits for the settings, so that the window opens in its size and theme.
const SETTINGS_PATIENCE: Duration = Duration::from_millis(400);
const SMALLEST: [f32; 2] = [900.0, 600.0];
const FIRST: [f32; 2] = [1280.0, 800.0];

struct Window {
    app: App,
    view: View,
    /// `None` once the program ends.
    worker: Option<Worker>,
    started: Instant,
    title: String,
    /// Size as last seen, and since when: kept once it has been still for a second.
    size: Option<(egui::Vec2, Instant)>,
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// One sentence naming what to install or to run instead, when there is no display, no GL driver or a system library is missing.
pub fn run(options: WorkerOptions) -> Result<(), String> {
    let started = Instant::now();
    let woken: Arc<OnceLock<Context>> = Arc::default();
    let wake: Wake = {
        let woken = Arc::clone(&woken);
        Arc::new(move || {
            if let Some(ctx) = woken.get() {
                ctx.request_repaint();
            }
        })
    };
    let mut window = Window {
        app: App::new(),
        view: View::default(),
        worker: Some(Worker::start(options, wake)),
        started,
        title: String::new(),
        size: None,
    };
    window.await_settings();
    let opened = Arc::new(AtomicBool::new(false));
    let native = native_options(&window.app);
    let creator: eframe::AppCreator = {
        let opened = Arc::clone(&opened);
        Box::new(move |cc: &CreationContext| {
            opened.store(true, Ordering::Relaxed);
            prepare(&cc.egui_ctx);
            // Set exactly once: there is one window.
            woken.set(cc.egui_ctx.clone()).ok();
            Ok(Box::new(window))
        })
    };
    guarded(&opened, || eframe::run_native("twinscope", native, creator))
}

fn native_options(app: &App) -> NativeOptions {
    let size = app.settings.window.map_or(FIRST, |(width, height)| [width.max(SMALLEST[0]), height.max(SMALLEST[1])]);
    NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title(NAME)
            .with_app_id("twinscope")
            .with_inner_size(size)
            .with_min_inner_size(SMALLEST),
        // Ids and values may hold any script.
        system_font_fallback: true,
        ..NativeOptions::default()
    }
}

/// Some libraries panic instead of telling an error while the window is being made; both become a message.
fn guarded(opened: &Arc<AtomicBool>, start: impl FnOnce() -> eframe::Result) -> Result<(), String> {
    let said: Arc<Mutex<Option<String>>> = Arc::default();
    let usual = take_hook();
    let (heard, open, this) = (Arc::clone(&said), Arc::clone(opened), std::thread::current().id());
    set_hook(Box::new(move |info| {
        if open.load(Ordering::Relaxed) || std::thread::current().id() != this {
            usual(info);
        } else if let Ok(mut heard) = heard.lock() {
            *heard = Some(info.payload_as_str().unwrap_or("unknown").to_owned());
        }
    }));
    match catch_unwind(AssertUnwindSafe(start)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(explain(&error.to_string())),
        Err(panic) if opened.load(Ordering::Relaxed) => resume_unwind(panic),
        Err(_) => Err(explain(said.lock().ok().and_then(|said| said.clone()).as_deref().unwrap_or("unknown"))),
    }
}

/// What to install or to run instead.
fn explain(error: &str) -> String {
    // Without the place in the library's source that some errors begin with.
    let error =
        error.split_once("os error at ").and_then(|(_, rest)| rest.split_once(": ")).map_or(error, |(_, text)| text);
    let lower = error.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // Some of these texts are whole structures; their beginning says what there is to say.
    let error: String = error.chars().take(160).collect();
    let instead = "or run `twinscope hub` for the hub without a window";
    if has(&[
        "wayland_display",
        "nor display",
        "display is not set",
        "xopendisplay",
        "open display",
        "no display",
        "x server",
    ]) {
        format!(
            "There is no display to open a window on: start Twinscope in a desktop session (or under Xvfb), {instead} ({error})"
        )
    } else if has(&["xkbcommon", "libx", "could not be loaded", "cannot open shared object", "dlopen", "librar"]) {
        format!(
            "A system library the window needs is missing: install libx11-6, libx11-xcb1, libxkbcommon-x11-0, libxcursor1, libxi6, libxrandr2 and libgl1 (their names on Debian and Ubuntu), {instead} ({error})"
        )
    } else if has(&["gl", "egl", "config", "context", "driver"]) {
        format!(
            "There is no OpenGL driver the window can use: install libgl1-mesa-dri and libegl1 (Mesa's software driver is enough), {instead} ({error})"
        )
    } else {
        format!("The window cannot be opened: {error}; {instead}")
    }
}

impl Window {
    fn now(&self) -> Moment {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Moment { ms, unix_s }
    }

    /// Takes the first events before there is a window, until the settings are among them.
    fn await_settings(&mut self) {
        let until = Instant::now() + SETTINGS_PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(event) = self.worker.as_mut().and_then(|worker| worker.next_within(left)) else { return };
            let settings = matches!(event, Event::Fact(Fact::Settings(_)));
            let now = self.now();
            let commands = self.app.apply(now, event);
            self.send(commands);
            if settings || left.is_zero() {
                return;
            }
        }
    }

    fn send(&self, commands: Vec<Command>) {
        if let Some(worker) = &self.worker {
            for command in commands {
                worker.send(command);
            }
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        let now = self.now();
        for action in actions {
            let commands = self.app.update(now, action);
            self.send(commands);
        }
    }

    /// Takes news until the budget is spent; the rest comes in the next frame.
    fn drain(&mut self, ctx: &Context) {
        let begun = Instant::now();
        loop {
            let Some(event) = self.worker.as_mut().and_then(Worker::try_next) else { return };
            let now = self.now();
            let commands = self.app.apply(now, event);
            self.send(commands);
            if begun.elapsed() > NEWS_BUDGET {
                ctx.request_repaint();
                return;
            }
        }
    }

    fn follow_close(&mut self, ctx: &Context) {
        if ctx.input(|i| i.viewport().close_requested()) && !self.app.quitting {
            self.act(vec![Action::Quit]);
            if self.app.quitting {
                self.view.forget_secret(ctx);
            } else {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            }
        } else if self.app.quitting {
            self.view.forget_secret(ctx);
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// The title names the twin and the hub; neither is a secret.
    fn follow_title(&mut self, ctx: &Context) {
        let mut title = String::new();
        if let Some(tab) = self.app.active_tab() {
            title.push_str(&tab.title());
            title.push_str(" - ");
        }
        if let HubState::Open(info) = &self.app.hub {
            title.push_str(&info.name);
            title.push_str(" - ");
        }
        title.push_str(NAME);
        // A title cannot hold U+0000, and should not hide anything either.
        let title = visible::text(&title).into_owned();
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    fn follow_size(&mut self, ctx: &Context) {
        const STILL: Duration = Duration::from_secs(1);
        // Asked before: inside `input` the context is locked.
        let zoom = ctx.zoom_factor();
        let (size, special) = ctx.input(|i| {
            let viewport = i.viewport();
            let special = viewport.maximized == Some(true) || viewport.fullscreen == Some(true);
            // The size is kept in points of 100 % zoom.
            (viewport.inner_rect.map(|rect| rect.size() * zoom), special)
        });
        let Some(size) = size.filter(|_| !special) else { return };
        match self.size {
            Some((seen, since)) if (seen - size).length() < 1.0 => {
                let kept = self.app.settings.window;
                let differs = kept.is_none_or(|(w, h)| (w - size.x).abs() > 1.0 || (h - size.y).abs() > 1.0);
                if !differs {
                    return;
                }
                let still = since.elapsed();
                if still >= STILL {
                    self.act(vec![Action::SetWindow { width: size.x, height: size.y }]);
                } else {
                    ctx.request_repaint_after(STILL.saturating_sub(still));
                }
            }
            _ => {
                self.size = Some((size, Instant::now()));
                ctx.request_repaint_after(STILL);
            }
        }
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.drain(ctx);
        let tick = self.app.tick(self.now());
        self.send(tick.commands);
        if let Some(ms) = tick.next_ms {
            ctx.request_repaint_after(Duration::from_millis(ms.max(1)));
        }
        if let Some(secret) = self.app.take_clipboard() {
            self.view.copy_secret(ctx, self.app.now, secret.reveal());
        }
        if let Some(text) = self.app.take_copied() {
            ctx.copy_text(text);
        }
        self.follow_close(ctx);
        self.follow_title(ctx);
        self.follow_size(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let actions = show(&self.app, &mut self.view, ui);
        if !actions.is_empty() {
            self.act(actions);
            // What was meant is on screen in the next frame.
            ui.ctx().request_repaint();
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        if let Some(worker) = self.worker.take() {
            worker.stop();
        }
    }
}
