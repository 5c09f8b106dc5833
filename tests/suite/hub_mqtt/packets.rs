//! The packet codec: single cases byte by byte, laws, and rumqttc's codec as an independent second opinion.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use rumqttc::mqttbytes::{QoS, v4};
use twinscope::local_hub::mqtt::packet::{
    CleanSession, Connect, Grant, Incoming, MAX_BODY, MAX_MESSAGE, Malformed, Outgoing, Publish, Qos, ReturnCode, Will,
    decode, encode,
};
use twinscope::protocol::secret::Secret;

fn decode_all(bytes: &[u8]) -> Result<Option<Incoming>, Malformed> {
    decode(&mut BytesMut::from(bytes), MAX_BODY)
}

/// A CONNECT from its name, level, flags and what follows.
fn connect_bytes(name: &[u8], level: u8, flags: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut body = vec![0, u8::try_from(name.len()).unwrap()];
    body.extend(name);
    body.extend([level, flags, 0, 60]);
    for field in fields {
        body.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        body.extend(*field);
    }
    let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
    packet.extend(body);
    packet
}

#[test]
fn takes_what_a_client_may_send() {
    let check = |bytes: &[u8], expected: Incoming| assert_eq!(decode_all(bytes), Ok(Some(expected)), "{bytes:02x?}");
    check(&[0xc0, 0], Incoming::PingReq);
    check(&[0xe0, 0], Incoming::Disconnect);
    check(&[0x40, 2, 1, 2], Incoming::PubAck { packet_id: 0x102 });
    check(
        b"\x82\x06\x00\x07\x00\x01a\x02",
        Incoming::Subscribe { packet_id: 7, filters: vec![("a".into(), Qos::ExactlyOnce)] },
    );
    check(
        b"\xa2\x08\x00\x07\x00\x01a\x00\x01b",
        Incoming::Unsubscribe { packet_id: 7, filters: vec!["a".into(), "b".into()] },
    );
    let publish = |topic: &str, payload: &'static [u8], qos, packet_id, retain, dup| {
        Incoming::Publish(Publish {
            topic: topic.into(),
            payload: Bytes::from_static(payload),
            qos,
            packet_id,
            retain,
            dup,
        })
    };
    check(b"\x30\x05\x00\x01txy", publish("t", b"xy", Qos::AtMostOnce, None, false, false));
    check(b"\x3b\x06\x00\x01t\x00\x09x", publish("t", b"x", Qos::AtLeastOnce, Some(9), true, true));
    check(b"\x34\x05\x00\x01t\x00\x09", publish("t", b"", Qos::ExactlyOnce, Some(9), false, false));
    // Device ids may hold these, and stand in topics as they are.
    check(b"\x30\x05\x00\x03a#+", publish("a#+", b"", Qos::AtMostOnce, None, false, false));
    // A length may be written with more bytes than it needs.
    check(b"\xc0\x80\x00", Incoming::PingReq);
    check(
        &connect_bytes(b"MQTT", 4, 0b1110_1110, &[b"d/m", b"t", b"gone", b"user", b"\xffpass"]),
        Incoming::Connect(Box::new(Connect {
            client_id: "d/m".into(),
            clean_session: CleanSession::Clean,
            keep_alive_s: 60,
            will: Some(Will {
                topic: "t".into(),
                payload: Bytes::from_static(b"gone"),
                qos: Qos::AtLeastOnce,
                retain: true,
            }),
            user_name: Some("user".into()),
            password: Some(Secret::new("\u{fffd}pass")),
        })),
    );
}

