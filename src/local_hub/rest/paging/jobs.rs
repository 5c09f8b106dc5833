//! Pages of `devices.jobs`: a row for each job on each device.

use super::{CHUNK, PAGE_TIME, Page, PageRequest, Position, Rows};
use crate::local_hub::hub::Hub;
use crate::twin::Json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Rows are ordered by job and device; a position is `job/device` or `job/device/module`.
pub fn rows(hub: &Hub, request: &PageRequest, abandoned: &AtomicBool) -> Page {
    let started = Instant::now();
    let top = request.query.top().unwrap_or(usize::MAX);
    let mut out = Rows::default();
    let mut after = request.from.after.clone();
    loop {
        let chunk = hub.jobs().rows_after(after.as_deref().and_then(|after| after.split_once('/')), CHUNK);
        if chunk.is_empty() || request.from.rows + out.count >= top {
            return Page { body: out.finish(), next: None };
        }
        let here = |after: &Option<String>, rows: usize| Position {
            q: request.fingerprint.clone(),
            after: after.clone(),
            rows: request.from.rows + rows,
        };
        for row in chunk {
            let position = format!("{}/{}", row.job_id, row.id);
            let row = row.to_map();
            if request.query.matches_job(&row) {
                if request.from.rows + out.count >= top {
                    return Page { body: out.finish(), next: None };
                }
                let row = Json::Object(row).to_string();
                if !out.has_room(&row, request.page_size) {
                    let next = Some(here(&after, out.count));
                    return Page { body: out.finish(), next };
                }
                out.push(&row);
            }
            after = Some(position);
        }
        if started.elapsed() > PAGE_TIME || abandoned.load(Ordering::Relaxed) {
            let next = Some(here(&after, out.count));
            return Page { body: out.finish(), next };
        }
    }
}
