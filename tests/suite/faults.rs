//! The language of faults, and what is decided by it.

use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;
use twinscope::local_hub::clock::Clock;
use twinscope::local_hub::faults::{Delivery, Fate, Faults};
use twinscope::protocol::fault::{
    Counted, Fault, Kind, Lost, MILLION, Occasion, Plan, Report, Scope, Span, Switch, Turn, When, Who,
};
use twinscope::twin::TwinId;

const DAY_MS: u64 = 86_400_000;

/// Faults in force.
fn armed(seed: u64, faults: &[&str]) -> Faults {
    let faults = faults.iter().map(|text| text.parse().unwrap()).collect();
    Faults::new(&Plan { seed: Some(seed), faults }, &Clock::default())
}

fn device(id: &str) -> TwinId {
    TwinId::device(id)
}

/// Whether a fault that answers with a status struck, time after time.
fn strikes(faults: &Faults, occasion: Occasion, id: &str, times: usize) -> Vec<bool> {
    let id = device(id);
    (0..times).map(|_| faults.strike(occasion, Some(&id)).status.is_some()).collect()
}

#[test]
fn each_text_is_written_as_it_was_read() {
    for text in [
        "latency=200ms",
        "latency=200ms..2s",
        "429",
        "599",
        "429:retry-after=10s",
        "503:retry-after=0s",
        "drop=before",
        "drop=after on=twin-write nth=2",
        "drop=halfway on=rest",
        "lose=response on=report id=dev1/mod1",
        "lose=puback id=dev*",
        "evict=10s..1m p=0.5 times=3 for=5m",
        "skew=-10m",
        "skew=2h",
        "off 429 on=query,connect p=0.000001 every=7",
        "500 id=* first=2",
        "503 id=dev1/*",
    ] {
        assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
    }
}

#[test]
fn other_spellings_mean_the_same() {
    for (text, canonical) in [
        ("  429   p=0.10 ", "429 p=0.1"),
        ("429 p=1", "429 p=1"),
        ("latency=1000ms..1s", "latency=1s"),
        ("429 nth=3 on=query", "429 on=query nth=3"),
        ("skew=+60s", "skew=1m"),
    ] {
        assert_eq!(text.parse::<Fault>().unwrap().to_string(), canonical, "{text}");
    }
}

#[test]
fn an_error_names_the_place_and_what_would_do() {
    for (text, at, word, remedy) in [
        ("", 1, "", "say what goes wrong: latency=200ms"),
        ("off ", 5, "", "say what goes wrong"),
        ("boom", 1, "boom", "what goes wrong comes first"),
        ("404", 1, "404", "429 or 500 to 599"),
        ("4290", 1, "4290", "429 or 500 to 599"),
        ("429:retry=1s", 1, "429:retry=1s", "429:retry-after=10s"),
        ("429:retry-after=1500ms", 1, "429:retry-after=1500ms", "whole seconds"),
        ("drop=late", 1, "drop=late", "drop=halfway in the middle"),
        ("lose=all", 1, "lose=all", "lose=response or lose=puback"),
        ("latency=fast", 1, "latency=fast", "such as 1.5s, 500ms or 2m"),
        ("latency=2s..1s", 1, "latency=2s..1s", "the shorter time comes first"),
        ("latency=0", 1, "latency=0", "at least 1ms"),
        ("skew=0", 1, "skew=0", "skew=-10m (behind)"),
        ("skew=1m p=0.5", 9, "p=0.5", "skew has no conditions"),
        ("429 often", 5, "often", "on=, id=, p="),
        ("429 x=1", 5, "x=1", "no such condition"),
        ("429  p=2", 6, "p=2", "above 0 and at most 1"),
        ("429 p=0", 5, "p=0", "above 0 and at most 1"),
        ("429 p=0.1234567", 5, "p=0.1234567", "up to six digits"),
        ("429 p=0.1 p=0.2", 11, "p=0.2", "once is enough"),
        ("429 nth=0", 5, "nth=0", "a whole number from 1"),
        ("429 nth=1 every=2", 11, "every=2", "one of nth=, every= and first="),
        ("429 on=moon", 5, "on=moon", "twin-write"),
        ("429 on=query on=jobs", 14, "on=jobs", "on=query,report"),
        ("evict=1s on=query", 10, "on=query", "but on mqtt, connect"),
        ("429 on=query,query", 5, "on=query,query", "once is enough"),
        ("429 id=a b", 10, "b", "come conditions"),
        ("429 id=a/b/c", 5, "id=a/b/c", "dev1/mod1"),
        ("429 für=1s", 5, "für=1s", "no such condition"),
        ("429 times=many", 5, "times=many", "a whole number from 1"),
    ] {
        let error = text.parse::<Fault>().unwrap_err();
        assert_eq!((error.at, error.word.as_str()), (at, word), "{text:?}: {error}");
        let said = error.to_string();
        assert!(said.contains(&format!("at {at}: ")) && said.contains(remedy), "{text:?}: {said}");
    }
    let long = format!("429 id={}", "a".repeat(3000));
    assert!(long.parse::<Fault>().unwrap_err().to_string().contains("at most 2048 bytes"));
}

