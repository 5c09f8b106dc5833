//! The fleet list: filtering 100,000 ids as one types, finding one by a few letters, taking pages while the list grows.

mod listed;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use listed::{listed, open, pages};
use std::hint::black_box;
use twinscope::app::{Action, Moment};
use twinscope::worker::{Event, Fact};

fn fleet(c: &mut Criterion) {
    let mut app = listed();
    for (name, text) in [("one word", "kyoto"), ("two words", "oslo 0999"), ("no match", "zzz")] {
        c.bench_function(&format!("filter 100,000 ids, {name}"), |b| {
            b.iter(|| black_box(app.update(Moment::default(), Action::Filter(text.to_owned()))));
        });
    }
    c.bench_function("go to an id among 100,000", |b| b.iter(|| black_box(app.fleet.go_to("dev42kyo", &[], 20))));
    c.bench_function("take 100 pages of 1,000 devices", |b| {
        b.iter_batched(
            || (open(), pages()),
            |((mut app, key), pages)| {
                for rows in pages {
                    black_box(app.apply(Moment::default(), Event::Fact(Fact::FleetPage { key, rows })));
                }
                app
            },
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, fleet);
criterion_main!(benches);
