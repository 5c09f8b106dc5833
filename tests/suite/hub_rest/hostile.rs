//! Any bytes at all, before, inside and after the handshake of a WebSocket and in requests: nothing panics, nothing grows, and
//! the neighbours do not notice.

use crate::hub_disk::command::{Running, start};
use crate::hub_mqtt::frames::{BINARY, FIN, HANDSHAKE, Ws, frame, head};
use crate::support::{Caller, PATIENCE, TestHub, tls, token};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use twinscope::local_hub::mqtt::packet::MAX_BODY;
use twinscope::local_hub::{FleetChoice, Limits};

/// The name of the threads that run the hub, so that its panics are told from those of other tests.
const THREADS: &str = "hostile-hub";
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A runtime whose panics are counted.
fn runtime() -> Runtime {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some(THREADS) {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
    Builder::new_multi_thread().worker_threads(2).thread_name(THREADS).enable_all().build().unwrap()
}

/// A hub, a neighbour who has been there since before, and what an authorised request says.
struct Street {
    hub: TestHub,
    neighbour: Mutex<Caller>,
    authorisation: String,
}

impl Street {
    async fn open() -> Self {
        // The hub's tasks belong to the runtime's threads, not to the test's.
        let limits = Limits { head: Duration::from_secs(5), body: Duration::from_secs(5), ..Limits::default() };
        let hub = tokio::spawn(TestHub::start_with(FleetChoice::Empty, limits)).await.unwrap();
        let mut neighbour = hub.owner().await;
        neighbour.device("d").await;
        let key = hub.hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
        let authorisation = format!("Authorization: {}\r\n", token("localhost", &key, Some("iothubowner")));
        Self { hub, neighbour: Mutex::new(neighbour), authorisation }
    }

    async fn dial(&self) -> TlsStream<TcpStream> {
        dial(self.hub.hub.https(), self.hub.hub.ca_file()).await
    }

    /// Sends, says that this was all, and waits until the hub has closed.
    async fn suffer(&self, stream: &mut TlsStream<TcpStream>, bytes: &[u8]) {
        // The hub may close at any byte; that is its right.
        if stream.write_all(bytes).await.is_ok() {
            let _closed = stream.shutdown().await;
        }
        let end = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "the hub keeps a connection that has ended");
    }

    async fn check_neighbours(&self) {
        assert_eq!(self.neighbour.lock().await.get("/twins/d").await.status, 200);
        assert_eq!(self.hub.owner().await.get("/devices/d").await.status, 200);
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "the hub panicked");
    }
}

async fn dial(addr: SocketAddr, ca_file: &Path) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(addr).await.unwrap();
    tls(ca_file).connect("localhost".try_into().unwrap(), socket).await.unwrap()
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

/// A length as an attacker would write it.
fn length() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(126),
        Just(65_536),
        Just(MAX_BODY as u64 + 5),
        Just(MAX_BODY as u64 + 6),
        Just(1 << 31),
        Just(1 << 32),
        Just(1 << 63),
        Just(u64::MAX),
        any::<u64>()
    ]
}

/// Something that looks like the beginning, the middle or the end of a request. `@` stands for the authorisation.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "GET /twins/d?api-version=2021-04-12 HTTP/1.1\r\n@",
        "PATCH /twins/d?api-version=2021-04-12 HTTP/1.1\r\n@",
        "PUT /devices/%64?api-version=2021-04-12 HTTP/1.1\r\n@",
        "POST /devices/query?api-version=2021-04-12 HTTP/1.1\r\n@",
        "DELETE /devices/%ff/modules/%00?api-version=2021-04-12 HTTP/1.1\r\n@",
        "GET /$iothub/websocket HTTP/1.1\r\n",
        "GET * HTTP/1.1\r\n",
        "GET /$iothub/websocket HTTP/1.0\r\n",
        "CONNECT localhost:443 HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "Upgrade: websocket\r\n",
        "Upgrade: h2c\r\n",
        "Connection: Upgrade\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Protocol: mqtt\r\n",
        "Sec-WebSocket-Protocol: ,,,\r\n",
        "If-Match: \"\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "x-ms-continuation: \r\n",
        "x-ms-max-item-count: -1\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "{\"properties\":{\"desired\":{\"a\":1}}}",
        "{\"query\":\"SELECT * FROM devices\"}",
        "ffffffffffffffff\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
    ]);
    prop_oneof![
        8 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => length().prop_map(|length| format!("Content-Length: {length}\r\n").into_bytes()),
        1 => length().prop_map(|length| format!("{length:x}\r\n").into_bytes()),
        2 => bytes(200),
        1 => (bytes(50), 1..2000_usize).prop_map(|(name, times)| [&name, &b": x\r\n"[..]].concat().repeat(times)),
    ]
}

