//! The packet decoder: bytes cut anywhere give the same packets, nothing claims more than came, rumqttc's codec agrees with what is
//! accepted, and what is encoded is read back by it.
#![no_main]

use arbitrary::Arbitrary;
use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use rumqttc::mqttbytes::v4;
use twinscope::local_hub::mqtt::packet::{
    CleanSession, Connect, Grant, Incoming, MAX_BODY, Malformed, Outgoing, Qos, decode, encode,
};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Sizes of the pieces, over and over.
    cuts: &'a [u8],
    topic: &'a str,
    grants: u8,
    bytes: &'a [u8],
}

/// Everything that can be taken, why it ended, and what is left.
fn take(buffer: &mut BytesMut, packets: &mut Vec<Incoming>) -> Result<(), Malformed> {
    loop {
        let before = buffer.clone();
        match decode(buffer, MAX_BODY) {
            Ok(Some(packet)) => {
                let taken = before.len() - buffer.len();
                assert!(taken >= 2 && taken <= MAX_BODY + 5, "a packet of {taken} bytes");
                assert_eq!(before[taken..], buffer[..], "something else than the front was taken");
                assert!(held(&packet) <= taken, "{packet:?} holds more than came");
                agree(&packet, &before[..taken]);
                packets.push(packet);
            }
            Ok(None) => {
                assert_eq!(before, *buffer, "something was taken although there was no packet");
                return Ok(());
            }
            Err(malformed) => return Err(malformed),
        }
    }
}

/// Bytes a packet keeps.
fn held(packet: &Incoming) -> usize {
    match packet {
        Incoming::Connect(connect) => {
            let Connect { client_id, will, user_name, .. } = &**connect;
            let will = will.as_ref().map_or(0, |will| will.topic.len() + will.payload.len());
            client_id.len() + will + user_name.as_ref().map_or(0, String::len)
        }
        Incoming::Publish(publish) => publish.topic.len() + publish.payload.len(),
        Incoming::Subscribe { filters, .. } => filters.iter().map(|(filter, _)| filter.len() + 3).sum(),
        Incoming::Unsubscribe { filters, .. } => filters.iter().map(|filter| filter.len() + 2).sum(),
        Incoming::PubAck { .. } | Incoming::PingReq | Incoming::Disconnect => 0,
    }
}

/// The second opinion on a packet that was accepted.
fn agree(packet: &Incoming, bytes: &[u8]) {
    let theirs = v4::Packet::read(&mut BytesMut::from(bytes), MAX_BODY);
    match (packet, theirs) {
        // A password that is no UTF-8 is one that fits no key here, and an error there.
        (Incoming::Connect(ours), Err(_)) => {
            assert!(ours.password.as_ref().is_some_and(|password| password.reveal().contains('\u{fffd}')));
        }
        (Incoming::Connect(ours), Ok(v4::Packet::Connect(theirs))) => {
            assert_eq!(ours.client_id, theirs.client_id);
            assert_eq!(ours.keep_alive_s, theirs.keep_alive);
            assert_eq!(ours.clean_session == CleanSession::Clean, theirs.clean_session);
            let will = ours.will.clone().map(|will| (will.topic, will.payload, will.qos as u8, will.retain));
            assert_eq!(will, theirs.last_will.map(|will| (will.topic, will.message, will.qos as u8, will.retain)));
            let (user_name, password) = theirs.login.map(|login| (login.username, login.password)).unwrap_or_default();
            assert_eq!(ours.user_name.as_deref().unwrap_or_default(), user_name);
            assert_eq!(ours.password.as_ref().map(|password| password.reveal()).unwrap_or_default(), password);
        }
        (Incoming::Publish(ours), Ok(v4::Packet::Publish(theirs))) => {
            assert_eq!((&ours.topic, &ours.payload), (&theirs.topic, &theirs.payload));
            assert_eq!((ours.qos as u8, ours.packet_id.unwrap_or(0)), (theirs.qos as u8, theirs.pkid));
            assert_eq!((ours.retain, ours.dup), (theirs.retain, theirs.dup));
        }
        (Incoming::PubAck { packet_id }, Ok(v4::Packet::PubAck(theirs))) => assert_eq!(*packet_id, theirs.pkid),
        (Incoming::Subscribe { packet_id, filters }, Ok(v4::Packet::Subscribe(theirs))) => {
            assert_eq!(*packet_id, theirs.pkid);
            let ours: Vec<(&str, u8)> = filters.iter().map(|(filter, qos)| (filter.as_str(), *qos as u8)).collect();
            let theirs: Vec<(&str, u8)> = theirs.filters.iter().map(|f| (f.path.as_str(), f.qos as u8)).collect();
            assert_eq!(ours, theirs);
        }
        (Incoming::Unsubscribe { packet_id, filters }, Ok(v4::Packet::Unsubscribe(theirs))) => {
            assert_eq!((*packet_id, filters), (theirs.pkid, &theirs.topics));
        }
        (Incoming::PingReq, Ok(v4::Packet::PingReq)) | (Incoming::Disconnect, Ok(v4::Packet::Disconnect)) => {}
        (ours, theirs) => panic!("{ours:?} is {theirs:?} to rumqttc"),
    }
}

/// What the server would say is read back by a client.
fn encoded(input: &Input) {
    let topic = input.topic.to_owned();
    let payload = Bytes::copy_from_slice(input.bytes);
    let grants = vec![
        [Grant::AtMostOnce, Grant::AtLeastOnce, Grant::Refused][usize::from(input.grants) % 3];
        1 + usize::from(input.grants)
    ];
    for packet in [Outgoing::Publish { topic, payload }, Outgoing::SubAck { packet_id: 7, grants }] {
        let mut out = BytesMut::new();
        if encode(&packet, &mut out).is_err() {
            assert!(out.is_empty());
            continue;
        }
        let read = v4::Packet::read(&mut out, usize::MAX).expect("a client reads it");
        assert!(out.is_empty(), "bytes are left over");
        match (&packet, read) {
            (Outgoing::Publish { topic, payload }, v4::Packet::Publish(read)) => {
                assert_eq!((topic, payload), (&read.topic, &read.payload));
                assert_eq!(read.qos as u8, Qos::AtMostOnce as u8);
            }
            (Outgoing::SubAck { packet_id, grants }, v4::Packet::SubAck(read)) => {
                assert_eq!((*packet_id, grants.len()), (read.pkid, read.return_codes.len()));
            }
            (packet, read) => panic!("{packet:?} was read as {read:?}"),
        }
    }
}

fuzz_target!(|input: Input| {
    let (mut whole, mut packets) = (BytesMut::from(input.bytes), Vec::new());
    let end = take(&mut whole, &mut packets);

    let (mut buffer, mut rest, mut again) = (BytesMut::new(), input.bytes, Vec::new());
    let mut end_again = Ok(());
    let mut cuts = input.cuts.iter().map(|cut| usize::from(*cut).max(1)).cycle();
    while !rest.is_empty() && end_again.is_ok() {
        let cut = cuts.next().unwrap_or(1).min(rest.len());
        buffer.extend_from_slice(&rest[..cut]);
        rest = &rest[cut..];
        end_again = take(&mut buffer, &mut again);
    }
    assert_eq!(packets, again);
    assert_eq!(end, end_again);
    if end.is_ok() {
        assert_eq!(whole, buffer);
    }
    encoded(&input);
});
