//! The faces the window is set in: Inter for words, `JetBrains Mono` for data, both shipped in `assets/fonts/` under the
//! SIL Open Font License. What they lack (other scripts in ids and values) comes from the system's fonts: the native
//! window switches that on (`NativeOptions::system_font_fallback`).

use egui::{FontData, FontDefinitions, FontFamily};
use std::sync::Arc;

const REGULAR: &str = "Inter";
const SEMIBOLD: &str = "Inter SemiBold";
const MONO: &str = "JetBrains Mono";

/// The family of the heavier cut.
pub fn semibold() -> FontFamily {
    FontFamily::Name(SEMIBOLD.into())
}

pub fn install(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::empty();
    let faces: [(&str, &'static [u8]); 3] = [
        (REGULAR, include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        (SEMIBOLD, include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
        (MONO, include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
    ];
    for (name, bytes) in faces {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let order = |first: &str, second: &str| vec![first.to_owned(), second.to_owned()];
    fonts.families.insert(FontFamily::Proportional, order(REGULAR, MONO));
    fonts.families.insert(FontFamily::Monospace, order(MONO, REGULAR));
    fonts.families.insert(semibold(), order(SEMIBOLD, MONO));
    ctx.set_fonts(fonts);
}
