//! Hubs whose listings never end.

use super::rig::Rig;
use crate::client::bad_server::{STATISTICS, certificates};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Failure};

/// A hub that answers every query with a new continuation; `rows` says what the page of a number holds.
struct Endless {
    asked: Arc<AtomicUsize>,
    rig: Rig,
    _runtime: tokio::runtime::Runtime,
    _dir: tempfile::TempDir,
}

fn endless(rows: fn(usize) -> String) -> Endless {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let tls = certificates(&ca);
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (tls, counted) = (tls.clone(), counted.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = tls.accept(socket).await else { return };
                let mut request = Vec::new();
                let mut piece = [0; 4096];
                while !request.windows(9).any(|part| part == b"\"query\":\"" ) || !request.ends_with(b"}") {
                    match stream.read(&mut piece).await {
                        Ok(0) | Err(_) => return,
                        Ok(count) => request.extend(&piece[..count]),
                    }
                    if request.starts_with(b"GET") {
                        break;
                    }
                }
                let query = !request.starts_with(b"GET");
                let page = if query { counted.fetch_add(1, Ordering::SeqCst) } else { 0 };
                let body = if query { rows(page) } else { STATISTICS.to_owned() };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nx-ms-continuation: c{page}\r\n\
                     x-ms-item-type: Raw\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.ok();
                stream.shutdown().await.ok();
            });
        }
    });
    let connection = crate::client::bad_server::connection(port);
    let mut rig = Rig::start_with(tempfile::tempdir().unwrap(), |options| {
        options.connection_string = Some(connection.reveal());
        options.extra_ca = vec![ca];
    });
    rig.connected();
    asked.store(0, Ordering::SeqCst);
    Endless { asked, rig, _runtime: runtime, _dir: dir }
}

#[test]
fn pages_that_bring_nothing_new_end_the_listing() {
    let empty: fn(usize) -> String = |_| "[]".to_owned();
    let same: fn(usize) -> String = |_| r#"[{"deviceId":"d","moduleId":"m"}]"#.to_owned();
    for (name, rows) in [("empty", empty), ("the same", same)] {
        let mut hub = endless(rows);
        let listed = hub.rig.ask(|key| Command::LoadFleet { key });
        assert!(
            matches!(&listed, Err(Failure::Hub(error)) if error.to_string().contains("nothing new")),
            "{name}: {listed:?}"
        );
        let asked = hub.asked.load(Ordering::SeqCst);
        assert!((4..30).contains(&asked), "{name}: {asked}");
    }
}

#[test]
fn a_query_without_rows_ends_too() {
    let mut hub = endless(|_| "[]".to_owned());
    let text = "SELECT * FROM devices".to_owned();
    let found = hub.rig.ask(|key| Command::Query { key, text, limit: 1000 });
    assert!(matches!(&found, Err(Failure::Hub(error)) if error.to_string().contains("nothing new")), "{found:?}");
}

#[test]
fn a_few_empty_pages_are_legal() {
    let mut hub = endless(|page| if page % 4 == 3 { format!(r#"[{{"n":{page}}}]"#) } else { "[]".to_owned() });
    let text = "SELECT * FROM devices".to_owned();
    let found = hub.rig.ask(|key| Command::Query { key, text, limit: 5 });
    assert!(matches!(&found, Ok(Outcome::QueryRows { rows, more: true, .. }) if rows.len() == 5), "{found:?}");
}
