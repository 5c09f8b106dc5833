//! Who is let in, and what the others hear.

use super::place::{KEY, OTHER_KEY, Place, greeting, now_s, token};
use super::wire::{self, Connect, DISCONNECT, Got};
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{ConnectionState, TwinId};

/// Hub with devices `d` (and its module `m`), `other`, and `off`, which is disabled.
async fn place() -> Place {
    let place = Place::start().await;
    for id in ["d", "d/m", "other", "off"] {
        place.create(&id.parse().unwrap()).await;
    }
    place.update(&TwinId::device("off"), "disabled", KEY).await;
    place
}

fn id(text: &str) -> TwinId {
    text.parse().unwrap()
}

/// A greeting of `d` with one thing changed.
fn but(change: impl FnOnce(&mut Connect)) -> Connect {
    let mut connect = greeting(&id("d"));
    change(&mut connect);
    connect
}

fn sas_of(resource: &str, key: &str, policy: Option<&str>) -> String {
    sas::sign(resource, &Secret::new(key), now_s() + 60, policy).unwrap().reveal().to_owned()
}

#[tokio::test]
async fn refusals() {
    let place = place().await;
    let service = place.local.hub().policies().by_name("service").unwrap().primary.clone();
    let cases: Vec<(&str, u8, Connect)> = vec![
        ("MQTT 3.1", 1, but(|c| (c.name, c.level) = ("MQIsdp", 3))),
        ("MQTT 5", 1, but(|c| c.level = 5)),
        ("no client id", 2, but(|c| c.client_id = String::new())),
        ("a client id with a space", 2, but(|c| c.client_id = "d d".into())),
        ("a client id of three segments", 2, but(|c| c.client_id = "d/m/x".into())),
        ("an unknown device", 5, greeting(&id("nobody"))),
        ("an unknown module", 5, greeting(&id("d/nobody"))),
        ("a module of an unknown device", 5, greeting(&id("nobody/m"))),
        ("a disabled device", 5, greeting(&id("off"))),
        ("no user name", 5, but(|c| (c.user_name, c.password) = (None, None))),
        ("a user name of nothing", 5, but(|c| c.user_name = Some(String::new()))),
        ("a user name without a device", 5, but(|c| c.user_name = Some("localhost".into()))),
        (
            "another device's user name",
            5,
            but(|c| c.user_name = Some("localhost/other/?api-version=2021-04-12".into())),
        ),
        ("a module's user name", 5, but(|c| c.user_name = Some("localhost/d/m/?api-version=2021-04-12".into()))),
        ("no password", 5, but(|c| c.password = None)),
        ("an empty password", 5, but(|c| c.password = Some(String::new()))),
        ("a password that is no token", 5, but(|c| c.password = Some("hello".into()))),
        ("the key itself", 5, but(|c| c.password = Some(KEY.into()))),
        ("a token by another key", 5, but(|c| c.password = Some(token(&id("d"), OTHER_KEY, now_s() + 60)))),
        ("a token for another device", 5, but(|c| c.password = Some(token(&id("other"), KEY, now_s() + 60)))),
        ("an expired token", 5, but(|c| c.password = Some(token(&id("d"), KEY, now_s() - 301)))),
        (
            "a policy without DeviceConnect",
            5,
            but(|c| {
                c.password = Some(sas_of("localhost", service.reveal(), Some("service")));
            }),
        ),
        ("a policy that does not exist", 5, but(|c| c.password = Some(sas_of("localhost", KEY, Some("nothing"))))),
        (
            "a device whose id begins the same",
            5,
            but(|c| {
                c.password = Some(sas_of("localhost/devices/dd", KEY, None));
            }),
        ),
        (
            "a will in another's name",
            5,
            but(|c| {
                c.will = Some(("devices/other/messages/events/".into(), b"boo".to_vec(), 0));
            }),
        ),
    ];
    for (what, code, connect) in cases {
        let mut wire = place.dial().await;
        wire.send(&connect.bytes()).await;
        assert_eq!(wire.get().await, Got::ConnAck(0, code), "{what}");
        assert_eq!(wire.get().await, Got::End, "{what}");
    }
    assert_eq!(place.local.hub().sessions().connected_count(), 0);
    assert_eq!(place.connection_state(&id("d")), ConnectionState::Disconnected);
}

#[tokio::test]
async fn what_is_no_connect_is_answered_by_nothing() {
    let place = place().await;
    let will_of_qos_2 = but(|c| c.will = Some(("devices/d/messages/events/".into(), Vec::new(), 2 << 3)));
    let mut damaged = but(|_| {}).bytes();
    let last = damaged.len() - 1;
    damaged.truncate(last);
    damaged[1] -= 1;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a ping", wire::PING.to_vec()),
        ("a publish", wire::publish(0x30, 0, "devices/d/messages/events/", b"x")),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("TLS in TLS", vec![0x16, 3, 1, 2, 0, 1, 0]),
        ("zeros", vec![0; 64]),
        ("a CONNECT that announces 256 MB", vec![0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]),
        ("a CONNECT cut short", damaged),
        ("a will of QoS 2", will_of_qos_2.bytes()),
    ];
    for (what, bytes) in cases {
        let mut wire = place.dial().await;
        wire.send(&bytes).await;
        assert_eq!(wire.get().await, Got::End, "{what}");
    }
    let mut wire = place.connect(&id("d")).await;
    wire.send(&greeting(&id("d")).bytes()).await;
    wire.expect_end().await;
}