#[test]
fn turns_and_times_count_for_each_identity() {
    let (yes, no) = (true, false);
    for (text, wanted) in [
        ("429", [yes, yes, yes, yes, yes, yes]),
        ("429 nth=3", [no, no, yes, no, no, no]),
        ("429 every=2", [no, yes, no, yes, no, yes]),
        ("429 first=2", [yes, yes, no, no, no, no]),
        ("429 times=3", [yes, yes, yes, no, no, no]),
        ("429 every=2 times=2", [no, yes, no, yes, no, no]),
        ("off 429", [no; 6]),
        ("429 id=b", [no; 6]),
        ("429 id=a*", [yes; 6]),
        ("429 on=twins", [yes; 6]),
        ("429 on=query,connect", [no; 6]),
    ] {
        let faults = armed(1, &[text]);
        let (a, other) = (device("a"), device("ab"));
        let found: Vec<bool> = (0..6)
            .map(|_| {
                let struck = faults.strike(Occasion::TwinRead, Some(&a)).status.is_some();
                // What another one does moves no count of the first.
                let _other = faults.strike(Occasion::TwinRead, Some(&other));
                struck
            })
            .collect();
        assert_eq!(found, wanted, "{text}");
    }
}

#[test]
fn latencies_add_up_and_the_first_answer_counts() {
    let faults = armed(1, &["latency=1s", "latency=500ms", "503 nth=2", "drop=after", "429", "lose=response"]);
    let id = device("a");
    let first = faults.strike(Occasion::Report, Some(&id));
    let latency = Duration::from_millis(1500);
    let wanted = Fate { latency, drop: Some(When::After), response: Delivery::Lost, ..Fate::default() };
    assert_eq!(first, wanted);
    let second = faults.strike(Occasion::Report, Some(&id));
    assert_eq!((second.status.map(|status| status.status), second.drop), (Some(503), None));
    let counts: Vec<(u64, u64)> =
        faults.report().faults.iter().map(|counted| (counted.matched, counted.struck)).collect();
    assert_eq!(counts, [(2, 2), (2, 2), (2, 1), (2, 1), (2, 0), (2, 2)]);
}

#[test]
fn a_term_strikes_when_the_connection_is_closed_for_it() {
    let faults = armed(1, &["evict=5s..6s id=a times=1", "evict=7s"]);
    let (a, b) = (device("a"), device("b"));
    assert_eq!(faults.term(&b).unwrap().after, Duration::from_secs(7));
    let term = faults.term(&a).unwrap();
    assert!((5000..=6000).contains(&term.after.as_millis()), "{term:?}");
    let struck = |faults: &Faults| faults.report().faults.iter().map(|counted| counted.struck).collect::<Vec<_>>();
    assert_eq!(struck(&faults), [0, 0]);
    faults.evicted(&a, term);
    assert_eq!(struck(&faults), [1, 0]);
    assert_eq!(faults.term(&a).unwrap().after, Duration::from_secs(7), "once is over");
    // What was set since then has nothing to do with it.
    faults.set(&faults.report().plan(), &Clock::default());
    faults.evicted(&a, term);
    assert_eq!(struck(&faults), [0, 0]);
}

#[test]
fn a_fault_for_a_while_ends() {
    let faults = armed(1, &["429 for=1ms", "503 for=24h"]);
    std::thread::sleep(Duration::from_millis(2));
    let fate = faults.strike(Occasion::Query, None);
    assert_eq!(fate.status.map(|status| status.status), Some(503));
    assert_eq!(faults.report().faults[0].matched, 0);
}