#[test]
fn refuses_what_no_client_may_send() {
    let check = |bytes: &[u8], expected: Malformed| assert_eq!(decode_all(bytes), Err(expected), "{bytes:02x?}");
    let too_large = |length| Malformed::TooLarge { length, max: MAX_BODY };
    // Types the server alone sends, QoS 2's, and those that do not exist: told by the first byte, whatever follows.
    for first in [0x00, 0x20, 0x50, 0x62, 0x70, 0x90, 0xb0, 0xd0, 0xf0] {
        check(&[first], Malformed::Type(first >> 4));
    }
    for first in [0x11, 0x41, 0x80, 0x8a, 0xa0, 0xc8, 0xe1, 0x38] {
        check(&[first], Malformed::Flags { kind: first >> 4, flags: first & 0x0f });
    }
    check(b"GET / HTTP/1.1", Malformed::Flags { kind: 4, flags: 7 });
    check(&[0x16, 3, 1], Malformed::Flags { kind: 1, flags: 6 });
    check(&[0x36], Malformed::Qos);
    // Lengths: judged before a byte of the body is there.
    check(&[0x30, 0x80, 0x80, 0x80, 0x80], Malformed::Length);
    check(&[0x30, 0xff, 0xff, 0xff, 0x7f], too_large(268_435_455));
    // Fields.
    check(b"\x30\x02\x00\x03", Malformed::Truncated);
    check(b"\x30\x00", Malformed::Truncated);
    check(b"\x30\x02\x00\x00", Malformed::Topic);
    check(b"\x32\x05\x00\x01t\x00\x00", Malformed::PacketId);
    check(b"\x32\x04\x00\x01t\x01", Malformed::Truncated);
    check(b"\x30\x04\x00\x02\xc3\x28", Malformed::Text);
    check(b"\x30\x04\x00\x02a\x00", Malformed::Text);
    check(b"\x30\x05\x00\x03\xed\xa0\x80", Malformed::Text);
    check(b"\xc0\x01\x00", Malformed::Trailing(1));
    check(b"\xe0\x02ab", Malformed::Trailing(2));
    check(b"\x40\x03\x00\x01\x00", Malformed::Trailing(1));
    check(b"\x40\x02\x00\x00", Malformed::PacketId);
    check(b"\x82\x02\x00\x01", Malformed::NoFilters);
    check(b"\x82\x06\x00\x01\x00\x01a\x03", Malformed::Qos);
    check(b"\x82\x05\x00\x01\x00\x01a", Malformed::Truncated);
    check(b"\xa2\x02\x00\x01", Malformed::NoFilters);
    check(b"\xa2\x04\x00\x01\x00\x00", Malformed::Topic);
    // CONNECT.
    for (level, name) in [(3, &b"MQIsdp"[..]), (5, b"MQTT"), (3, b"MQTT"), (4, b"mqtt"), (0x84, b"MQTT")] {
        check(&connect_bytes(name, level, 2, &[b"d"]), Malformed::Protocol { level });
    }
    for flags in [0b0000_0001, 0b0000_1000, 0b0010_0000, 0b0100_0000, 0b0001_1100] {
        check(&connect_bytes(b"MQTT", 4, flags, &[b"d"]), Malformed::ConnectFlags(flags));
    }
    check(&connect_bytes(b"MQTT", 4, 0b1000_0010, &[b"d"]), Malformed::Truncated);
    check(&connect_bytes(b"MQTT", 4, 0b0000_0010, &[b"d", b"more"]), Malformed::Trailing(6));
}

#[test]
fn the_largest_message_passes_and_one_byte_more_does_not() {
    let header = |length: usize| {
        let byte = |shift: usize, more: u8| u8::try_from(length >> shift & 0x7f).unwrap() | more;
        BytesMut::from(&[0x30, byte(0, 0x80), byte(7, 0x80), byte(14, 0)][..])
    };
    assert_eq!(decode(&mut header(MAX_BODY), MAX_BODY), Ok(None));
    assert_eq!(
        decode(&mut header(MAX_BODY + 1), MAX_BODY),
        Err(Malformed::TooLarge { length: MAX_BODY + 1, max: MAX_BODY })
    );
    let mut packet = BytesMut::new();
    v4::Publish::new("devices/d/messages/events/", QoS::AtMostOnce, vec![b'x'; MAX_MESSAGE])
        .write(&mut packet)
        .unwrap();
    match decode(&mut packet, MAX_BODY) {
        Ok(Some(Incoming::Publish(publish))) => assert_eq!(publish.payload.len(), MAX_MESSAGE),
        other => panic!("{other:?}"),
    }
    assert!(packet.is_empty());
}

#[test]
fn what_mqtt_cannot_carry_is_not_encoded() {
    let mut out = BytesMut::from(&b"before"[..]);
    let topic = "t".repeat(65_536);
    assert!(encode(&Outgoing::Publish { topic, payload: Bytes::new() }, &mut out).is_err());
    assert_eq!(&out[..], b"before");
}

#[test]
fn a_printed_connect_keeps_its_password() {
    let printed = format!("{:?}", decode_all(&connect_bytes(b"MQTT", 4, 0b1100_0010, &[b"d", b"u", b"geheim"])));
    assert!(printed.contains("***") && !printed.contains("geheim"), "{printed}");
}

fn qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

fn text() -> impl Strategy<Value = String> {
    "[^\0]{1,40}"
}

fn theirs(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}

fn will() -> impl Strategy<Value = Will> {
    (text(), vec(any::<u8>(), 0..80), qos(), any::<bool>()).prop_map(|(topic, payload, qos, retain)| Will {
        topic,
        payload: payload.into(),
        qos,
        retain,
    })
}

