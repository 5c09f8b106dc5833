//! Reads the fields of one packet's body, front to back.

use super::Malformed;
use bytes::{Buf, Bytes};

/// What is left of a packet's body.
pub struct Fields(Bytes);

impl Fields {
    pub fn new(body: Bytes) -> Self {
        Self(body)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        self.0.try_get_u8().map_err(|_short| Malformed::Truncated)
    }

    pub fn number(&mut self) -> Result<u16, Malformed> {
        self.0.try_get_u16().map_err(|_short| Malformed::Truncated)
    }

    pub fn packet_id(&mut self) -> Result<u16, Malformed> {
        match self.number()? {
            0 => Err(Malformed::PacketId),
            id => Ok(id),
        }
    }

    /// Two bytes of length, then so many bytes; shares the packet's buffer.
    pub fn bytes(&mut self) -> Result<Bytes, Malformed> {
        let length = usize::from(self.number()?);
        if length > self.0.len() {
            return Err(Malformed::Truncated);
        }
        Ok(self.0.split_to(length))
    }

    /// UTF-8 without U+0000, as MQTT wants every text.
    pub fn text(&mut self) -> Result<String, Malformed> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(&bytes).map_err(|_not_utf8| Malformed::Text)?;
        if text.contains('\0') {
            return Err(Malformed::Text);
        }
        Ok(text.to_owned())
    }

    pub fn topic(&mut self) -> Result<String, Malformed> {
        let topic = self.text()?;
        if topic.is_empty() {
            return Err(Malformed::Topic);
        }
        Ok(topic)
    }

    /// All that is left.
    pub fn rest(&mut self) -> Bytes {
        self.0.split_to(self.0.len())
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Malformed> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(Malformed::Trailing(left)),
        }
    }
}