/// A frame of any kind whose length may be a lie, and of which the end may be missing.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => (any::<u8>(), bytes(300)).prop_map(|(first, payload)| frame(first, &payload)),
        3 => (prop::sample::select(vec![0x82, 0x02, 0x80, 0x00, 0x81, 0x88, 0x89, 0x8a]), bytes(300))
            .prop_map(|(first, payload)| frame(first, &payload)),
        2 => (any::<u8>(), length(), any::<bool>(), bytes(300))
            .prop_map(|(first, length, masked, rest)| [head(first, length, masked), rest].concat()),
        1 => (any::<u8>(), 0..70_000_usize).prop_map(|(first, size)| frame(first, &vec![first; size])),
        1 => bytes(100),
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig::default()
}

#[test]
fn any_bytes_for_a_request() {
    let runtime = runtime();
    let street = runtime.block_on(Street::open());
    proptest!(config(), |(pieces in vec(piece(), 0..30))| {
        runtime.block_on(async {
            let mut text = Vec::new();
            for byte in pieces.concat() {
                if byte == b'@' { text.extend(street.authorisation.as_bytes()) } else { text.push(byte) }
            }
            street.suffer(&mut street.dial().await, &text).await;
            street.check_neighbours().await;
        });
    });
}

#[test]
fn any_bytes_inside_a_handshake() {
    let runtime = runtime();
    let street = runtime.block_on(Street::open());
    let damage = (0..HANDSHAKE.len(), 0..20_usize, bytes(40));
    proptest!(config(), |(damages in vec(damage, 0..4), frames in vec(any_frame(), 0..4))| {
        runtime.block_on(async {
            let mut text = HANDSHAKE.as_bytes().to_vec();
            for (at, length, instead) in damages {
                let at = at.min(text.len());
                text.splice(at..(at + length).min(text.len()), instead);
            }
            text.extend(frames.concat());
            street.suffer(&mut street.dial().await, &text).await;
            street.check_neighbours().await;
        });
    });
}

#[test]
fn any_bytes_in_a_web_socket() {
    let runtime = runtime();
    let street = runtime.block_on(Street::open());
    proptest!(config(), |(frames in vec(any_frame(), 0..12), missing in 0..20_usize)| {
        runtime.block_on(async {
            let mut stream = street.dial().await;
            let mut sent = frames.concat();
            sent.truncate(sent.len().saturating_sub(missing));
            stream.write_all(HANDSHAKE.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
            }
            street.suffer(&mut stream, &sent).await;
            street.check_neighbours().await;
        });
    });
}

#[tokio::test]
async fn a_head_without_end_is_not_read_to_its_end() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    for (first, more) in [
        (&b"GET /$iothub/websocket HTTP/1.1\r\n"[..], &b"X-More: and more\r\n"[..]),
        (b"GET /", b"x"),
        (b"GET / HTTP/1.1\r\nX: ", b"y"),
        (b"", b"\r\n"),
    ] {
        let mut stream = dial(hub.hub.https(), hub.hub.ca_file()).await;
        let more = more.repeat(4096 / more.len());
        let mut sent = 0;
        let flood = async {
            let mut result = stream.write_all(first).await;
            while result.is_ok() && sent < 64 << 20 {
                sent += more.len();
                result = stream.write_all(&more).await;
            }
        };
        timeout(PATIENCE, flood).await.expect("the hub neither reads nor closes");
        // Sockets hold some megabytes of what nobody has read.
        assert!(sent < 32 << 20, "{sent} bytes were taken for {:?}", String::from_utf8_lossy(first));
    }
}

/// Kilobytes of memory the program holds.
#[cfg(target_os = "linux")]
fn resident_kb(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_only_announced_takes_no_memory() {
    let dir = tempfile::TempDir::new().unwrap();
    let running = start(dir.path(), &["--fleet", "empty"]);
    let https: SocketAddr = running.ready["https"].as_str().unwrap().parse().unwrap();
    let ca_file = PathBuf::from(running.ready["caFile"].as_str().unwrap());
    let mut before = running.owner().await;
    before.device("d").await;
    let announced = |first, length| [head(first, length, true), vec![0; 1000]].concat();
    let most = MAX_BODY as u64 + 5;
    let mut open = Vec::new();
    let mut at_rest = 0;
    for n in 0..150 {
        let mut ws = Ws::open(dial(https, &ca_file).await).await;
        let bytes = match n % 3 {
            0 => announced(FIN | BINARY, most),
            1 => announced(BINARY, most),
            _ => [frame(BINARY, b"x"), announced(0, most)].concat(),
        };
        ws.send(&bytes).await;
        open.push(ws);
        let key = token("localhost", &running.key(), Some("iothubowner"));
        let mut http = dial(https, &ca_file).await;
        let request = format!(
            "POST /devices?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Length: 8000000\r\n\r\n["
        );
        http.write_all(request.as_bytes()).await.unwrap();
        open.push(Ws::silent(http));
        if n == 49 {
            // What connections cost anyway, and what is made once.
            assert_eq!(before.get("/devices/d").await.status, 200);
            at_rest = resident_kb(&running);
        }
    }
    assert_eq!(before.get("/devices/d").await.status, 200);
    assert_eq!(running.owner().await.get("/devices/d").await.status, 200);
    let grown_kb = resident_kb(&running).saturating_sub(at_rest);
    // A hundred more of each. Announced were 32 MB of frames and 800 MB of bodies.
    assert!(grown_kb < 20_000, "{grown_kb} KB");
}
