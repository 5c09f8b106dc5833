//! What is kept of sessions beside identities: the real changes, before they are acknowledged, and nothing else.

use super::place::{Pipe, eventually, greeting, now_s};
use super::wire::{self, DISCONNECT, Got, PING, Wire};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::commit::{Committer, Item, Keep};
use twinscope::local_hub::events::Log;
use twinscope::local_hub::hub::{Hub, Parts};
use twinscope::local_hub::mqtt::kept::KeptSession;
use twinscope::local_hub::mqtt::limits::MAX_KEPT_SESSIONS;
use twinscope::local_hub::mqtt::packet::Qos;
use twinscope::local_hub::mqtt::{Limits, Sessions, session};
use twinscope::local_hub::policies::Policies;
use twinscope::local_hub::store::Items;
use twinscope::local_hub::x509::{Authorities, ClientCertificates};
use twinscope::local_hub::{FleetChoice, Tuning, fleet};
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::sas;
use twinscope::twin::TwinId;

const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/#";

pub(super) fn device() -> TwinId {
    TwinId::device("myFirstDevice")
}

fn module() -> TwinId {
    TwinId::module("myFirstDevice", "myFirstModule")
}

/// A hub with the demo fleet that keeps so, and had this before.
pub(super) fn hub(keep: Keep, items: Items) -> Arc<Hub> {
    let sessions = Arc::new(Sessions::default());
    let events = Arc::new(Log::default());
    let committer = Committer::start_with(Some(keep), sessions.clone(), events.clone()).unwrap();
    let registry = fleet::fresh(FleetChoice::Demo, &Moment::at(1_790_000_000, 0));
    let (policies, tuning) = (Policies::new(), Tuning::default());
    let authorities = Authorities::default();
    Arc::new(Hub::new(Parts { registry, policies, committer, sessions, events, tuning, items, authorities }))
}

/// The items kept so far. Groups are noted as they come.
pub(super) type Kept = Arc<Mutex<Vec<Item>>>;

/// The same with the identities that were kept in one transaction with them.
type Groups = Arc<Mutex<Vec<(Vec<TwinId>, Vec<Item>)>>>;

pub(super) fn noting() -> (Keep, Kept) {
    let kept = Kept::default();
    let notes = kept.clone();
    let keep: Keep = Box::new(move |group| {
        notes.lock().unwrap().extend(group.iter().flat_map(|writes| writes.items.clone()));
        Ok(())
    });
    (keep, kept)
}

fn generation(hub: &Hub, id: &TwinId) -> String {
    hub.read(|registry| registry.record(id).unwrap().generation.clone())
}

fn item(hub: &Hub, id: &TwinId, filters: &[(&str, Qos)]) -> Item {
    let filters: Vec<_> = filters.iter().map(|(filter, qos)| ((*filter).to_owned(), *qos)).collect();
    KeptSession::item(id, &generation(hub, id), &filters)
}

fn removal(id: &TwinId) -> Item {
    Item { key: format!("session/{id}"), value: None }
}

/// Connects; whether the hub knew the session.
pub(super) async fn connect(hub: &Arc<Hub>, id: &TwinId, clean: bool) -> (Pipe, u8) {
    let key = hub.read(|registry| registry.record(id).unwrap().authentication.primary_key.clone()).unwrap();
    let token = sas::sign(&sas::resource("localhost", Some(id)), &key, now_s() + 600, None).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(session::run(
        far,
        hub.clone(),
        ClientCertificates::default(),
        Limits::default(),
        CancellationToken::new(),
    ));
    let mut wire = Wire::new(near);
    let connect = wire::Connect { clean, password: Some(token.reveal().to_owned()), ..greeting(id) };
    wire.send(&connect.bytes()).await;
    match wire.get().await {
        Got::ConnAck(present, 0) => (wire, present),
        other => panic!("{other:?}"),
    }
}

async fn leave(hub: &Hub, id: &TwinId, mut wire: Pipe) {
    wire.send(DISCONNECT).await;
    wire.expect_end().await;
    eventually("the connection is gone", || !hub.sessions().is_connected(id)).await;
}

