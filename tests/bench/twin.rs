//! How long the pure room takes with twins as large as a hub allows.

mod maximal;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use maximal::{maximal, section};
use std::hint::black_box;
use std::sync::Arc;
use twinscope::twin::draft::Draft;
use twinscope::twin::rules::{self, Form};
use twinscope::twin::{Json, JsonMap, Section, diff, patch, text, wire};

const SECTIONS: [Section; 3] = [Section::Tags, Section::Desired, Section::Reported];

/// Every seventh group changed, every eleventh gone.
fn edited(document: &JsonMap) -> JsonMap {
    let mut out = JsonMap::new();
    for (index, (key, value)) in document.iter().enumerate() {
        let mut value = value.clone();
        if index % 11 == 10 {
            continue;
        }
        if let (0, Some(group)) = (index % 7, value.as_object_mut()) {
            group.insert("enabled".to_owned(), false.into());
        }
        out.insert(key.clone(), value);
    }
    out
}

fn maximal_twin(c: &mut Criterion) {
    let twin = maximal();
    let pairs = SECTIONS.map(|section| (twin.section(section).clone(), edited(twin.section(section))));
    let patches = pairs.each_ref().map(|(before, after)| patch::between(before, after));
    let mut group = c.benchmark_group("maximal twin");
    group.bench_function("patch between", |b| {
        b.iter(|| pairs.each_ref().map(|(before, after)| patch::between(black_box(before), after)));
    });
    group.bench_function("patch apply", |b| {
        let targets = || pairs.each_ref().map(|(before, _)| before.clone());
        b.iter_batched(
            targets,
            |mut targets| {
                targets.iter_mut().zip(&patches).for_each(|(target, patch)| patch::apply(target, patch));
                targets
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("diff", |b| {
        b.iter(|| pairs.each_ref().map(|(before, after)| diff::diff(black_box(before), after)));
    });
    group.bench_function("validate", |b| {
        b.iter(|| SECTIONS.map(|section| rules::check(section, black_box(twin.section(section)), Form::Document)));
    });
    group.bench_function("read", |b| {
        let body = wire::to_json(&twin).to_string();
        b.iter(|| wire::parse(black_box(body.as_bytes())));
    });
    group.finish();
}

fn ten_thousand_twins(c: &mut Criterion) {
    let mut twin = maximal();
    twin.desired.values = section(400);
    twin.reported.values = section(400);
    twin.tags = section(100);
    let rows: Vec<Json> = (0..10_000)
        .map(|number| {
            twin.id.device = format!("device{number:05}");
            wire::to_json(&twin)
        })
        .collect();
    let body = Json::Array(rows).to_string();
    let mut group = c.benchmark_group("10,000 twins");
    group.sample_size(10).throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("JSON to typed", |b| {
        b.iter(|| {
            let Ok(Json::Array(rows)) = wire::json(black_box(body.as_bytes())) else {
                unreachable!("an array was sent")
            };
            rows.into_iter().map(wire::from_json).collect::<Result<Vec<_>, _>>()
        });
    });
    group.finish();
}

fn typing(c: &mut Criterion) {
    let mut twin = maximal();
    twin.desired.values = section(66_000);
    let base = Arc::new(twin);
    let mut draft = Draft::new(base.clone());
    let texts = [text::pretty(&edited(&base.desired.values)), text::pretty(&base.desired.values)];
    let mut group = c.benchmark_group("draft");
    group.throughput(Throughput::Bytes(texts[0].len() as u64));
    let mut turn = 0;
    group.bench_function(format!("set_text of {} KB", texts[0].len() / 1000), |b| {
        b.iter(|| {
            turn = 1 - turn;
            draft.set_text(Section::Desired, texts[turn].clone());
        });
    });
    group.finish();
}

criterion_group!(benches, maximal_twin, ten_thousand_twins, typing);
criterion_main!(benches);
