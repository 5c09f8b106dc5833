//! What no font has a picture of: a box with the code point in it, so that nothing in a label is a blank.

use egui::epaint::text::{FontPriority, GlyphBitmap, GlyphRasterizer, GlyphRasterizerRequest, RasterizedGlyph};
use egui::{Color32, ColorImage, Context, Vec2};

/// The sixteen digits, three dots wide and five high, a row in each group of three bits from the top.
const DIGITS: [u16; 16] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
    0b010_101_111_101_101,
    0b110_101_110_101_110,
    0b011_100_100_100_011,
    0b110_101_101_101_110,
    0b111_100_110_100_111,
    0b111_100_110_100_100,
];
const HIGH: usize = 5;
const WIDE: usize = 3;

/// Asked after every font.
pub(super) fn install(ctx: &Context) {
    let rasterizer = GlyphRasterizer::new("twinscope::code_box", draw).with_priority(FontPriority::Lowest);
    ctx.add_glyph_rasterizer(rasterizer);
}

/// Two rows of digits in a frame. Of a cluster the first character is told.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // A few dots.
fn draw(request: &GlyphRasterizerRequest) -> Option<RasterizedGlyph> {
    let c = request.cluster.chars().next().filter(|c| !c.is_control() && *c != ' ')?;
    let code = u32::from(c);
    let columns = if code > 0xFFFF { 3 } else { 2 };
    let dot = (request.font_size_px / 14.0).round().max(1.0) as usize;
    let [width, height] = [columns * (WIDE + 1) + 3, 2 * (HIGH + 1) + 3];
    let mut image = ColorImage::filled([width * dot, height * dot], Color32::TRANSPARENT);
    let mut set = |x: usize, y: usize| {
        for (i, j) in (0..dot).flat_map(|i| (0..dot).map(move |j| (i, j))) {
            image[(x * dot + i, y * dot + j)] = super::theme::COVERED;
        }
    };
    for x in 0..width {
        set(x, 0);
        set(x, height - 1);
    }
    for y in 0..height {
        set(0, y);
        set(width - 1, y);
    }
    for n in 0..2 * columns {
        let digit = DIGITS[(code >> (4 * (2 * columns - 1 - n)) & 0xF) as usize];
        let [left, top] = [2 + n % columns * (WIDE + 1), 2 + n / columns * (HIGH + 1)];
        for bit in (0..WIDE * HIGH).filter(|bit| digit >> (WIDE * HIGH - 1 - bit) & 1 == 1) {
            set(left + bit % WIDE, top + bit / WIDE);
        }
    }
    let offset_px = Vec2::new(dot as f32, -(request.font_size_px * 0.8).max(0.0).round() - dot as f32);
    let advance_px = ((width + 2) * dot) as f32;
    Some(RasterizedGlyph { bitmap: GlyphBitmap { image, offset_px, is_color: false }, advance_px })
}