#[tokio::test]
async fn real_changes_of_kept_sessions_are_kept_and_nothing_else() {
    let (keep, kept) = noting();
    let hub = hub(keep, Items::new());
    let id = device();
    let expect = |expected: &[Item]| assert_eq!(std::mem::take(&mut *kept.lock().unwrap()), expected);

    let (mut wire, _) = connect(&hub, &id, false).await;
    expect(&[]);
    wire.ask(&wire::subscribe(1, &[(DESIRED, 1)]), Got::SubAck(1, vec![1])).await;
    expect(&[item(&hub, &id, &[(DESIRED, Qos::AtLeastOnce)])]);
    // The same again, and traffic.
    wire.ask(&wire::subscribe(2, &[(DESIRED, 2)]), Got::SubAck(2, vec![1])).await;
    wire.ask(&wire::publish(0x32, 3, "devices/myFirstDevice/messages/events/", b"x"), Got::PubAck(3)).await;
    wire.ask(&wire::unsubscribe(4, &["never/had"]), Got::UnsubAck(4)).await;
    wire.expect_quiet().await;
    expect(&[]);
    wire.ask(&wire::subscribe(5, &[(DESIRED, 0), ("$iothub/twin/res/#", 1)]), Got::SubAck(5, vec![0, 1])).await;
    expect(&[item(&hub, &id, &[(DESIRED, Qos::AtMostOnce), ("$iothub/twin/res/#", Qos::AtLeastOnce)])]);
    wire.send(&wire::publish(0x30, 0, "$iothub/twin/PATCH/properties/reported/?$rid=1", b"{\"a\":1}")).await;
    assert!(matches!(wire.get().await, Got::Publish(..)));
    wire.ask(&wire::unsubscribe(6, &[DESIRED]), Got::UnsubAck(6)).await;
    expect(&[item(&hub, &id, &[("$iothub/twin/res/#", Qos::AtLeastOnce)])]);

    // Away and back again, and replaced by one that comes while it is there.
    leave(&hub, &id, wire).await;
    let (_old, present) = connect(&hub, &id, false).await;
    assert_eq!(present, 1);
    let (wire, present) = connect(&hub, &id, false).await;
    assert_eq!(present, 1);
    leave(&hub, &id, wire).await;
    expect(&[]);

    // A clean session ends it, once; what is subscribed in one is nobody's to keep.
    let (mut wire, present) = connect(&hub, &id, true).await;
    assert_eq!(present, 0);
    expect(&[removal(&id)]);
    wire.ask(&wire::subscribe(7, &[(DESIRED, 1)]), Got::SubAck(7, vec![1])).await;
    leave(&hub, &id, wire).await;
    let (wire, _) = connect(&hub, &id, true).await;
    leave(&hub, &id, wire).await;
    let (_wire, present) = connect(&hub, &id, false).await;
    assert_eq!(present, 0);
    expect(&[]);
}

#[tokio::test]
async fn the_session_of_a_deleted_identity_goes_with_it() {
    let groups: Groups = Arc::default();
    let notes = groups.clone();
    let keep: Keep = Box::new(move |group| {
        let one = |writes: &&twinscope::local_hub::commit::Writes| {
            (writes.identities.iter().map(|(id, _)| id.clone()).collect(), writes.items.clone())
        };
        notes.lock().unwrap().extend(group.iter().map(one));
        Ok(())
    });
    let hub = hub(keep, Items::new());
    let (mut wire, _) = connect(&hub, &module(), false).await;
    wire.ask(&wire::subscribe(1, &[(DESIRED, 1)]), Got::SubAck(1, vec![1])).await;
    groups.lock().unwrap().clear();
    hub.write(|registry, now| Ok(((), registry.delete_identity(&device(), &IfMatch::Any, now)?))).await.unwrap();
    wire.expect_end().await;
    let groups = std::mem::take(&mut *groups.lock().unwrap());
    let (identities, items) = groups.first().unwrap();
    assert!(identities.contains(&device()) && identities.contains(&module()), "{identities:?}");
    assert!(items.contains(&removal(&device())) && items.contains(&removal(&module())), "{items:?}");
}

/// A store that waits for a word before it keeps.
pub(super) fn waiting() -> (Keep, Sender<Result<(), String>>) {
    let (word, words): (_, Receiver<Result<(), String>>) = channel();
    (Box::new(move |_| words.recv().unwrap_or(Ok(()))), word)
}

