//! Rust with reqwest, blocking.

use super::quote::rust;
use super::{Authority, CA_FILE, CONNECTION_STRING, CONTENT_TYPE, Method, SAS_TOKEN, Save};

pub(super) fn program(save: &Save) -> String {
    let (ca_comment, authority, builder) = match save.authority {
        Authority::Public => (String::new(), String::new(), "Client::new()"),
        Authority::Private => (
            format!("// {CA_FILE} names the PEM file of the authority that signed the hub's certificate\n"),
            format!(
                "    let authority = std::fs::read(std::env::var(\"{CA_FILE}\")?)?;\n    \
                 let authority = reqwest::Certificate::from_pem(&authority)?;\n"
            ),
            "Client::builder().add_root_certificate(authority).build()?",
        ),
    };
    let method = match save.method {
        Method::Patch => "patch",
        Method::Put => "put",
    };
    let (url, etag, body) = (rust(&save.url()), rust(&save.etag()), rust(&save.json()));
    format!(
        r#"// {SAS_TOKEN} holds a token of the hub, for example from
//   az iot hub generate-sas-token --connection-string "${CONNECTION_STRING}" --query sas --output tsv
{ca_comment}// Cargo.toml: reqwest = {{ version = "0.13", features = ["blocking"] }}
use reqwest::blocking::Client;

fn main() -> Result<(), Box<dyn std::error::Error>> {{
{authority}    let client = {builder};
    let answer = client
        .{method}({url})
        .header("Authorization", std::env::var("{SAS_TOKEN}")?)
        .header("If-Match", {etag})
        .header("Content-Type", "{CONTENT_TYPE}")
        .body({body})
        .send()?;
    let status = answer.status();
    println!("{{}}", answer.text()?);
    if !status.is_success() {{
        return Err(format!("the hub answered {{status}}").into());
    }}
    Ok(())
}}
"#
    )
}
