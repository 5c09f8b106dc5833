//! How long connections last: eviction on demand, and a clock that goes wrong under them.

use super::Stage;
use crate::hub_mqtt::place::{Over, eventually};
use crate::hub_mqtt::wire::Got;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_connection_is_closed_when_its_time_is_over() {
    for over in Over::BOTH {
        let mut stage = Stage::start_over(over).await;
        stage.set(&["evict=200ms..300ms id=d times=1"]).await;
        let mut neighbour = stage.place.connect(&stage.n).await;
        let begun = Instant::now();
        let mut wire = stage.place.connect(&stage.d).await;
        wire.expect_end().await;
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
        assert_eq!(stage.counts().await, [(1, 1)]);
        neighbour.expect_quiet().await;
        // It was to happen once.
        stage.place.connect(&stage.d).await.expect_quiet().await;
        assert_eq!(stage.counts().await, [(2, 1)]);
    }
}

#[tokio::test]
async fn who_is_connected_already_is_evicted_too() {
    let mut stage = Stage::start().await;
    let mut wire = stage.place.connect(&stage.d).await;
    let mut neighbour = stage.place.connect(&stage.n).await;
    stage.set(&["evict=1ms id=d"]).await;
    wire.expect_end().await;
    neighbour.expect_quiet().await;
    eventually("it is counted", || stage.place.local.hub().faults().report().faults[0].struck == 1).await;
    stage.clear().await;
    let mut wire = stage.place.connect(&stage.d).await;
    wire.expect_quiet().await;
    // A term that is taken back before it is over has no effect, and was never struck.
    stage.set(&["evict=24h"]).await;
    wire.expect_quiet().await;
    eventually("both were asked", || stage.place.local.hub().faults().report().faults[0].matched == 2).await;
    assert_eq!(stage.counts().await, [(2, 0)]);
}

#[tokio::test]
async fn a_clock_that_jumps_ends_tokens_at_once() {
    let mut stage = Stage::start().await;
    let mut wire = stage.place.connect(&stage.d).await;
    stage.set(&["skew=1m"]).await;
    wire.expect_quiet().await;
    // The token is good for ten minutes, and the connection for ten more.
    stage.set(&["skew=19m"]).await;
    wire.expect_quiet().await;
    stage.set(&["skew=21m"]).await;
    wire.expect_end().await;
    let greeting = crate::hub_mqtt::place::greeting(&stage.d);
    stage.place.dial().await.ask(&greeting.bytes(), Got::ConnAck(0, 5)).await;
    stage.clear().await;
    stage.place.connect(&stage.d).await.expect_quiet().await;
}
