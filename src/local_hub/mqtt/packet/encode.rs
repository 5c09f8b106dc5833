//! Packets of the server to bytes.

use super::Outgoing;
use bytes::{BufMut, BytesMut};

/// The longest body a fixed header can announce.
const MAX_ANNOUNCED: usize = 268_435_455;

/// A packet MQTT has no form for: a topic beyond 65,535 bytes, or 256 MB of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too large for MQTT")]
pub struct TooLarge;

/// Appends the packet to `out`.
///
/// # Errors
/// When MQTT cannot express its size; nothing is appended then.
pub fn encode(packet: &Outgoing, out: &mut BytesMut) -> Result<(), TooLarge> {
    match packet {
        Outgoing::ConnAck { session_present, code } => {
            out.put_slice(&[0x20, 2, u8::from(*session_present), *code as u8]);
        }
        Outgoing::Publish { topic, payload } => publish(0x30, topic, None, payload, out)?,
        Outgoing::Delivery { topic, payload, packet_id, again } => {
            publish(if *again { 0x3a } else { 0x32 }, topic, Some(*packet_id), payload, out)?;
        }
        Outgoing::PubAck { packet_id } => put_acknowledgement(0x40, *packet_id, out),
        Outgoing::SubAck { packet_id, grants } => {
            out.put_u8(0x90);
            put_length(2 + grants.len(), out);
            out.put_u16(*packet_id);
            out.extend(grants.iter().map(|grant| *grant as u8));
        }
        Outgoing::UnsubAck { packet_id } => put_acknowledgement(0xb0, *packet_id, out),
        Outgoing::PingResp => out.put_slice(&[0xd0, 0]),
    }
    Ok(())
}

fn publish(first: u8, topic: &str, packet_id: Option<u16>, payload: &[u8], out: &mut BytesMut) -> Result<(), TooLarge> {
    let topic_length = u16::try_from(topic.len()).map_err(|_too_long| TooLarge)?;
    let length = 2 + topic.len() + packet_id.map_or(0, |_| 2) + payload.len();
    if length > MAX_ANNOUNCED {
        return Err(TooLarge);
    }
    out.reserve(5 + length);
    out.put_u8(first);
    put_length(length, out);
    out.put_u16(topic_length);
    out.put_slice(topic.as_bytes());
    if let Some(packet_id) = packet_id {
        out.put_u16(packet_id);
    }
    out.put_slice(payload);
    Ok(())
}

fn put_acknowledgement(first: u8, packet_id: u16, out: &mut BytesMut) {
    out.put_slice(&[first, 2]);
    out.put_u16(packet_id);
}

/// Seven bits per byte, the lowest first; the top bit says that more follow.
fn put_length(mut length: usize, out: &mut BytesMut) {
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        out.put_u8(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            return;
        }
    }
}
