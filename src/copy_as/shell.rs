//! curl, and Azure's command line with its extension for IoT.

use super::quote::sh;
use super::{Authority, CA_FILE, CONNECTION_STRING, CONTENT_TYPE, Method, SAS_TOKEN, Save, json};
use crate::twin::Json;

pub(super) fn curl(save: &Save) -> String {
    let mut text = format!(
        "# {SAS_TOKEN} holds a token of the hub, for example from\n\
         #   az iot hub generate-sas-token --connection-string \"${CONNECTION_STRING}\" --query sas --output tsv\n"
    );
    let mut lines = vec![format!("curl --fail-with-body --silent --show-error --request {}", save.method.word())];
    if save.authority == Authority::Private {
        text.push_str(&ca_comment());
        lines.push(format!("--cacert \"${CA_FILE}\""));
    }
    if save.host.contains('[') {
        // The address of IPv6 is no pattern.
        lines.push("--globoff".to_owned());
    }
    lines.push(format!("--header \"Authorization: ${SAS_TOKEN}\""));
    lines.push(format!("--header {}", sh(&format!("If-Match: {}", save.etag()))));
    lines.push(format!("--header {}", sh(&format!("Content-Type: {CONTENT_TYPE}"))));
    lines.push(format!("--data-raw {}", sh(&save.json())));
    lines.push(sh(&save.url()));
    text.push_str(&continued(&lines));
    text
}

/// `update` with `--desired` or `--tags` is a PATCH, `replace` is a PUT; the CLI puts the etag in quotes itself.
pub(super) fn az(save: &Save) -> String {
    let mut text = format!(
        "# {CONNECTION_STRING} holds the connection string of a policy that may write twins\n\
         # az extension add --name azure-iot\n"
    );
    let mut prefix = String::new();
    if save.authority == Authority::Private {
        text.push_str(&ca_comment());
        prefix = format!("REQUESTS_CA_BUNDLE=\"${CA_FILE}\" ");
    }
    let kind = if save.id.module.is_some() { "module-twin" } else { "device-twin" };
    let verb = match save.method {
        Method::Patch => "update",
        Method::Put => "replace",
    };
    // With `=`, an id may begin with a dash.
    let mut lines = vec![format!("{prefix}az iot hub {kind} {verb} --login \"${CONNECTION_STRING}\"")];
    lines.push(format!("--device-id={}", sh(&save.id.device)));
    if let Some(module) = &save.id.module {
        lines.push(format!("--module-id={}", sh(module)));
    }
    lines.push(format!("--etag={}", sh(&save.if_match.0)));
    match save.method {
        Method::Put => lines.push(format!("--json {}", sh(&save.json()))),
        Method::Patch => {
            let desired = save.body.get("properties").and_then(|properties| properties.get("desired"));
            let sections: [(&str, Option<&Json>); 2] = [("tags", save.body.get("tags")), ("desired", desired)];
            for (name, value) in sections {
                lines.extend(value.map(|value| format!("--{name} {}", sh(&json(value)))));
            }
        }
    }
    text.push_str(&continued(&lines));
    text
}

fn ca_comment() -> String {
    format!("# {CA_FILE} names the PEM file of the authority that signed the hub's certificate\n")
}

fn continued(lines: &[String]) -> String {
    format!("{}\n", lines.join(" \\\n  "))
}
