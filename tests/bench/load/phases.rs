//! The run in phases: all clients do one thing for a while, the service another, and somebody looks at the server meanwhile.

use super::args::Result;
use super::figures::{Phase, Times, Usage, mib};
use super::module::{Measured, Module, Pace, Peer, What, Work};
use super::rest::Door;
use super::server::Server;
use super::service::{self, Calls};
use super::shared::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// TLS handshakes at once.
const HANDSHAKES: usize = 32;
/// Between two looks at the server in the long phase.
pub const LOOK: Duration = Duration::from_secs(10);

/// Connects every module; the time it took.
pub async fn connect(server: &Arc<Server>, peer: Peer, shared: &Arc<Shared>) -> Result<(Vec<Module>, Duration)> {
    let began = Instant::now();
    let doors = Arc::new(Semaphore::new(HANDSHAKES));
    let mut tasks = JoinSet::new();
    for index in 0..shared.ids.len() {
        let (server, shared, doors) = (Arc::clone(server), Arc::clone(shared), Arc::clone(&doors));
        tasks.spawn(async move {
            let _place = doors.acquire_owned().await?;
            Module::connect(&server, peer, shared, index).await
        });
    }
    let mut modules = Vec::with_capacity(shared.ids.len());
    while let Some(module) = tasks.join_next().await {
        // The first that fails ends the run: the others would only wait as long.
        modules.push(module??);
    }
    modules.sort_unstable_by_key(|module| module.index);
    // What the server still does for the last of them is not theirs to pay.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok((modules, began.elapsed()))
}

/// What came of a phase.
pub struct Outcome {
    pub measured: Measured,
    /// Of the service's calls.
    pub calls: Times,
    /// How long it was to take; what was under way at the end is counted too.
    pub took: Duration,
    pub cpu: Option<Duration>,
    /// What the server used, every [`LOOK`].
    pub looks: Vec<Usage>,
}

impl Outcome {
    /// The figures of some of its times, with the server's CPU time for everything in it.
    pub fn phase(&self, times: Times) -> Phase {
        Phase { times: times.summary(), took: self.took, cpu: self.cpu }
    }

    /// The same without CPU time, which belongs to another row.
    pub fn beside(&self, times: Times) -> Phase {
        Phase { times: times.summary(), took: self.took, cpu: None }
    }
}

/// A server, its clients, and the way in for the service.
pub struct Stage {
    pub server: Arc<Server>,
    pub shared: Arc<Shared>,
    /// `None` for a broker.
    pub door: Option<Door>,
    pub modules: Vec<Module>,
}

impl Stage {
    /// Everybody works for `length`; answers that are due are waited for.
    pub async fn play(
        &mut self,
        what: What,
        pace: Pace,
        calls: Option<(service::Call, Pace, u32)>,
        length: Duration,
    ) -> Outcome {
        let start = Instant::now() + Duration::from_millis(100);
        let until = start + length;
        let before = self.server.usage();
        let quiet = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for module in self.modules.drain(..) {
            tasks.spawn(module.run(Work { what, pace, start, until }, quiet.clone()));
        }
        let watcher = tokio::spawn(watch(Arc::clone(&self.server), Arc::clone(&self.shared), start, until));
        let mut times = Times::default();
        if let (Some(door), Some((call, pace, rate))) = (&self.door, calls) {
            times = service::call(door, &self.shared, Calls { call, pace, rate, start, until }).await;
        }
        quiet.cancel();
        self.modules = tasks.join_all().await;
        self.modules.sort_unstable_by_key(|module| module.index);
        let took = start.elapsed();
        let cpu = self.server.usage().zip(before).map(|(after, before)| after.cpu.saturating_sub(before.cpu));
        let mut measured = Measured::default();
        for module in &mut self.modules {
            measured.acknowledged.append(&mut module.measured.acknowledged);
            measured.answered.append(&mut module.measured.answered);
            measured.delivered.append(&mut module.measured.delivered);
            measured.late.append(&mut module.measured.late);
        }
        Outcome { measured, calls: times, took, cpu, looks: watcher.await.unwrap_or_default() }
    }
}

/// Looks at the server, and says what it sees.
async fn watch(server: Arc<Server>, shared: Arc<Shared>, start: Instant, until: Instant) -> Vec<Usage> {
    let mut looks = Vec::new();
    let mut clock = interval_at(start + LOOK, LOOK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = server.usage().unwrap_or_default();
    // Only the long phase is worth it.
    while until - start > 2 * LOOK && Instant::now() + LOOK <= until + LOOK / 10 {
        let at = clock.tick().await;
        let Some(now) = server.usage() else { break };
        println!(
            "  {:>4} s: {} resident, CPU {} %, {} reports answered, {} desired patches received, {} violations",
            (at - start).as_secs(),
            mib(now.resident),
            now.cpu.saturating_sub(last.cpu).as_millis() / (LOOK.as_millis() / 100),
            shared.answered.load(Relaxed),
            shared.delivered.load(Relaxed),
            shared.violations()
        );
        last = now;
        looks.push(now);
    }
    looks
}