#[test]
fn a_chance_comes_as_often_as_it_says() {
    for seed in 0..20 {
        for (text, wanted) in [("429 p=0.1", 1000.0), ("429 p=0.5", 5000.0), ("429 p=0.999", 9990.0)] {
            let found = strikes(&armed(seed, &[text]), Occasion::Query, "a", 10_000).iter().filter(|s| **s).count();
            // Five standard deviations of the widest of them.
            assert!((f64::from(u32::try_from(found).unwrap()) - wanted).abs() < 250.0, "{text}, {seed}: {found}");
        }
    }
}

/// A seed that somebody noted means the same in the next version.
#[test]
fn a_seed_means_the_same_for_ever() {
    let drawn = strikes(&armed(7, &["429 p=0.5"]), Occasion::TwinRead, "dev1", 16);
    let drawn: String = drawn.iter().map(|struck| if *struck { 'x' } else { '.' }).collect();
    let faults = armed(7, &["latency=1ms..1m"]);
    let module = TwinId::module("dev1", "mod1");
    let lengths = [(); 3].map(|()| faults.strike(Occasion::Report, Some(&module)).latency.as_millis());
    assert_eq!((drawn.as_str(), lengths), ("xxxxxx.xx.x...x.", [2915, 26_668, 14_821]));
}

#[test]
fn plans_and_reports_in_json() {
    let plan = Plan::from_json(&json!({"faults": ["429 p=0.1", {"fault": "skew=-1m", "matched": 1, "struck": 0}]}));
    let plan = plan.unwrap();
    assert_eq!((plan.seed, plan.faults.len(), plan.ahead_s()), (None, 2, -60));
    for (body, said) in [
        (json!([]), "it is no object"),
        (json!({}), "faults is a list"),
        (json!({"faults": "429"}), "faults is a list"),
        (json!({"faults": [429]}), "a fault is a text"),
        (json!({"seed": -1, "faults": []}), "seed is a whole number from 0"),
        (json!({"faults": ["429", "430"]}), "fault 2: \"430\" at 1: a status is 429 or 500 to 599"),
        (json!({"faults": vec!["429"; 101]}), "at most 100 faults"),
    ] {
        let error = Plan::from_json(&body).unwrap_err().to_string();
        assert!(error.contains(said), "{body}: {error}");
    }
}

fn length() -> impl Strategy<Value = Duration> {
    (1..=DAY_MS).prop_map(Duration::from_millis)
}

fn kind() -> impl Strategy<Value = Kind> {
    let span = || (length(), length()).prop_map(|(a, b)| Span { from: a.min(b), to: a.max(b) });
    let status = prop_oneof![Just(429_u16), 500..=599_u16];
    let after = proptest::option::of(0..=86_400_u64);
    prop_oneof![
        span().prop_map(Kind::Latency),
        (status, after).prop_map(|(status, retry_after_s)| Kind::Status { status, retry_after_s }),
        prop_oneof![Just(When::Before), Just(When::After), Just(When::Halfway)].prop_map(Kind::Drop),
        prop_oneof![Just(Lost::Response), Just(Lost::Puback)].prop_map(Kind::Lose),
        span().prop_map(Kind::Evict),
        (1..=86_400_i64, any::<bool>()).prop_map(|(s, behind)| Kind::Skew { ahead_s: if behind { -s } else { s } }),
    ]
}