fn publish() -> impl Strategy<Value = Publish> {
    (text(), vec(any::<u8>(), 0..300), qos(), 1..=u16::MAX, any::<bool>(), any::<bool>()).prop_map(
        |(topic, payload, qos, packet_id, retain, dup)| Publish {
            topic,
            payload: payload.into(),
            qos,
            packet_id: (qos != Qos::AtMostOnce).then_some(packet_id),
            retain,
            dup: dup && qos != Qos::AtMostOnce,
        },
    )
}

fn incoming() -> impl Strategy<Value = Incoming> {
    let connect = ("[^\0]{0,40}", any::<bool>(), any::<u16>(), proptest::option::of(will()), text(), text()).prop_map(
        |(client_id, clean, keep_alive_s, will, user_name, password)| {
            Incoming::Connect(Box::new(Connect {
                client_id,
                clean_session: if clean { CleanSession::Clean } else { CleanSession::Kept },
                keep_alive_s,
                will,
                user_name: Some(user_name),
                password: Some(Secret::new(password)),
            }))
        },
    );
    prop_oneof![
        connect,
        publish().prop_map(Incoming::Publish),
        (1..=u16::MAX).prop_map(|packet_id| Incoming::PubAck { packet_id }),
        (1..=u16::MAX, vec((text(), qos()), 1..6))
            .prop_map(|(packet_id, filters)| Incoming::Subscribe { packet_id, filters }),
        (1..=u16::MAX, vec(text(), 1..6)).prop_map(|(packet_id, filters)| Incoming::Unsubscribe { packet_id, filters }),
        Just(Incoming::PingReq),
        Just(Incoming::Disconnect),
    ]
}

/// The same packet in rumqttc's words.
fn as_theirs(packet: &Incoming) -> v4::Packet {
    match packet.clone() {
        Incoming::Connect(connect) => {
            let mut packet = v4::Connect::new(connect.client_id);
            packet.keep_alive = connect.keep_alive_s;
            packet.clean_session = connect.clean_session == CleanSession::Clean;
            packet.last_will =
                connect.will.map(|w| v4::LastWill::new(w.topic, w.payload.to_vec(), theirs(w.qos), w.retain));
            packet.set_login(connect.user_name.unwrap(), connect.password.unwrap().reveal());
            v4::Packet::Connect(packet)
        }
        Incoming::Publish(publish) => {
            let mut packet = v4::Publish::from_bytes(publish.topic, theirs(publish.qos), publish.payload);
            packet.pkid = publish.packet_id.unwrap_or(0);
            packet.retain = publish.retain;
            packet.dup = publish.dup;
            v4::Packet::Publish(packet)
        }
        Incoming::PubAck { packet_id } => v4::Packet::PubAck(v4::PubAck::new(packet_id)),
        Incoming::Subscribe { packet_id, filters } => {
            let filters = filters.into_iter().map(|(path, qos)| v4::SubscribeFilter { path, qos: theirs(qos) });
            let mut packet = v4::Subscribe::new_many(filters);
            packet.pkid = packet_id;
            v4::Packet::Subscribe(packet)
        }
        Incoming::Unsubscribe { packet_id, filters } => {
            v4::Packet::Unsubscribe(v4::Unsubscribe { pkid: packet_id, topics: filters })
        }
        Incoming::PingReq => v4::Packet::PingReq,
        Incoming::Disconnect => v4::Packet::Disconnect,
    }
}

fn outgoing() -> impl Strategy<Value = Outgoing> {
    let code = prop_oneof![
        Just(ReturnCode::Accepted),
        Just(ReturnCode::UnacceptableProtocol),
        Just(ReturnCode::IdentifierRejected),
        Just(ReturnCode::ServerUnavailable),
        Just(ReturnCode::NotAuthorized),
    ];
    let grant = prop_oneof![Just(Grant::AtMostOnce), Just(Grant::AtLeastOnce), Just(Grant::Refused)];
    prop_oneof![
        (any::<bool>(), code).prop_map(|(session_present, code)| Outgoing::ConnAck { session_present, code }),
        (text(), vec(any::<u8>(), 0..40_000))
            .prop_map(|(topic, payload)| Outgoing::Publish { topic, payload: payload.into() }),
        (text(), vec(any::<u8>(), 0..40_000), 1..=u16::MAX, any::<bool>()).prop_map(
            |(topic, payload, packet_id, again)| {
                Outgoing::Delivery { topic, payload: payload.into(), packet_id, again }
            }
        ),
        (1..=u16::MAX).prop_map(|packet_id| Outgoing::PubAck { packet_id }),
        (1..=u16::MAX, vec(grant, 1..300)).prop_map(|(packet_id, grants)| Outgoing::SubAck { packet_id, grants }),
        (1..=u16::MAX).prop_map(|packet_id| Outgoing::UnsubAck { packet_id }),
        Just(Outgoing::PingResp),
    ]
}

