//! Answers: JSON with the headers clients look at, and the error envelopes.

use crate::local_hub::hub::Refused;
use crate::protocol::error::{self, Shape};
use crate::protocol::rest::{ERROR_CODE, REQUEST_ID};
use crate::twin::{Etag, Json};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

pub type Answer = Response<Full<Bytes>>;

/// Node's client reads a body as JSON only when the type says so.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// 200 with a JSON body.
pub fn json(value: &Json) -> Answer {
    json_bytes(StatusCode::OK, value.to_string().into_bytes())
}

pub fn json_bytes(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    name(answer)
}

/// 200 with a JSON body and its etag, quoted, in the header.
pub fn json_with_etag(value: &Json, etag: &Etag) -> Answer {
    let mut answer = json(value);
    put(&mut answer, ETAG, &etag.quoted());
    answer
}

/// 204 without a body.
pub fn nothing() -> Answer {
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    name(answer)
}

pub fn refused(shape: Shape, refused: &Refused, now: &str) -> Answer {
    let tracking = uuid::Uuid::new_v4().simple().to_string();
    let status = StatusCode::from_u16(refused.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = json_bytes(status, error::body(shape, refused.code, &refused.message, &tracking, now));
    put(&mut answer, HeaderName::from_static(ERROR_CODE), refused.code.name);
    answer
}

pub fn put(answer: &mut Answer, name: HeaderName, value: &str) {
    // Etags, tokens and names of codes are ASCII; a value that is not would be a mistake of ours, left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// Every answer can be named in a report.
fn name(mut answer: Answer) -> Answer {
    put(&mut answer, HeaderName::from_static(REQUEST_ID), &uuid::Uuid::new_v4().to_string());
    answer
}
