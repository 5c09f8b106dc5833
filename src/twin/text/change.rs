//! What changed between two texts, as few edits that leave every unchanged line alone.

use super::splice::Edit;
use std::ops::Range;

/// Beyond this many lines taken out and put in, a change counts as one piece.
const DISTANCE_MAX: usize = 400;

/// The edits that make `new` of `old`, in text order and without overlap: [`super::splice::made`] makes them.
#[must_use]
pub fn between(old: &str, new: &str) -> Vec<Edit> {
    if old == new {
        return Vec::new();
    }
    // Most changes are one place: what stands before and behind it is the same.
    let (start, behind) = common_ends(old, new);
    let (old_middle, new_middle) = (&old[start..old.len() - behind], &new[start..new.len() - behind]);
    if !(old_middle.contains('\n') && new_middle.contains('\n')) {
        return vec![Edit { range: start..old.len() - behind, text: new_middle.to_owned() }];
    }
    // In whole lines from here on.
    let first = old[..start].rfind('\n').map_or(0, |found| found + 1);
    let tail = old[old.len() - behind..].find('\n').map_or(0, |found| behind - found - 1);
    let (old_lines, new_lines) = (lines(old, first..old.len() - tail), lines(new, first..new.len() - tail));
    let text = |of: &'_ str, range: &Range<usize>| of[range.clone()].to_owned();
    let a: Vec<&str> = old_lines.iter().map(|range| &old[range.clone()]).collect();
    let b: Vec<&str> = new_lines.iter().map(|range| &new[range.clone()]).collect();
    let Some(hunks) = hunks(&a, &b) else {
        return vec![Edit { range: start..old.len() - behind, text: new_middle.to_owned() }];
    };
    let bytes = |lines: &[Range<usize>], hunk: &Range<usize>, end: usize| {
        let begin = lines.get(hunk.start).map_or(end, |line| line.start);
        begin..lines.get(hunk.end).map_or(end, |line| line.start)
    };
    let edit = |(out, put_in): &(Range<usize>, Range<usize>)| {
        let out = bytes(&old_lines, out, old.len() - tail);
        let put_in = bytes(&new_lines, put_in, new.len() - tail);
        // Within the lines, only what differs.
        let (from, to) = common_ends(&old[out.clone()], &new[put_in.clone()]);
        let kept = put_in.start + from..put_in.end - to;
        Edit { range: out.start + from..out.end - to, text: text(new, &kept) }
    };
    hunks.iter().map(edit).collect()
}

/// The edits that take others back: made on the text those left, they leave the text before.
#[must_use]
pub fn inverse(old: &str, edits: &[Edit]) -> Vec<Edit> {
    let (mut added, mut removed) = (0, 0);
    edits
        .iter()
        .map(|edit| {
            let start = edit.range.start + added - removed;
            added += edit.text.len();
            removed += edit.range.len();
            Edit { range: start..start + edit.text.len(), text: old[edit.range.clone()].to_owned() }
        })
        .collect()
}

/// Bytes that are the same at the beginning and at the end, whole characters only.
pub(super) fn common_ends(a: &str, b: &str) -> (usize, usize) {
    let same = same_start(a.as_bytes(), b.as_bytes());
    let start = a.floor_char_boundary(same).min(b.floor_char_boundary(same));
    let mut end = same_end(&a.as_bytes()[start..], &b.as_bytes()[start..]);
    while !(a.is_char_boundary(a.len() - end) && b.is_char_boundary(b.len() - end)) {
        end -= 1;
    }
    (start, end)
}

/// Bytes are compared so many at once: both ends of a large text are looked at after every key.
const BLOCK: usize = 64;

/// How many bytes are the same at the beginning.
#[must_use]
pub fn same_start(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes are the same at the end.
#[must_use]
pub fn same_end(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    let (a, b) = (&a[..a.len() - blocks], &b[..b.len() - blocks]);
    blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// The lines of a part of a text, each with its break.
fn lines(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let mut start = part.start;
    text[part]
        .split_inclusive('\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end;
            range
        })
        .collect()
}

type Hunk = (Range<usize>, Range<usize>);

/// The shortest script of lines taken out and put in (Myers' greedy algorithm), as ranges of both; `None` when it is too long.
fn hunks(a: &[&str], b: &[&str]) -> Option<Vec<Hunk>> {
    // `reach[k + offset]`: how far into `a` a path gets on the diagonal `k`.
    let offset = DISTANCE_MAX + 1;
    let mut reach = vec![0_usize; 2 * offset + 1];
    let mut trace: Vec<Vec<usize>> = Vec::new();
    for distance in 0..=DISTANCE_MAX.min(a.len() + b.len()) {
        trace.push(reach[offset - distance..=offset + distance].to_vec());
        for k in (offset - distance..=offset + distance).step_by(2) {
            let down = k == offset - distance || k != offset + distance && reach[k - 1] < reach[k + 1];
            let mut x = if down { reach[k + 1] } else { reach[k - 1] + 1 };
            let Some(mut y) = (x + offset).checked_sub(k) else { continue };
            while x < a.len() && y < b.len() && a[x] == b[y] {
                (x, y) = (x + 1, y + 1);
            }
            reach[k] = x;
            if x >= a.len() && y >= b.len() {
                return Some(walk_back(&trace, a.len(), b.len()));
            }
        }
    }
    None
}

/// Follows the reaches back from the end and joins neighbouring steps.
fn walk_back(trace: &[Vec<usize>], a: usize, b: usize) -> Vec<Hunk> {
    let (mut x, mut y) = (a, b);
    let mut hunks: Vec<Hunk> = Vec::new();
    for (distance, reach) in trace.iter().enumerate().rev() {
        if distance == 0 {
            break;
        }
        // In this round's slice, diagonal `k` stands at `k + distance`.
        let at = x + distance - y;
        let down = at == 0 || at != 2 * distance && reach[at - 1] < reach[at + 1];
        let before = if down { at + 1 } else { at - 1 };
        let from_x = reach[before];
        let from_y = from_x + distance - before;
        let (to_x, to_y) = if down { (from_x, from_y + 1) } else { (from_x + 1, from_y) };
        match hunks.last_mut() {
            Some((out, put_in)) if out.start == to_x && put_in.start == to_y => {
                (out.start, put_in.start) = (from_x, from_y);
            }
            _ => hunks.push((from_x..to_x, from_y..to_y)),
        }
        (x, y) = (from_x, from_y);
    }
    hunks.reverse();
    hunks
}
