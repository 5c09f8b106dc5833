//! Where the hub listens: `[::1]` beside `127.0.0.1`, both behind one door, and what else may be in the way.

use crate::hub_mqtt::place::{Over, Place, greeting};
use crate::hub_mqtt::wire::Got;
use crate::support::{Caller, PATIENCE, Raw, TestHub, options, tls, token};
use clap::Parser;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use twinscope::args::Args;
use twinscope::local_hub::{FleetChoice, HubOptions, Limits, LocalHub, StartError};

/// The same port on `[::1]`.
fn six(addr: SocketAddr) -> SocketAddr {
    (Ipv6Addr::LOCALHOST, addr.port()).into()
}

/// Whether there is anything to test on this machine.
async fn has_six() -> bool {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await {
        Ok(_) => true,
        Err(error) => {
            println!("skipped: this machine has no ::1 ({error})");
            false
        }
    }
}

async fn owner_at(hub: &LocalHub, addr: SocketAddr) -> Caller {
    let key = hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    Caller::connect(addr, hub.ca_file(), &token("localhost", &key, Some("iothubowner"))).await
}

async fn is_closed(mut socket: TcpStream) -> bool {
    let end = tokio::time::timeout(PATIENCE, socket.read(&mut [0; 8])).await.unwrap();
    matches!(end, Ok(0) | Err(_))
}

#[tokio::test]
async fn both_faces_answer_on_both_loopback_addresses() {
    if !has_six().await {
        return;
    }
    let (place, id) = Place::with_device().await;
    for addr in [place.local.https(), six(place.local.https())] {
        assert_eq!(owner_at(&place.local, addr).await.get("/devices/d").await.ok()["deviceId"], "d");
    }
    for addr in [place.local.mqtts(), six(place.local.mqtts())] {
        place.dial_at(addr).await.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    }
    let socket = TcpStream::connect(six(place.local.https())).await.unwrap();
    tls(place.local.ca_file()).connect("::1".try_into().unwrap(), socket).await.unwrap();
}

#[tokio::test]
async fn the_limits_hold_over_both() {
    if !has_six().await {
        return;
    }
    let hub = TestHub::start_with(FleetChoice::Empty, Limits { connections: 1, ..Limits::default() }).await;
    let _first = Raw::connect(hub.hub.https(), hub.hub.ca_file()).await;
    assert!(is_closed(TcpStream::connect(six(hub.hub.https())).await.unwrap()).await);

    let mut limits = Limits::default();
    limits.mqtt.max_connections = 1;
    let place = Place::start_with(Over::Tcp, limits).await;
    let _first = place.open(six(place.local.mqtts())).await;
    assert!(is_closed(TcpStream::connect(place.local.mqtts()).await.unwrap()).await);
}

#[tokio::test]
async fn a_stop_gives_both_back() {
    if !has_six().await {
        return;
    }
    let TestHub { hub, dir } = TestHub::start(FleetChoice::Empty).await;
    let (https, mqtts) = (hub.https(), hub.mqtts());
    hub.stop().await;
    for addr in [https, mqtts, six(https), six(mqtts)] {
        assert!(TcpStream::connect(addr).await.is_err(), "{addr}");
    }
    let again = HubOptions { https, mqtts, ..options(dir.path(), FleetChoice::Empty) };
    let hub = LocalHub::start(again).await.unwrap();
    owner_at(&hub, six(https)).await.device("d").await;
}

/// Starts a hub with the options made of a port that is free on `[::1]`, and most likely on `127.0.0.1` too.
async fn start_at(make: impl AsyncFn(TcpListener) -> (HubOptions, Option<TcpListener>)) -> (LocalHub, u16) {
    for _ in 0..20 {
        let free = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
        let port = free.local_addr().unwrap().port();
        let (options, _held) = make(free).await;
        match LocalHub::start(options).await {
            Ok(hub) => return (hub, port),
            Err(StartError::PortTaken { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no port is free")
}

#[tokio::test]
async fn a_port_that_is_taken_on_the_other_address_is_no_obstacle() {
    if !has_six().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (hub, port) = start_at(async |held| {
        let https = (Ipv4Addr::LOCALHOST, held.local_addr().unwrap().port()).into();
        (HubOptions { https, ..options(dir.path(), FleetChoice::Empty) }, Some(held))
    })
    .await;
    assert_eq!(hub.https(), (Ipv4Addr::LOCALHOST, port).into());
    owner_at(&hub, hub.https()).await.device("d").await;
    assert!(TcpStream::connect(six(hub.https())).await.is_err(), "it was another's");
}

#[tokio::test]
async fn the_same_port_on_either_address_may_be_asked_for() {
    if !has_six().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (hub, port) = start_at(async |free| {
        let port = free.local_addr().unwrap().port();
        let (https, mqtts) = ((Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into());
        (HubOptions { https, mqtts, ..options(dir.path(), FleetChoice::Empty) }, None)
    })
    .await;
    assert_eq!((hub.https().port(), hub.mqtts()), (port, six(hub.https())));
    owner_at(&hub, hub.https()).await.device("d").await;
    // MQTT there: it closes on what is no CONNECT, without an answer.
    let mut mqtt = Raw::connect(hub.mqtts(), hub.ca_file()).await;
    mqtt.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(mqtt.is_closed().await);
}

#[test]
fn an_address_that_cannot_be_read_is_told_what_would_do() {
    for option in ["--https", "--mqtts"] {
        for wrong in ["localhost:0", "127.0.0.1", "8443", "[::1]", ""] {
            let said = Args::try_parse_from(["twinscope", "hub", option, wrong]).unwrap_err().to_string();
            assert!(said.contains(option) && said.contains("such as 127.0.0.1:8443"), "{wrong}: {said}");
        }
    }
}