#[tokio::test]
async fn everyone_with_a_right_is_let_in() {
    let place = place().await;
    let device = place.local.hub().policies().by_name("device").unwrap().secondary.clone();
    let two = id("two");
    place.create_with(&two, [OTHER_KEY, KEY]).await;
    let by_primary = Connect { password: Some(token(&two, OTHER_KEY, now_s() + 60)), ..greeting(&two) };
    let cases: Vec<(&str, Connect)> = vec![
        ("a device by its secondary key", greeting(&two)),
        ("a device by its primary key", by_primary),
        ("a device", greeting(&id("d"))),
        ("a module", greeting(&id("d/m"))),
        (
            "a policy with DeviceConnect",
            but(|c| {
                c.password = Some(sas_of("localhost", device.reveal(), Some("device")));
            }),
        ),
        (
            "a token with the api version behind",
            but(|c| {
                c.password = Some(sas_of("localhost/devices/d/api-version=2016-11-14", KEY, None));
            }),
        ),
        ("a token for a host with a port", but(|c| c.password = Some(sas_of("localhost:8883/devices/d", KEY, None)))),
        ("a user name without parameters", but(|c| c.user_name = Some("localhost/d".into()))),
        (
            "a user name with the segments encoded",
            but(|c| {
                c.user_name = Some("localhost%3A8883/%64/?api-version=2021-04-12".into());
            }),
        ),
        ("no keep-alive", but(|c| c.keep_alive_s = 0)),
        ("a will nobody understands", but(|c| c.will = Some(("somewhere/else".into(), Vec::new(), 0)))),
    ];
    for (what, connect) in cases {
        let mut wire = place.dial().await;
        wire.send(&connect.bytes()).await;
        assert_eq!(wire.get().await, Got::ConnAck(0, 0), "{what}");
        wire.expect_quiet().await;
    }
}

#[tokio::test]
async fn an_id_may_hold_every_legal_character() {
    let place = Place::start().await;
    for text in ["a-.+%_#*?!(),:=@$';Z", "%41", "a+b/c#d", "#", "50%"] {
        let id: TwinId = text.parse().unwrap();
        place.create(&id.parent()).await;
        if id.module.is_some() {
            place.create(&id).await;
        }
        let mut wire = place.connect_twin(&id).await;
        wire.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b" ")).await;
        assert_eq!(wire.message().await.0, "$iothub/twin/res/200/?$rid=1", "{text}");
        let module = id.module.as_ref().map(|module| format!("/modules/{module}")).unwrap_or_default();
        let topic = format!("devices/{}{module}/messages/events/", id.device);
        wire.ask(&wire::publish(0x32, 7, &topic, text.as_bytes()), Got::PubAck(7)).await;
        assert_eq!(place.telemetry().pop(), Some((String::new(), text.as_bytes().to_vec())));
    }
}

#[tokio::test]
async fn the_registry_sees_connections_come_and_go() {
    let place = place().await;
    let (device, module) = (id("d"), id("d/m"));
    let mut wire = place.connect(&device).await;
    assert!(place.is_connected(&device) && !place.is_connected(&module));
    assert_eq!(place.connection_state(&device), ConnectionState::Connected);
    assert_eq!(place.connection_state(&module), ConnectionState::Disconnected);
    let counted = || place.local.hub().read(|registry| registry.statistics().connected);
    assert_eq!(counted(), 1);
    let _module_wire = place.connect(&module).await;
    assert_eq!(place.local.hub().sessions().connected_count(), 2);
    assert_eq!(counted(), 1, "modules are not counted");
    wire.send(DISCONNECT).await;
    wire.expect_end().await;
    place.wait_gone(&device).await;
    assert_eq!(place.local.hub().sessions().connected_count(), 1);
    assert_eq!(place.connection_state(&module), ConnectionState::Connected);
}

#[tokio::test]
async fn a_model_id_is_taken_from_the_user_name() {
    let place = place().await;
    let user = "localhost/d/?api-version=2020-09-30&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1";
    let mut wire = place.dial().await;
    wire.ask(&but(|c| c.user_name = Some(user.into())).bytes(), Got::ConnAck(0, 0)).await;
    let model = place.local.hub().read(|registry| registry.twin(&id("d")).unwrap().model_id);
    assert_eq!(model.as_deref(), Some("dtmi:com:example:Thermostat;1"));

    // One that is too long to be one is ignored; the device is welcome all the same.
    let user = format!("localhost/d/?api-version=2020-09-30&model-id=dtmi%3A{}", "x".repeat(252));
    let mut wire = place.dial().await;
    wire.ask(&but(|c| c.user_name = Some(user)).bytes(), Got::ConnAck(0, 0)).await;
    let model = place.local.hub().read(|registry| registry.twin(&id("d")).unwrap().model_id);
    assert_eq!(model.as_deref(), Some("dtmi:com:example:Thermostat;1"));
}

#[tokio::test]
async fn packets_may_come_with_the_connect_and_in_single_bytes() {
    let (place, id) = Place::with_device().await;
    let mut at_once = greeting(&id).bytes();
    at_once.extend(wire::subscribe(1, &[("$iothub/twin/res/#", 1)]));
    at_once.extend(wire::PING);
    let mut wire = place.dial().await;
    wire.ask(&at_once, Got::ConnAck(0, 0)).await;
    wire.expect(Got::SubAck(1, vec![1])).await;
    wire.expect(Got::Pong).await;
    let mut slow = place.dial().await;
    for byte in at_once {
        slow.send(&[byte]).await;
    }
    slow.expect(Got::ConnAck(0, 0)).await;
    slow.expect(Got::SubAck(1, vec![1])).await;
    slow.expect(Got::Pong).await;
}
