//! Every colour, size and distance of the window. Nothing outside this file names a colour.

use egui::style::{ScrollStyle, Selection, WidgetVisuals};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Vec2, Visuals};

/// One step of the grid, in points.
pub const STEP: f32 = 4.0;
/// Height of a row in a list, of a button and of a field.
pub const ROW: f32 = 24.0;
/// Height of a line of monospaced text.
pub const LINE: f32 = 18.0;
/// A dot that is covered, in the picture of a glyph: it takes the colour of its text.
pub(super) const COVERED: Color32 = Color32::WHITE;
const SMALL: f32 = 11.5;
const BODY: f32 = 13.0;
const HEADING: f32 = 16.0;

/// The colours of one theme. Text colours reach 4.5:1 on every background they stand on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Behind the panels.
    pub frame: Color32,
    /// Lists, side panels, dialogs.
    pub panel: Color32,
    /// Where text is typed or read.
    pub paper: Color32,
    /// A row under the pointer.
    pub hover: Color32,
    /// A row that is chosen.
    pub chosen: Color32,
    pub button: Color32,
    pub button_hover: Color32,
    pub line: Color32,
    pub text: Color32,
    pub weak: Color32,
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    pub good: Color32,
    pub warn: Color32,
    pub bad: Color32,
    /// Behind a banner that warns.
    pub warn_back: Color32,
    /// Behind a banner that tells of a failure.
    pub bad_back: Color32,
    /// Behind a banner that informs.
    pub info_back: Color32,
    pub json_key: Color32,
    pub json_string: Color32,
    pub json_number: Color32,
    pub json_word: Color32,
    /// Behind a dialog.
    pub veil: Color32,
    pub shadow: Color32,
}

const LIGHT: Palette = Palette {
    frame: Color32::from_rgb(0xEC, 0xEE, 0xF1),
    panel: Color32::from_rgb(0xF7, 0xF8, 0xFA),
    paper: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    hover: Color32::from_rgb(0xE8, 0xEB, 0xEF),
    chosen: Color32::from_rgb(0xD3, 0xE4, 0xF8),
    button: Color32::from_rgb(0xE6, 0xE9, 0xED),
    button_hover: Color32::from_rgb(0xDA, 0xDF, 0xE5),
    line: Color32::from_rgb(0xD3, 0xD8, 0xDE),
    text: Color32::from_rgb(0x1B, 0x1F, 0x24),
    weak: Color32::from_rgb(0x53, 0x5C, 0x66),
    accent: Color32::from_rgb(0x0A, 0x56, 0xAD),
    on_accent: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    good: Color32::from_rgb(0x16, 0x63, 0x30),
    warn: Color32::from_rgb(0x7C, 0x4A, 0x00),
    bad: Color32::from_rgb(0xA8, 0x1E, 0x14),
    warn_back: Color32::from_rgb(0xFB, 0xEF, 0xD5),
    bad_back: Color32::from_rgb(0xFB, 0xE7, 0xE4),
    info_back: Color32::from_rgb(0xE3, 0xEE, 0xFA),
    json_key: Color32::from_rgb(0x0A, 0x50, 0x9E),
    json_string: Color32::from_rgb(0x1A, 0x66, 0x38),
    json_number: Color32::from_rgb(0x8A, 0x3B, 0x12),
    json_word: Color32::from_rgb(0x6F, 0x2D, 0x96),
    veil: Color32::from_black_alpha(70),
    shadow: Color32::from_black_alpha(40),
};

const DARK: Palette = Palette {
    frame: Color32::from_rgb(0x12, 0x14, 0x17),
    panel: Color32::from_rgb(0x1B, 0x1E, 0x22),
    paper: Color32::from_rgb(0x15, 0x17, 0x1A),
    hover: Color32::from_rgb(0x26, 0x2A, 0x30),
    chosen: Color32::from_rgb(0x20, 0x3A, 0x59),
    button: Color32::from_rgb(0x2A, 0x2F, 0x35),
    button_hover: Color32::from_rgb(0x35, 0x3B, 0x43),
    line: Color32::from_rgb(0x33, 0x38, 0x3F),
    text: Color32::from_rgb(0xE2, 0xE6, 0xEA),
    weak: Color32::from_rgb(0x9F, 0xA8, 0xB2),
    accent: Color32::from_rgb(0x7C, 0xB8, 0xFB),
    on_accent: Color32::from_rgb(0x0B, 0x1D, 0x33),
    good: Color32::from_rgb(0x77, 0xCF, 0x91),
    warn: Color32::from_rgb(0xE6, 0xB8, 0x5C),
    bad: Color32::from_rgb(0xFF, 0x95, 0x8A),
    warn_back: Color32::from_rgb(0x3A, 0x30, 0x1A),
    bad_back: Color32::from_rgb(0x40, 0x22, 0x20),
    info_back: Color32::from_rgb(0x1C, 0x2C, 0x40),
    json_key: Color32::from_rgb(0x8C, 0xC2, 0xFF),
    json_string: Color32::from_rgb(0xA2, 0xD9, 0xAB),
    json_number: Color32::from_rgb(0xE8, 0xB8, 0x84),
    json_word: Color32::from_rgb(0xD6, 0xAE, 0xF2),
    veil: Color32::from_black_alpha(130),
    shadow: Color32::from_black_alpha(110),
};