/// What rumqttc must read of it.
fn read_by_them(packet: &Outgoing) -> v4::Packet {
    match packet.clone() {
        Outgoing::ConnAck { session_present, code } => {
            let code = match code {
                ReturnCode::Accepted => v4::ConnectReturnCode::Success,
                ReturnCode::UnacceptableProtocol => v4::ConnectReturnCode::RefusedProtocolVersion,
                ReturnCode::IdentifierRejected => v4::ConnectReturnCode::BadClientId,
                ReturnCode::ServerUnavailable => v4::ConnectReturnCode::ServiceUnavailable,
                ReturnCode::NotAuthorized => v4::ConnectReturnCode::NotAuthorized,
            };
            v4::Packet::ConnAck(v4::ConnAck::new(code, session_present))
        }
        Outgoing::Publish { topic, payload } => {
            v4::Packet::Publish(v4::Publish::from_bytes(topic, QoS::AtMostOnce, payload))
        }
        Outgoing::Delivery { topic, payload, packet_id, again } => {
            let mut packet = v4::Publish::from_bytes(topic, QoS::AtLeastOnce, payload);
            (packet.pkid, packet.dup) = (packet_id, again);
            v4::Packet::Publish(packet)
        }
        Outgoing::PubAck { packet_id } => v4::Packet::PubAck(v4::PubAck::new(packet_id)),
        Outgoing::SubAck { packet_id, grants } => {
            let codes = grants.into_iter().map(|grant| match grant {
                Grant::AtMostOnce => v4::SubscribeReasonCode::Success(QoS::AtMostOnce),
                Grant::AtLeastOnce => v4::SubscribeReasonCode::Success(QoS::AtLeastOnce),
                Grant::Refused => v4::SubscribeReasonCode::Failure,
            });
            v4::Packet::SubAck(v4::SubAck::new(packet_id, codes.collect()))
        }
        Outgoing::UnsubAck { packet_id } => v4::Packet::UnsubAck(v4::UnsubAck::new(packet_id)),
        Outgoing::PingResp => v4::Packet::PingResp,
    }
}

proptest! {
    /// Whatever rumqttc writes arrives as it was meant, however the network cuts it up.
    #[test]
    fn reads_what_another_codec_writes_in_any_pieces(
        packets in vec(incoming(), 1..8),
        cuts in vec(1..200_usize, 1..20),
    ) {
        let mut wire = BytesMut::new();
        for packet in &packets {
            // Each into its own buffer: rumqttc writes the flags of a CONNECT at a fixed place in the buffer.
            let mut alone = BytesMut::new();
            as_theirs(packet).write(&mut alone, usize::MAX).unwrap();
            wire.unsplit(alone);
        }
        let (mut buffer, mut found, mut cuts) = (BytesMut::new(), Vec::new(), cuts.iter().cycle());
        while !wire.is_empty() {
            let piece = (*cuts.next().unwrap()).min(wire.len());
            buffer.extend_from_slice(&wire.split_to(piece));
            while let Some(packet) = decode(&mut buffer, MAX_BODY).unwrap() {
                found.push(packet);
            }
        }
        prop_assert_eq!(found, packets);
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn another_codec_reads_what_is_written(packets in vec(outgoing(), 1..8)) {
        let mut wire = BytesMut::new();
        for packet in &packets {
            encode(packet, &mut wire).unwrap();
        }
        for packet in &packets {
            prop_assert_eq!(v4::Packet::read(&mut wire, usize::MAX).unwrap(), read_by_them(packet));
        }
        prop_assert!(wire.is_empty());
    }

    /// Arbitrary bytes, and packets with bytes changed: an error or a packet, never a panic; what is undecided stays in the buffer.
    #[test]
    fn survives_anything(
        packet in incoming(),
        noise in vec(any::<u8>(), 0..100),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut damaged = BytesMut::new();
        as_theirs(&packet).write(&mut damaged, usize::MAX).unwrap();
        for (at, byte) in changes {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        for mut buffer in [BytesMut::from(&noise[..]), damaged] {
            loop {
                let before = buffer.len();
                match decode(&mut buffer, 4096) {
                    Ok(Some(_)) => prop_assert!(buffer.len() < before),
                    Ok(None) => {
                        prop_assert_eq!(buffer.len(), before);
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
    }
}
