//! Bytes to packets, as they come in: any fragmentation, nothing buffered that would be refused anyway.

use super::fields::Fields;
use super::{CleanSession, Connect, Incoming, Malformed, Publish, Qos, Will};
use crate::protocol::secret::Secret;
use bytes::{Bytes, BytesMut};

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 10;
const PINGREQ: u8 = 12;
const DISCONNECT: u8 = 14;

/// Takes the next packet from the front of `buffer`; `None` when it is not all there yet, and then nothing is taken.
///
/// # Errors
/// When the bytes cannot become a packet of at most `max_body` bytes behind its fixed header, however they go on.
pub fn decode(buffer: &mut BytesMut, max_body: usize) -> Result<Option<Incoming>, Malformed> {
    let Some(&first) = buffer.first() else { return Ok(None) };
    let (kind, flags) = (first >> 4, first & 0x0f);
    check_header(kind, flags)?;
    let Some((length, header)) = remaining_length(buffer)? else { return Ok(None) };
    if length > max_body {
        return Err(Malformed::TooLarge { length, max: max_body });
    }
    if buffer.len() < header + length {
        return Ok(None);
    }
    let mut packet = buffer.split_to(header + length).freeze();
    let body = packet.split_off(header);
    read(kind, flags, body).map(Some)
}

/// Type and flags alone tell most garbage from MQTT, at the first byte.
fn check_header(kind: u8, flags: u8) -> Result<(), Malformed> {
    let expected = match kind {
        PUBLISH => {
            // DUP on QoS 0 and QoS 3 do not exist.
            return match (flags >> 1) & 0b11 {
                3 => Err(Malformed::Qos),
                0 if flags & 0b1000 != 0 => Err(Malformed::Flags { kind, flags }),
                _ => Ok(()),
            };
        }
        CONNECT | PUBACK | PINGREQ | DISCONNECT => 0b0000,
        SUBSCRIBE | UNSUBSCRIBE => 0b0010,
        other => return Err(Malformed::Type(other)),
    };
    if flags == expected { Ok(()) } else { Err(Malformed::Flags { kind, flags }) }
}

/// The length behind the first byte, seven bits per byte, and the size of the whole fixed header.
fn remaining_length(buffer: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut length = 0;
    for at in 0..4 {
        let Some(byte) = buffer.get(1 + at) else { return Ok(None) };
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((length, 2 + at)));
        }
    }
    Err(Malformed::Length)
}

fn read(kind: u8, flags: u8, body: Bytes) -> Result<Incoming, Malformed> {
    let mut fields = Fields::new(body);
    let packet = match kind {
        CONNECT => Incoming::Connect(Box::new(connect(&mut fields)?)),
        PUBLISH => Incoming::Publish(publish(flags, &mut fields)?),
        PUBACK => Incoming::PubAck { packet_id: fields.packet_id()? },
        SUBSCRIBE => {
            let packet_id = fields.packet_id()?;
            Incoming::Subscribe { packet_id, filters: all(&mut fields, |f| Ok((f.topic()?, qos(f.byte()?)?)))? }
        }
        UNSUBSCRIBE => {
            let packet_id = fields.packet_id()?;
            Incoming::Unsubscribe { packet_id, filters: all(&mut fields, Fields::topic)? }
        }
        PINGREQ => Incoming::PingReq,
        DISCONNECT => Incoming::Disconnect,
        other => return Err(Malformed::Type(other)),
    };
    fields.end()?;
    Ok(packet)
}

fn connect(fields: &mut Fields) -> Result<Connect, Malformed> {
    let name = fields.bytes()?;
    let level = fields.byte()?;
    if name.as_ref() != b"MQTT" || level != 4 {
        // What follows belongs to another protocol: it is not read.
        return Err(Malformed::Protocol { level });
    }
    let flags = fields.byte()?;
    let has = |bit: u8| flags & (1 << bit) != 0;
    let will_qos = qos((flags >> 3) & 0b11).map_err(|_qos3| Malformed::ConnectFlags(flags))?;
    let without_will = has(5) || will_qos != Qos::AtMostOnce;
    if has(0) || (!has(2) && without_will) || (has(6) && !has(7)) {
        return Err(Malformed::ConnectFlags(flags));
    }
    let keep_alive_s = fields.number()?;
    let client_id = fields.text()?;
    let will = if has(2) {
        let topic = fields.topic()?;
        Some(Will { topic, payload: fields.bytes()?, qos: will_qos, retain: has(5) })
    } else {
        None
    };
    let user_name = if has(7) { Some(fields.text()?) } else { None };
    let password =
        if has(6) { Some(Secret::new(String::from_utf8_lossy(&fields.bytes()?).into_owned())) } else { None };
    let clean_session = if has(1) { CleanSession::Clean } else { CleanSession::Kept };
    Ok(Connect { client_id, clean_session, keep_alive_s, will, user_name, password })
}

fn publish(flags: u8, fields: &mut Fields) -> Result<Publish, Malformed> {
    let qos = qos((flags >> 1) & 0b11)?;
    let topic = fields.topic()?;
    let packet_id = if qos == Qos::AtMostOnce { None } else { Some(fields.packet_id()?) };
    Ok(Publish { topic, payload: fields.rest(), qos, packet_id, retain: flags & 1 != 0, dup: flags & 0b1000 != 0 })
}

fn all<T>(fields: &mut Fields, one: impl Fn(&mut Fields) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
    let mut found = Vec::new();
    while !fields.is_empty() {
        found.push(one(fields)?);
    }
    if found.is_empty() { Err(Malformed::NoFilters) } else { Ok(found) }
}

fn qos(bits: u8) -> Result<Qos, Malformed> {
    match bits {
        0 => Ok(Qos::AtMostOnce),
        1 => Ok(Qos::AtLeastOnce),
        2 => Ok(Qos::ExactlyOnce),
        _ => Err(Malformed::Qos),
    }
}
