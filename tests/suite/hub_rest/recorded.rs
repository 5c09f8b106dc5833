//! What Microsoft's own service clients sent, word for word, in the order they sent it, and the answers they accept.
//!
//! The files are described in `protocol/recorded.rs`. Only what a recording cannot know is put in: tokens, keys, the etags and the
//! continuations that this hub gave out.

use crate::support::{Caller, Reply, TestHub, token};
use serde_json::Value;
use std::path::Path;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::secret::Secret;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Request {
    title: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    /// Status and code, where the client was answered an error.
    error: Option<(u16, Option<String>)>,
}

fn requests(file: &str) -> Vec<Request> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sdk").join(file);
    let text = std::fs::read_to_string(path).unwrap().replace("<key>", KEY);
    text.split("\n\n").filter(|block| block.starts_with("## ")).filter_map(read).collect()
}

/// `None` for a record of MQTT.
fn read(block: &str) -> Option<Request> {
    let mut lines = block.lines();
    let title = lines.next()?.to_owned();
    let (method, target) = lines.next()?.split_once(' ')?;
    if !["GET", "PUT", "PATCH", "POST", "DELETE"].contains(&method) {
        return None;
    }
    // The caller adds the version again.
    let (path, query) = target.split_once('?').unwrap();
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("api-version=")).collect();
    let path = if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    let mut request = Request { title, method: method.to_owned(), path, headers: Vec::new(), body: None, error: None };
    for line in lines {
        if let Some(body) = line.strip_prefix("= ") {
            request.body = Some(serde_json::from_str(body).unwrap());
        } else if let Some(answer) = line.strip_prefix("< ") {
            if request.error.is_none() {
                let mut words = answer.split(' ');
                let status = words.next().unwrap().parse().unwrap();
                request.error = Some((status, words.next().map(str::to_owned)));
            }
        } else {
            let (name, value) = line.split_once(": ").unwrap();
            if !["authorization", "content-type"].contains(&name.to_ascii_lowercase().as_str()) {
                request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
    }
    Some(request)
}

async fn replay(hub: &TestHub, owner: &mut Caller, request: &Request, continuation: &mut Option<String>) -> Reply {
    let mut headers = request.headers.clone();
    for (name, value) in &mut headers {
        if name == "if-match" && !value.contains('*') && request.error.is_none() {
            // The etag of the thing as this hub has it.
            let present = owner.get(&request.path).await.ok();
            *value = format!("\"{}\"", present["etag"].as_str().unwrap());
        }
        if name == "x-ms-continuation" {
            *value = continuation.take().expect("the page before had a next one");
        }
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let reply = if request.title.contains("wrong key") {
        let wrong = token("localhost", &Secret::new(KEY), Some("iothubowner"));
        let mut stranger = Caller::connect(hub.hub.https(), hub.hub.ca_file(), &wrong).await;
        stranger.call(&request.method, &request.path, &headers, request.body.as_ref()).await
    } else {
        owner.call(&request.method, &request.path, &headers, request.body.as_ref()).await
    };
    if let Some(next) = reply.header("x-ms-continuation") {
        *continuation = Some(next.to_owned());
    }
    reply
}

#[tokio::test]
async fn the_recorded_clients_get_the_answers_they_accept() {
    let mut replayed = 0;
    for file in ["python-service.txt", "node-service-and-device.txt", "azure-cli.txt"] {
        let hub = TestHub::start(FleetChoice::Synthetic(3)).await;
        let mut owner = hub.owner().await;
        let mut continuation = None;
        for request in requests(file) {
            let reply = replay(&hub, &mut owner, &request, &mut continuation).await;
            let said = format!("{file} {}: {} {}", request.title, reply.status_line, reply.text());
            match &request.error {
                // The server that was recorded refused it; what answers here is asked as the owner.
                _ if request.path.contains("/messages/events") => assert_eq!(reply.status, 204, "{said}"),
                // Direct methods have no place in the hub yet.
                _ if request.path.ends_with("/methods") => assert_eq!(reply.status, 404, "{said}"),
                Some((status, code)) => {
                    assert_eq!(reply.status, *status, "{said}");
                    if let Some(code) = code {
                        assert_eq!(reply.header("iothub-errorcode"), Some(code.as_str()), "{said}");
                    }
                }
                None if request.method == "DELETE" => assert_eq!(reply.status, 204, "{said}"),
                None => assert_eq!(reply.status, 200, "{said}"),
            }
            replayed += 1;
        }
    }
    assert!(replayed > 60, "{replayed}");
}