/// The colours in force.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    palette_of(if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light })
}

/// The colours of a theme.
#[must_use]
pub fn palette_of(theme: Theme) -> &'static Palette {
    match theme {
        Theme::Dark => &DARK,
        Theme::Light => &LIGHT,
    }
}

/// How far from the line between two panels it can be grabbed, in points. On the side of a text, which takes every drag that begins
/// on it, so much is left free.
pub const GRAB: i8 = 4;

/// Monospace: data.
pub fn mono() -> FontId {
    FontId::new(BODY, FontFamily::Monospace)
}

/// Proportional: words.
pub fn body() -> FontId {
    FontId::new(BODY, FontFamily::Proportional)
}

pub fn small() -> FontId {
    FontId::new(SMALL, FontFamily::Proportional)
}

pub fn small_mono() -> FontId {
    FontId::new(SMALL, FontFamily::Monospace)
}

/// The heavier cut, for headings and what is chosen.
pub fn strong() -> FontId {
    FontId::new(BODY, super::fonts::semibold())
}

pub fn heading() -> FontId {
    FontId::new(HEADING, super::fonts::semibold())
}

/// Sets both styles; which one is used follows the OS until the person chooses.
pub fn apply(ctx: &egui::Context) {
    for theme in [Theme::Light, Theme::Dark] {
        ctx.set_style_of(theme, style(theme));
    }
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
}

fn style(theme: Theme) -> Style {
    let p = palette_of(theme);
    let mut style = Style { visuals: visuals(theme, p), animation_time: 0.0, ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, small()),
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Monospace, mono()),
        (TextStyle::Heading, heading()),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, STEP);
    spacing.button_padding = Vec2::new(8.0, 3.0);
    spacing.interact_size = Vec2::new(ROW, ROW);
    spacing.menu_margin = Margin::same(4);
    spacing.window_margin = Margin::same(16);
    spacing.icon_width = 16.0;
    spacing.text_edit_width = 240.0;
    spacing.scroll = ScrollStyle { bar_width: 8.0, floating: false, ..ScrollStyle::solid() };
    spacing.scroll.bar_inner_margin = 0.0;
    style.interaction.selectable_labels = false;
    style.interaction.resize_grab_radius_side = f32::from(GRAB);
    style.interaction.tooltip_delay = 0.4;
    style.scroll_animation = egui::style::ScrollAnimation::none();
    style
}

fn visuals(theme: Theme, p: &Palette) -> Visuals {
    let mut v = match theme {
        Theme::Dark => Visuals::dark(),
        Theme::Light => Visuals::light(),
    };
    let radius = CornerRadius::same(4);
    let shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: p.shadow };
    v.override_text_color = None;
    v.weak_text_color = Some(p.weak);
    v.panel_fill = p.panel;
    v.window_fill = p.panel;
    v.window_stroke = Stroke::new(1.0, p.line);
    v.window_corner_radius = CornerRadius::same(8);
    v.menu_corner_radius = CornerRadius::same(6);
    v.window_shadow = shadow;
    v.popup_shadow = shadow;
    v.extreme_bg_color = p.paper;
    v.text_edit_bg_color = Some(p.paper);
    v.faint_bg_color = p.hover;
    v.code_bg_color = p.hover;
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.warn;
    v.error_fg_color = p.bad;
    v.selection = Selection { bg_fill: p.chosen, stroke: Stroke::new(1.0, p.accent) };
    v.disabled_alpha = 0.6;
    // A blinking caret would repaint an idle window twice a second.
    v.text_cursor.blink = false;
    v.text_cursor.stroke = Stroke::new(2.0, p.accent);
    let widget = |fill: Color32, edge: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, edge),
        fg_stroke: Stroke::new(1.0, text),
        corner_radius: radius,
        expansion: 0.0,
    };
    v.widgets.noninteractive = widget(p.panel, p.line, p.text);
    v.widgets.inactive = widget(p.button, p.line, p.text);
    v.widgets.hovered = widget(p.button_hover, p.weak, p.text);
    v.widgets.active = widget(p.button_hover, p.accent, p.text);
    v.widgets.open = widget(p.button_hover, p.accent, p.text);
    v
}
