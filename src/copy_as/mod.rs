//! How would another tool say this save? The request as it goes over the wire, and a program for it in six languages.
//!
//! A snippet sends the very bytes that Twinscope would send: a client library would write the JSON anew, and `2.50` would
//! become `2.5`. So all but `az` speak HTTPS themselves, and with what their language brings along; only Rust needs a crate.
//! No snippet holds a secret: keys and tokens are read from environment variables, which a comment on top names.

mod csharp;
mod node;
mod python;
pub mod quote;
mod rust;
mod shell;

use crate::protocol::rest::{IfMatch, Route};
use crate::twin::{Etag, Json, JsonMap, TwinId};

/// `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…` of a policy that may write twins.
pub const CONNECTION_STRING: &str = "IOTHUB_CONNECTION_STRING";
/// `SharedAccessSignature sr=…`, for the languages that would need half a page to sign one.
pub const SAS_TOKEN: &str = "IOTHUB_SAS_TOKEN";
/// A PEM file with the authority that signed the hub's certificate.
pub const CA_FILE: &str = "IOTHUB_CA_FILE";

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(crate) const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// What a snippet is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    Curl,
    Az,
    Python,
    Node,
    CSharp,
    Rust,
}

impl Language {
    pub const ALL: [Self; 6] = [Self::Curl, Self::Az, Self::Python, Self::Node, Self::CSharp, Self::Rust];

    /// As people call it: `curl`, `Azure CLI`, `C#`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Az => "Azure CLI",
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::CSharp => "C#",
            Self::Rust => "Rust",
        }
    }
}

/// How the hub treats the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Merges it into what there is.
    Patch,
    /// Puts it in the place of tags and desired.
    Put,
}

impl Method {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Patch => "PATCH",
            Self::Put => "PUT",
        }
    }
}

/// Who signed the hub's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// One that every system trusts, as Azure's.
    Public,
    /// One of its own, as a local hub's: a file names it.
    Private,
}

/// One write of a twin, with all that the request needs but the secret.
#[derive(Debug, Clone, Copy)]
pub struct Save<'a> {
    /// With a port where it is not 443.
    pub host: &'a str,
    pub authority: Authority,
    pub id: &'a TwinId,
    pub method: Method,
    /// `{"tags":{…},"properties":{"desired":{…}}}`.
    pub body: &'a JsonMap,
    pub if_match: &'a Etag,
}

impl Save<'_> {
    /// The request line and the headers, one a line, with words in place of the token. Content-Length counts the body as
    /// Twinscope sends it.
    #[must_use]
    pub fn head(&self) -> String {
        let length = Json::Object(self.body.clone()).to_string().len();
        [
            format!("{} {}", self.method.word(), self.target()),
            format!("Host: {}", self.host),
            format!("If-Match: {}", self.etag()),
            "Authorization: (a token, signed when sent)".to_owned(),
            format!("Content-Type: {CONTENT_TYPE}"),
            format!("Content-Length: {length}"),
        ]
        .join("\n")
    }

    /// A program that makes this save.
    #[must_use]
    pub fn written_in(&self, language: Language) -> String {
        match language {
            Language::Curl => shell::curl(self),
            Language::Az => shell::az(self),
            Language::Python => python::program(self),
            Language::Node => node::program(self),
            Language::CSharp => csharp::program(self),
            Language::Rust => rust::program(self),
        }
    }

    fn target(&self) -> String {
        Route::Twin(self.id.clone()).target()
    }

    fn url(&self) -> String {
        format!("https://{}{}", self.host, self.target())
    }

    /// The value of If-Match, in its quotes.
    fn etag(&self) -> String {
        IfMatch::Quoted(self.if_match.clone()).header().unwrap_or_default()
    }

    fn json(&self) -> String {
        json(&Json::Object(self.body.clone()))
    }
}

/// The value on one line. Characters that cannot be seen stand as `\u…`: a text may not read otherwise than it is run.
#[must_use]
pub fn json(value: &Json) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if quote::is_unseen(c) {
            // In JSON such a character stands only inside of strings.
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str("\\u");
                text.extend([12, 8, 4, 0].map(|shift| char::from(HEX[usize::from(*unit >> shift & 0xf)])));
            }
        } else {
            text.push(c);
        }
    }
    text
}
