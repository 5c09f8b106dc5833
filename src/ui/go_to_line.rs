//! *Go to line…*: a number, or a line and a column.

use super::dialogs::{Leave, acts, modal};
use super::theme::palette;
use super::{Frame, editing, press, when, widgets};
use crate::app::Action;
use crate::app::dialog::Field;
use crate::twin::text::lines;
use egui::{Context, Id, RichText};

pub(super) fn ui(f: &mut Frame, ctx: &Context, typed: &str) -> bool {
    let fresh = f.view.take_fresh("Go to line");
    let Some((tab, text)) = f.app.active_tab().and_then(|tab| Some((tab, editing::text_of(tab)?))) else {
        return true;
    };
    let count = text.split('\n').count();
    modal(ctx, "Go to line", 320.0, Leave::OnBackdrop, |ui| {
        let width = ui.available_width();
        let hint = format!("1 to {}, or line:column", when::grouped(count));
        let (response, changed) = widgets::field(ui, Id::unique("go-to-line"), "Line", typed, &hint, width);
        if fresh {
            response.request_focus();
        }
        let enter = press::entered(ui, &response);
        // As it stands now: the digits and Enter may arrive in one frame.
        let typed = changed.clone().unwrap_or_else(|| typed.to_owned());
        if let Some(text) = changed {
            f.push(Action::DialogText { field: Field::Text, text });
        }
        let place = place(&typed, count);
        let problem = place.as_ref().err().filter(|_| !typed.trim().is_empty());
        if let Some(problem) = problem {
            let color = palette(ui).bad;
            ui.label(RichText::new(problem).color(color));
        }
        acts(ui, |ui| {
            let off = place.as_ref().err().map(String::as_str);
            let clicked = widgets::primary(ui, "Go", off).clicked();
            if ui.button("Cancel").clicked() {
                f.push(Action::CloseDialog);
            }
            if let (true, Ok((line, column))) = (clicked || enter, &place) {
                f.push(Action::CloseDialog);
                f.view.focus_before = None;
                editing::go_to(f, ui.ctx(), tab, lines::offset_of(text, *line, *column));
            } else if enter {
                response.request_focus();
            }
        });
    })
}

/// Line and column, both from 1.
fn place(typed: &str, count: usize) -> Result<(usize, usize), String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("Type the number of a line".to_owned());
    }
    let (line, column) = typed.split_once([':', ',']).unwrap_or((typed, "1"));
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number > 0);
    match (number(line), number(column)) {
        (Some(line), Some(column)) if line <= count => Ok((line, column)),
        (Some(_), Some(_)) => Err(format!("The text has {}", when::count(count, "line"))),
        _ => Err("Not a line, or a line and a column such as 12:5".to_owned()),
    }
}