fn who() -> impl Strategy<Value = Who> {
    // Every legal character; a star at the end means something else.
    let id = || "[A-Za-z0-9:.+%_#*?!(),=@;$'-]{0,20}[A-Za-z0-9:.+%_#?!(),=@;$'-]";
    prop_oneof![
        id().prop_map(|device| Who::Is(TwinId::device(device))),
        (id(), id()).prop_map(|(device, module)| Who::Is(TwinId::module(device, module))),
        prop_oneof![Just(String::new()), id(), (id(), id()).prop_map(|(a, b)| format!("{a}/{b}"))]
            .prop_map(Who::Begins),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let some = |n: u64| proptest::option::of(1..=n);
    let turn = prop_oneof![
        Just(None),
        (1..=u64::MAX).prop_map(|n| Some(Turn::Nth(n))),
        (1..=u64::MAX).prop_map(|n| Some(Turn::Every(n))),
        (1..=u64::MAX).prop_map(|n| Some(Turn::First(n))),
    ];
    let conditions = (
        proptest::sample::subsequence(Scope::ALL.to_vec(), 0..4),
        proptest::option::of(who()),
        proptest::option::of(1..=MILLION),
        turn,
        some(u64::MAX),
        proptest::option::of(length()),
    );
    (kind(), conditions, any::<bool>()).prop_map(|(kind, (on, who, chance, turn, times, lasts), is_on)| {
        let switch = if is_on { Switch::On } else { Switch::Off };
        if matches!(kind, Kind::Skew { .. }) {
            return Fault { switch, ..Fault::new(kind) };
        }
        let can = |scope: &Scope| scope.occasions().iter().any(|occasion| kind.strikes(*occasion));
        let on = on.into_iter().filter(can).collect();
        Fault { switch, kind, on, who, chance, turn, times, lasts }
    })
}

fn doings() -> impl Strategy<Value = Vec<(Occasion, Option<TwinId>)>> {
    let occasion = proptest::sample::select(
        [Scope::Rest, Scope::Mqtt].iter().flat_map(|scope| scope.occasions()).copied().collect::<Vec<_>>(),
    );
    let id = prop_oneof![
        Just(None),
        Just(Some(device("a"))),
        Just(Some(device("b"))),
        Just(Some(TwinId::module("a", "b"))),
    ];
    proptest::collection::vec((occasion, id), 0..80)
}

/// What befalls each.
fn play(plan: &Plan, doings: &[(Occasion, Option<TwinId>)]) -> (Vec<Fate>, Report) {
    let faults = Faults::new(plan, &Clock::default());
    let fates = doings.iter().map(|(occasion, id)| faults.strike(*occasion, id.as_ref())).collect();
    (fates, faults.report())
}

fn plan() -> impl Strategy<Value = Plan> {
    (any::<u64>(), proptest::collection::vec(fault(), 0..6)).prop_map(|(seed, faults)| {
        // How long the test takes must not matter.
        let faults = faults.into_iter().map(|fault| Fault { lasts: None, ..fault }).collect();
        Plan { seed: Some(seed), faults }
    })
}

proptest! {
    #[test]
    fn print_and_parse_are_inverse(fault in fault()) {
        prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,60}") {
        if let Ok(fault) = text.parse::<Fault>() {
            prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault));
        }
    }

    #[test]
    fn words_of_the_language_in_any_order(words in proptest::collection::vec(
        prop_oneof![Just("429"), Just("off"), Just("p=0.5"), Just("on=rest"), Just("id=a*"), Just("nth=1"), Just("="), Just("ü=")],
        0..5,
    )) {
        let text = words.join(" ");
        match text.parse::<Fault>() {
            Ok(fault) => prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault)),
            Err(error) => prop_assert!(error.at <= text.chars().count() + 1 && !error.problem.is_empty()),
        }
    }

    #[test]
    fn json_brings_plans_and_reports_through(plan in plan(), counts in proptest::collection::vec(any::<(u64, u64)>(), 6)) {
        prop_assert_eq!(Plan::from_json(&plan.to_json()), Ok(plan.clone()));
        let counted = |(fault, (matched, struck))| Counted { fault, matched, struck };
        let report = Report {
            seed: plan.seed.unwrap_or_default(),
            faults: plan.faults.clone().into_iter().zip(counts).map(counted).collect(),
        };
        prop_assert_eq!(Report::from_json(&report.to_json()), Ok(report.clone()));
        prop_assert_eq!(report.plan(), plan);
    }

    #[test]
    fn the_same_seed_and_the_same_doings_meet_the_same(plan in plan(), doings in doings()) {
        prop_assert_eq!(play(&plan, &doings), play(&plan, &doings));
    }

    #[test]
    fn who_comes_in_between_does_not_matter(plan in plan(), doings in doings()) {
        let of = |doings: &[(Occasion, Option<TwinId>)], fates: Vec<Fate>, id: &Option<TwinId>| -> Vec<Fate> {
            doings.iter().zip(fates).filter(|((_, other), _)| other == id).map(|(_, fate)| fate).collect()
        };
        let mut in_a_row = doings.clone();
        in_a_row.sort_by(|(_, a), (_, b)| a.cmp(b));
        for id in [None, Some(device("a")), Some(device("b")), Some(TwinId::module("a", "b"))] {
            let mixed = of(&doings, play(&plan, &doings).0, &id);
            prop_assert_eq!(mixed, of(&in_a_row, play(&plan, &in_a_row).0, &id));
        }
    }

    #[test]
    fn nothing_strikes_more_often_than_it_matches(plan in plan(), doings in doings()) {
        let (fates, report) = play(&plan, &doings);
        for counted in &report.faults {
            prop_assert!(counted.struck <= counted.matched && counted.matched <= doings.len() as u64);
        }
        prop_assert!(fates.iter().all(|fate| fate.status.is_none() || fate.drop.is_none()));
    }
}
