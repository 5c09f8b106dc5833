//! The properties of messages, in their forms.

use proptest::collection::vec;
use proptest::prelude::*;
use twinscope::protocol::message::{Ack, Outcome, Properties, System};

const ALL: [System; 6] =
    [System::MessageId, System::CorrelationId, System::To, System::ContentType, System::Expiry, System::Ack];

fn check(bag: &str, system: &[(System, &str)], app: &[(&str, Option<&str>)]) {
    let read = Properties::from_bag(bag);
    let expected = Properties {
        system: system.iter().map(|(property, value)| (*property, (*value).to_owned())).collect(),
        app: app.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect(),
    };
    assert_eq!(read, expected, "{bag}");
    assert_eq!(read.bag(), bag);
}

#[test]
fn bags() {
    check("", &[], &[]);
    check(
        "%24.mid=m1&%24.to=%2Fdevices%2Fd%2Fmessages%2FdeviceBound&iothub-ack=full&alert=yes%20%26%20no",
        &[(System::MessageId, "m1"), (System::To, "/devices/d/messages/deviceBound"), (System::Ack, "full")],
        &[("alert", Some("yes & no"))],
    );
    check("empty=&null", &[], &[("empty", Some("")), ("null", None)]);
}

#[test]
fn headers_in_any_case_and_the_first_counts() {
    let headers = [
        ("IoTHub-MessageId", "one"),
        ("iothub-messageid", "two"),
        ("iothub-app-Alert", "yes"),
        ("IOTHUB-APP-alert", "no"),
        ("content-type", "text/plain"),
        ("iothub-unknown", "x"),
    ];
    let read = Properties::from_headers(headers.map(|(name, value)| (name, value.as_bytes())));
    assert_eq!(read.system, [(System::MessageId, "one".to_owned())]);
    assert_eq!(read.app, [("alert".to_owned(), Some("yes".to_owned()))]);
    assert_eq!(read.size(), "message-id".len() + 3 + "alert".len() + 3);
}

#[test]
fn who_wants_to_hear_of_what() {
    for ack in Ack::ALL {
        assert_eq!(Ack::parse(&ack.word().to_uppercase()), Some(ack));
        for outcome in Outcome::ALL {
            let good = outcome == Outcome::Success;
            let wants = matches!((ack, good), (Ack::Full, _) | (Ack::Positive, true) | (Ack::Negative, false));
            assert_eq!(ack.wants(outcome), wants, "{ack:?} {outcome:?}");
        }
    }
    assert_eq!(Ack::parse("maybe"), None);
}

fn properties() -> impl Strategy<Value = Properties> {
    let system = proptest::sample::subsequence(ALL.to_vec(), 0..=ALL.len())
        .prop_flat_map(|known| {
            vec(".{0,20}", known.len()).prop_map(move |values| known.clone().into_iter().zip(values))
        })
        .prop_map(Iterator::collect::<Vec<_>>);
    let app = proptest::collection::btree_map("[a-z0-9_%& =ö/]{1,12}", proptest::option::of(".{0,20}"), 0..6);
    (system, app).prop_map(|(system, app)| Properties { system, app: app.into_iter().collect() })
}

proptest! {
    #[test]
    fn a_bag_says_all_of_it(properties in properties()) {
        prop_assert_eq!(Properties::from_bag(&properties.bag()), properties);
    }

    /// Headers do so too, but for null, which they cannot say.
    #[test]
    fn headers_say_all_but_null(properties in properties()) {
        let mut expected = properties.clone();
        for (_, value) in &mut expected.app {
            value.get_or_insert_default();
        }
        let headers = properties.headers();
        let read = Properties::from_headers(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_bag_is_read(text in ".{0,200}") {
        let read = Properties::from_bag(&text);
        prop_assert_eq!(Properties::from_bag(&read.bag()), read);
    }
}
