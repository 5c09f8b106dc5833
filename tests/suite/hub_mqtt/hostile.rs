//! Bad neighbours do not disturb the others.

use super::place::{Place, greeting};
use super::wire::{self, Got};
use serde_json::json;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use twinscope::twin::TwinId;

/// Something rude, decided by `n`: in TLS or beside it, before CONNECT or after.
async fn be_rude(place: Arc<Place>, n: usize) {
    let mut random = fastrand::Rng::with_seed(n as u64);
    let noise: Vec<u8> = (0..random.usize(1..5000)).map(|_| random.u8(..)).collect();
    let addr = place.local.mqtts();
    let id = TwinId::device(format!("rude{}", n % 5));
    // The hub may close at any moment of this; that is its right, and nothing to check here.
    match n % 5 {
        0 => {
            let mut socket = TcpStream::connect(addr).await.unwrap();
            let _closed = socket.write_all(&noise).await;
        }
        1 => {
            let mut wire = place.dial().await;
            let _closed = wire.try_send(&noise).await;
            assert_eq!(wire.get().await, Got::End);
        }
        2 => {
            let mut connect = greeting(&id).bytes();
            let at = random.usize(..connect.len());
            connect[at] ^= 1 << random.u8(..8);
            let mut wire = place.dial().await;
            let _closed = wire.try_send(&connect).await;
        }
        3 => {
            let mut wire = place.dial().await;
            wire.send(&greeting(&id).bytes()).await;
            let _closed = wire.try_send(&noise).await;
        }
        _ => {
            // Asks for a lot, and reads nothing of it.
            let mut wire = place.dial().await;
            wire.send(&greeting(&id).bytes()).await;
            let get = wire::publish(0x32, 1, "$iothub/twin/GET/?$rid=1", &noise);
            for _ in 0..20 {
                if wire.try_send(&get).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rude_clients_do_not_disturb_a_good_one() {
    let (place, id) = Place::with_device().await;
    let place = Arc::new(place);
    for n in 0..5 {
        place.create(&TwinId::device(format!("rude{n}"))).await;
    }
    let mut good = place.connect_twin(&id).await;
    let mut rude = JoinSet::new();
    for n in 0..100 {
        rude.spawn(be_rude(Arc::clone(&place), n));
    }
    let (mut rounds, mut version) = (0, 1);
    while !rude.is_empty() || rounds < 20 {
        rounds += 1;
        version += 1;
        let patch = wire::publish(0x30, 0, "$iothub/twin/PATCH/properties/reported/?$rid=1", b"{\"a\":1}");
        let topic = format!("$iothub/twin/res/204/?$rid=1&$version={version}");
        good.ask(&patch, Got::Publish(0x30, topic, Vec::new())).await;
        place.desire(&id, json!({"n": rounds})).await;
        assert_eq!(good.message().await.1, json!({"n": rounds, "$version": version}));
        while let Some(done) = rude.try_join_next() {
            done.unwrap();
        }
    }
    super::place::eventually("the rude ones are gone", || place.local.hub().sessions().connected_count() == 1).await;
    good.expect_quiet().await;
}
