//! `--name`: the names a hub's certificate, its authority and its connection strings bear.

use crate::support::{Caller, TestHub, options, tls, token};
use clap::Parser;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twinscope::args::{Args, Command};
use twinscope::local_hub::names::{HubName, ca_dir};
use twinscope::local_hub::{FleetChoice, HubOptions, LocalHub};

fn names(texts: &[&str]) -> Vec<HubName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

async fn named(dir: &Path, texts: &[&str]) -> LocalHub {
    LocalHub::start(HubOptions { names: names(texts), ..options(dir, FleetChoice::Empty) }).await.unwrap()
}

#[test]
fn names_are_read() {
    let long = format!("{}.test", "a".repeat(63));
    for (text, printed, in_host_name) in [
        ("hub.test", "hub.test", "hub.test"),
        ("Hub.Example.COM", "hub.example.com", "hub.example.com"),
        ("iot_hub-1", "iot_hub-1", "iot_hub-1"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test", "xn--bcher-kva.test"),
        (&long, &long, &long),
        ("192.168.1.5", "192.168.1.5", "192.168.1.5"),
        ("2001:DB8::1", "2001:db8::1", "[2001:db8::1]"),
        ("[2001:db8::1]", "2001:db8::1", "[2001:db8::1]"),
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("localhost", "localhost", "localhost"),
    ] {
        let name: HubName = text.parse().unwrap();
        assert_eq!((name.to_string().as_str(), name.in_host_name().as_str()), (printed, in_host_name));
        assert_eq!(name.to_string().parse::<HubName>().unwrap(), name);
        let string = format!("HostName={in_host_name}:8443;SharedAccessKeyName=a;SharedAccessKey=AAAA");
        let string = twinscope::protocol::connection_string::ConnectionString::parse(&string).unwrap();
        assert_eq!((string.host(), string.port()), (printed, Some(8443)), "a connection string takes it");
    }
}

#[test]
fn what_is_no_name_is_refused_with_the_reason() {
    let (long_label, long) = ("a".repeat(64), "a.".repeat(127) + "a");
    for (text, why) in [
        ("", "empty"),
        ("hub.test:8443", "no port"),
        ("https://hub.test", "slash"),
        ("10.0.0.0/8", "slash"),
        ("*.hub.test", "star"),
        ("bücher.test", "xn--"),
        ("my hub", "' '"),
        ("hub..test", "between its dots"),
        ("hub.test.", "between its dots"),
        ("-hub.test", "between its dots"),
        (&long_label, "1 to 63"),
        (&long, "at most 253"),
        ("192.168.1", "ends in a number"),
        ("192.168.1.256", "ends in a number"),
        ("0.0.0.0", "one machine"),
        ("::", "one machine"),
        ("224.0.0.1", "one machine"),
        ("..", "between its dots"),
    ] {
        let said = Args::try_parse_from(["twinscope", "hub", &format!("--name={text}")]).unwrap_err().to_string();
        for part in ["--name", why, "such as hub.example.com"] {
            assert!(said.contains(part), "{text}: {part}: {said}");
        }
    }
    let args = Args::try_parse_from(["twinscope", "hub", "--name", "b.test", "--name", "a.test"]).unwrap();
    let Some(Command::Hub(hub)) = args.command else { panic!("{args:?}") };
    assert_eq!(hub.name, names(&["b.test", "a.test"]), "in the order given");
}

#[test]
fn each_set_of_names_has_a_folder_of_its_own() {
    let folder = |texts: &[&str]| ca_dir(Path::new("ca"), &names(texts));
    for plain in [&[][..], &["localhost"], &["127.0.0.1", "::1", "dev.localhost"]] {
        assert_eq!(folder(plain), Path::new("ca"), "loopback names need no other authority");
    }
    assert_eq!(folder(&["hub.test"]), Path::new("ca/names/hub.test"));
    assert_eq!(folder(&["hub.test", "10.0.0.1", "localhost"]), folder(&["10.0.0.1", "HUB.test", "hub.test"]));
    assert_ne!(folder(&["hub.test", "10.0.0.1"]), folder(&["hub.test"]));
    let six = folder(&["2001:db8::1"]);
    assert!(!six.to_string_lossy().contains(':'), "{six:?}");
    let many: Vec<String> = (0..100).map(|n| format!("machine-{n}.example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(folder(&many).file_name().unwrap().len(), 64);
    assert_ne!(folder(&many), folder(&many[1..]));
}

/// The answer to a GET by a client that took `name` for this address and believes one file.
async fn answer(addr: SocketAddr, ca_file: &Path, name: &str, token: &str) -> std::io::Result<String> {
    let socket = TcpStream::connect(addr).await.unwrap();
    let server = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = tls(ca_file).connect(server, socket).await?;
    let request = format!(
        "GET /devices?api-version=2021-04-12 HTTP/1.1\r\nHost: {name}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    Ok(text)
}

#[tokio::test]
async fn a_hub_with_names_is_reached_by_each() {
    let dir = TempDir::new().unwrap();
    let hub = named(dir.path(), &["hub.test", "10.1.2.3", "iot_hub", "2001:db8::1"]).await;
    let key = hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    assert_eq!(hub.connection_string().host_name, format!("hub.test:{}", hub.https().port()));
    assert_eq!(hub.loopback_connection_string().host_name, format!("localhost:{}", hub.https().port()));
    for name in ["hub.test", "10.1.2.3", "iot_hub", "2001:db8::1", "localhost", "127.0.0.1", "::1"] {
        let token = token(name, &key, Some("iothubowner"));
        let said = answer(hub.https(), hub.ca_file(), name, &token).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{name}: {said}");
        let socket = TcpStream::connect(hub.mqtts()).await.unwrap();
        tls(hub.ca_file()).connect(ServerName::try_from(name).unwrap(), socket).await.unwrap();
    }
    for other in ["other.test", "10.1.2.4"] {
        let error = answer(hub.https(), hub.ca_file(), other, "").await.unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{other}: {error}");
    }
}

#[tokio::test]
async fn the_plain_hub_and_a_named_one_do_not_share_an_authority() {
    let plain = TestHub::start(FleetChoice::Empty).await;
    let before = std::fs::read(plain.hub.ca_file()).unwrap();
    let error = answer(plain.hub.https(), plain.hub.ca_file(), "hub.test", "").await.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
    // Beside each other, from one folder.
    let hub = named(plain.dir.path(), &["hub.test"]).await;
    assert_ne!(hub.ca_file(), plain.hub.ca_file());
    assert_eq!(std::fs::read(plain.hub.ca_file()).unwrap(), before, "the plain one is left alone");
    let error = answer(hub.https(), plain.hub.ca_file(), "hub.test", "").await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    // The same names find the same authority again.
    let made = std::fs::read(hub.ca_file()).unwrap();
    hub.stop().await;
    let again = named(plain.dir.path(), &["hub.test"]).await;
    assert_eq!(std::fs::read(again.ca_file()).unwrap(), made);
}

/// What a client that believes the authority in this folder says to a certificate for `name`, made with its key.
fn judged(folder: &Path, name: &str) -> Result<(), rustls::Error> {
    let authority = std::fs::read_to_string(folder.join("ca.pem")).unwrap();
    let stolen = std::fs::read_to_string(folder.join("ca-key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&stolen).unwrap()).unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let server = ServerName::try_from(name).unwrap();
    verifier.verify_server_cert(leaf.der(), &[], &server, &[], UnixTime::now()).map(drop)
}

#[tokio::test]
async fn an_authority_vouches_for_its_own_names_alone() {
    let plain = TestHub::start(FleetChoice::Empty).await;
    let hub = named(plain.dir.path(), &["hub.test", "10.1.2.3"]).await;
    let folder = |file: &Path| file.parent().unwrap().to_owned();
    let (plain, named) = (folder(plain.hub.ca_file()), folder(hub.ca_file()));
    for (folder, good, bad) in [
        (&plain, &["localhost", "127.0.0.1", "::1"][..], &["hub.test", "10.1.2.3", "::2"][..]),
        (
            &named,
            &["localhost", "127.0.0.1", "::1", "hub.test", "10.1.2.3"],
            &["other.test", "test", "10.1.2.4", "::2", "2001:db8::1"],
        ),
    ] {
        for name in good {
            judged(folder, name).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for name in bad {
            let error = judged(folder, name).unwrap_err().to_string();
            assert!(error.contains("NameConstraint"), "{name}: {error}");
        }
    }
}

/// The demo fleet plays on a hub whose name nobody here can look up.
#[tokio::test]
async fn the_program_serves_under_a_name() {
    let dir = TempDir::new().unwrap();
    let running = crate::hub_disk::command::start(dir.path(), &["--name", "hub.test"]);
    let ca_file = std::path::PathBuf::from(running.ready["caFile"].as_str().unwrap());
    let addr: SocketAddr = running.ready["https"].as_str().unwrap().parse().unwrap();
    let token = token("hub.test", &running.key(), Some("iothubowner"));
    let said = answer(addr, &ca_file, "hub.test", &token).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.contains("myFirstDevice"), "{said}");
    let mut caller = Caller::connect(addr, &ca_file, &token).await;
    let call =
        serde_json::json!({"methodName": "reboot", "connectTimeoutInSeconds": 25, "responseTimeoutInSeconds": 30});
    let reply = caller.post("/twins/myFirstDevice/methods", call).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
