//! Small signs painted as shapes, so that they look the same with every font.

use super::theme::Palette;
use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2};

/// How an identity stands: shape first, colour second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dot {
    /// Connected.
    Filled,
    /// Disabled, or on its way.
    Half,
    /// Not connected.
    Hollow,
    /// Connected when it was last heard of.
    Past,
}

pub fn dot(painter: &Painter, center: Pos2, kind: Dot, p: &Palette) {
    let radius = 4.0;
    let color = match kind {
        Dot::Filled => p.good,
        Dot::Half => p.warn,
        Dot::Hollow | Dot::Past => p.weak,
    };
    match kind {
        Dot::Filled | Dot::Past => {
            painter.circle_filled(center, radius, color);
        }
        Dot::Hollow => {
            painter.circle_stroke(center, radius - 0.75, Stroke::new(1.5, color));
        }
        Dot::Half => {
            painter.circle_stroke(center, radius - 0.75, Stroke::new(1.5, color));
            let half: Vec<Pos2> = (0..=12_u8)
                .map(|n| {
                    let angle = std::f32::consts::FRAC_PI_2 + std::f32::consts::PI * f32::from(n) / 12.0;
                    center + radius * Vec2::angled(angle)
                })
                .collect();
            painter.add(Shape::convex_polygon(half, color, Stroke::NONE));
        }
    }
}

/// A small triangle: right when closed, down when open.
pub fn arrow(painter: &Painter, center: Pos2, open: bool, color: Color32) {
    let points = if open {
        vec![center + Vec2::new(-4.0, -2.0), center + Vec2::new(4.0, -2.0), center + Vec2::new(0.0, 3.0)]
    } else {
        vec![center + Vec2::new(-2.0, -4.0), center + Vec2::new(3.0, 0.0), center + Vec2::new(-2.0, 4.0)]
    };
    painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
}

/// Where a chevron points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// An open arrow head: to the one before, to the next.
pub fn chevron(way: Way) -> impl Fn(&Painter, Rect, &Palette) {
    move |painter, rect, p| {
        let tip = if way == Way::Up { -2.5 } else { 2.5 };
        let at = |x: f32, y: f32| rect.center() + Vec2::new(x, y);
        painter.add(Shape::line(vec![at(-4.5, -tip), at(0.0, tip), at(4.5, -tip)], Stroke::new(1.5, p.text)));
    }
}

/// Two arrows that pass each other: one text takes the place of another.
pub fn swap(painter: &Painter, rect: Rect, p: &Palette) {
    let stroke = Stroke::new(1.25, p.text);
    for (y, way) in [(-3.0, 1.0), (3.0, -1.0)] {
        let at = |x: f32, dy: f32| rect.center() + Vec2::new(way * x, y + dy);
        painter.line_segment([at(-5.5, 0.0), at(5.5, 0.0)], stroke);
        painter.add(Shape::line(vec![at(2.5, -2.5), at(5.5, 0.0), at(2.5, 2.5)], stroke));
    }
}

/// Letters in the place of a sign.
pub fn letters(text: &'static str) -> impl Fn(&Painter, Rect, &Palette) {
    move |painter, rect, p| {
        painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, super::theme::small_mono(), p.text);
    }
}

/// Three sliders: what can be set.
pub fn sliders(painter: &Painter, rect: Rect, p: &Palette) {
    let stroke = Stroke::new(1.25, p.text);
    for (y, knob) in [(-4.5, -2.0), (0.0, 2.5), (4.5, -1.0)] {
        let at = |x: f32| rect.center() + Vec2::new(x, y);
        painter.line_segment([at(-6.5), at(6.5)], stroke);
        painter.circle(at(knob), 2.0, p.frame, stroke);
    }
}

/// A cross, for closing.
pub fn cross(painter: &Painter, rect: Rect, color: Color32) {
    let rect = Rect::from_center_size(rect.center(), Vec2::splat(7.0));
    let stroke = Stroke::new(1.25, color);
    painter.line_segment([rect.left_top(), rect.right_bottom()], stroke);
    painter.line_segment([rect.right_top(), rect.left_bottom()], stroke);
}

/// The sun, the moon, or both halves: light, dark, as the OS says.
pub fn theme(painter: &Painter, center: Pos2, choice: crate::disk::ThemeChoice, color: Color32) {
    use crate::disk::ThemeChoice::{Dark, Light, System};
    let stroke = Stroke::new(1.25, color);
    match choice {
        System => {
            painter.circle_stroke(center, 6.0, stroke);
            let half: Vec<Pos2> = (0..=16_u8)
                .map(|n| {
                    let angle = std::f32::consts::FRAC_PI_2 + std::f32::consts::PI * f32::from(n) / 16.0;
                    center + 6.0 * Vec2::angled(angle)
                })
                .collect();
            painter.add(Shape::convex_polygon(half, color, Stroke::NONE));
        }
        Light => {
            painter.circle_stroke(center, 3.5, stroke);
            for n in 0..8_u8 {
                let ray = Vec2::angled(std::f32::consts::FRAC_PI_4 * f32::from(n));
                painter.line_segment([center + 5.5 * ray, center + 7.5 * ray], stroke);
            }
        }
        Dark => {
            let outer = (0..=14_u8).map(|n| {
                let angle = 0.7 + (std::f32::consts::TAU - 2.2) * f32::from(n) / 14.0;
                center + 6.0 * Vec2::angled(angle - 0.3)
            });
            let inner = (0..=14_u8).rev().map(|n| {
                let angle = 1.2 + (std::f32::consts::TAU - 3.2) * f32::from(n) / 14.0;
                center + Vec2::new(2.6, -1.2) + 4.2 * Vec2::angled(angle - 0.3)
            });
            let mut points: Vec<Pos2> = outer.chain(inner).collect();
            if let Some(first) = points.first().copied() {
                points.push(first);
            }
            painter.add(Shape::line(points, stroke));
        }
    }
}