#[tokio::test]
async fn a_subscription_is_acknowledged_when_it_is_kept() {
    let (keep, word) = waiting();
    let hub = hub(keep, Items::new());
    let (mut wire, _) = connect(&hub, &device(), false).await;
    wire.send(&wire::subscribe(1, &[("$iothub/twin/res/#", 1)])).await;
    // What follows it waits too, but for pings.
    wire.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b"")).await;
    wire.ask(PING, Got::Pong).await;
    wire.expect_quiet().await;
    word.send(Ok(())).unwrap();
    wire.expect(Got::SubAck(1, vec![1])).await;
    assert_eq!(wire.message().await.0, "$iothub/twin/res/200/?$rid=1");
    // What comes by a subscription comes after its acknowledgement.
    wire.send(&wire::subscribe(4, &[(DESIRED, 1)])).await;
    wire.expect_quiet().await;
    hub.sessions().desired_changed(&device(), 2, serde_json::json!({"a": 1}).as_object().unwrap());
    wire.expect_quiet().await;
    word.send(Ok(())).unwrap();
    wire.expect(Got::SubAck(4, vec![1])).await;
    assert_eq!(wire.message().await.0, "$iothub/twin/PATCH/properties/desired/?$version=2");
    wire.send(&wire::unsubscribe(2, &["$iothub/twin/res/#"])).await;
    wire.expect_quiet().await;
    word.send(Ok(())).unwrap();
    wire.expect(Got::UnsubAck(2)).await;
    wire.send(&wire::subscribe(3, &[(DESIRED, 0), ("x", 0)])).await;
    word.send(Err("the disk is full".to_owned())).unwrap();
    wire.expect(Got::SubAck(3, vec![0x80, 0x80])).await;
}

#[tokio::test]
async fn the_end_of_a_session_is_kept_before_the_new_one_is_greeted() {
    let (keep, word) = waiting();
    let hub = hub(keep, Items::new());
    let (mut wire, _) = connect(&hub, &device(), false).await;
    wire.send(&wire::subscribe(1, &[(DESIRED, 1)])).await;
    word.send(Ok(())).unwrap();
    wire.expect(Got::SubAck(1, vec![1])).await;
    let id = device();
    let mut greeted = std::pin::pin!(connect(&hub, &id, true));
    let early = tokio::time::timeout(std::time::Duration::from_millis(100), greeted.as_mut()).await;
    assert!(early.is_err(), "greeted while the old session is in the file");
    word.send(Ok(())).unwrap();
    assert_eq!(greeted.await.1, 0);
}

#[tokio::test]
async fn what_was_kept_is_taken_back_but_for_other_identities() {
    let (keep, kept) = noting();
    // Generations of the demo fleet are those of its founding, so a first hub tells them.
    let known = hub(noting().0, Items::new());
    let good = item(&known, &device(), &[(DESIRED, Qos::AtLeastOnce)]);
    let text = |value: &[u8]| Some(value.to_vec());
    let other = KeptSession::item(&module(), "1", &[(DESIRED.to_owned(), Qos::AtMostOnce)]);
    let nobody = KeptSession::item(&TwinId::device("nobody"), "1", &[]);
    let bad = |name: &str, value: &[u8]| Item { key: format!("session/{name}"), value: text(value) };
    let all = [
        good,
        other,
        nobody,
        bad("bad1", b"{"),
        bad("bad2", br#"{"identity":"1","filters":[["x"]]}"#),
        bad("a b", br#"{"identity":"1","filters":[]}"#),
        Item { key: "message/1".to_owned(), value: text(b"not ours") },
        Item { key: "sessions/d".to_owned(), value: text(b"not ours") },
    ];
    let items: Items = all.into_iter().map(|Item { key, value }| (key, value.unwrap())).collect();
    let hub = hub(keep, items);
    assert_eq!(generation(&hub, &device()), generation(&known, &device()));
    let (mut wire, present) = connect(&hub, &device(), false).await;
    assert_eq!(present, 1);
    let patch = serde_json::json!({"a": 1});
    hub.sessions().desired_changed(&device(), 2, patch.as_object().unwrap());
    assert_eq!(wire.message().await.0, "$iothub/twin/PATCH/properties/desired/?$version=2");
    assert_eq!(connect(&hub, &module(), false).await.1, 0);
    // What follows is kept after the removals.
    wire.ask(&wire::subscribe(1, &[("x", 0)]), Got::SubAck(1, vec![0])).await;
    let mut removed = std::mem::take(&mut *kept.lock().unwrap());
    assert_eq!(removed.pop().unwrap().key, "session/myFirstDevice");
    removed.sort_by(|a, b| a.key.cmp(&b.key));
    let keys: Vec<&str> = removed.iter().map(|item| item.key.as_str()).collect();
    assert_eq!(
        keys,
        ["session/a b", "session/bad1", "session/bad2", "session/myFirstDevice/myFirstModule", "session/nobody"]
    );
    assert!(removed.iter().all(|item| item.value.is_none()));
}

#[test]
fn of_too_many_the_first_go() {
    let all = (0..MAX_KEPT_SESSIONS + 2).map(|n| KeptSession::item(&TwinId::device(format!("d{n:06}")), "1", &[]));
    let items: Items = all.map(|Item { key, value }| (key, value.unwrap())).collect();
    let gone = Sessions::default().restore(&items, |_| Some("1".to_owned()));
    assert_eq!(gone, ["d000000", "d000001"].map(|id| removal(&TwinId::device(id))));
}
