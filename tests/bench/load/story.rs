//! What happens in which order, and the tables that come of it.

use super::args::{Args, Keep, Result};
use super::figures::{HEAD, Phase, Usage, each, mib, row};
use super::module::{Measured, Pace, Peer, What};
use super::phases::{LOOK, Outcome, Stage, connect};
use super::server::Server;
use super::service::{Call, create, in_time, judge};
use super::shared::Shared;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Looks in a minute.
const MINUTE: usize = 6;
const LOOKS_A_MINUTE: u64 = 6;
/// Growth that counts as flat: what one stall of the machine makes an allocator keep. In the four minutes of the full run it
/// is 7 bytes for each report.
const FLAT: u64 = 3 * 1024 * 1024;

/// Memory of a server at three moments, where the system tells.
#[derive(Default)]
struct Memory {
    before: Option<Usage>,
    connected: Option<Usage>,
    worked: Option<Usage>,
}

type Rows = Vec<(String, Phase)>;

/// The whole run; how many promises were broken.
pub async fn tell(args: &Args) -> Result<usize> {
    let dir = tempfile::tempdir()?;
    let clients = args.clients;
    let cores = std::thread::available_parallelism()?;
    println!(
        "load: {clients} module clients, {} s, {} desired patches a second, twins in {}, {cores} cores, load average {}",
        args.seconds,
        args.writes,
        if args.keep == Keep::Memory { "memory" } else { "a file" },
        load_average()
    );
    let (memory, rows, violations) = hub(args, dir.path()).await?;
    let broker = if args.no_mosquitto { Ok(None) } else { mosquitto(args, dir.path()).await };
    // What the hub's part came to is not lost over the other's troubles.
    let broker = broker.unwrap_or_else(|error| {
        println!("mosquitto: {error}");
        None
    });
    println!("\n{HEAD}");
    for (name, phase) in rows.iter().chain(broker.iter().flat_map(|(_, rows)| rows)) {
        row(name, phase);
    }
    println!(
        "\nA report makes the hub check a patch, merge it into a twin, stamp its metadata, move its version{} and answer;\n\
         telemetry it keeps in a ring of the last ten thousand. Mosquitto has no subscriber and keeps nothing: it reads the\n\
         publish and acknowledges it. CPU is the server's alone, 100 % being one core; CPU/op holds everything it did\n\
         meanwhile. Times are those of the clients, who share the cores with the server: \"at once again\" is what both\n\
         reach together, with {clients} operations under way at any time. Load average now: {}",
        if args.keep == Keep::Memory { "" } else { ", sync it to a file" },
        load_average(),
    );
    told("twinscope hub", clients, &memory);
    match broker {
        Some((memory, _)) => told("mosquitto", clients, &memory),
        None => println!("without mosquitto there is no comparison: it is not asked for, not installed, or failed"),
    }
    Ok(violations)
}

/// Of the last 1, 5 and 15 minutes, where the system tells.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn told(name: &str, clients: u32, memory: &Memory) {
    if let (Some(before), Some(connected), Some(worked)) = (memory.before, memory.connected, memory.worked) {
        println!(
            "{name}: resident {} before the clients, {} with {clients} connected, {} bytes each; {} after its work, {} bytes each",
            mib(before.resident),
            mib(connected.resident),
            each(before, connected, clients),
            mib(worked.resident),
            each(before, worked, clients),
        );
    }
}

async fn hub(args: &Args, dir: &Path) -> Result<(Memory, Rows, usize)> {
    let shared = Arc::new(Shared::new(args.clients));
    let (server, door) = Server::hub(args, dir)?;
    let server = Arc::new(server);
    in_time("making the fleet", create(&door, &shared)).await?;
    let mut memory = Memory { before: server.usage(), ..Memory::default() };
    let (modules, took) = connect(&server, Peer::Hub, &shared).await?;
    memory.connected = server.usage();
    let files = server.open_files().unwrap_or_else(|| "unknown".to_owned());
    println!("hub: {} clients connected in {took:.1?}; it may have {files} open files", modules.len());
    let mut stage = Stage { server, shared, door: Some(door.clone()), modules };
    let mut rows = Rows::new();

    let writes = Some((Call::Patch, Pace::OnceASecond, args.writes));
    let mut long = stage.play(What::Report, Pace::OnceASecond, writes, args.long()).await;
    memory.worked = stage.server.usage();
    flat(&long, &stage.shared);
    let Measured { acknowledged, answered, delivered, late } = std::mem::take(&mut long.measured);
    let calls = std::mem::take(&mut long.calls);
    let expected = args.seconds * u64::from(args.clients);
    rows.push(("hub: report at QoS 1, until it is answered".to_owned(), long.phase(answered)));
    rows.push(("    the same, until PUBACK".to_owned(), long.beside(acknowledged)));
    rows.push((format!("    REST PATCH of desired, {}/s", args.writes), long.beside(calls)));
    rows.push(("    from there until the module has it".to_owned(), long.beside(delivered)));
    rows.push(("    how late the clients themselves were".to_owned(), long.beside(late)));
    if stage.shared.violations() == 0 && u64::try_from(rows[0].1.times.count)? != expected {
        stage.shared.violation(format!("{} reports were answered, {expected} were due", rows[0].1.times.count));
    }
    judge(&door, &stage.shared, &stage.modules).await?;

    let short = args.short();
    let mut closed = stage.play(What::Report, Pace::AtOnce, None, short).await;
    let answered = std::mem::take(&mut closed.measured.answered);
    rows.push(("hub: reports, each client at once again".to_owned(), closed.phase(answered)));
    for (name, call) in [("GET of a twin", Call::Get), ("PATCH of desired", Call::Patch)] {
        let mut outcome = stage.play(What::Nothing, Pace::AtOnce, Some((call, Pace::AtOnce, 1)), short).await;
        let calls = std::mem::take(&mut outcome.calls);
        rows.push((format!("hub: REST {name}, 8 connections"), outcome.phase(calls)));
    }
    judge(&door, &stage.shared, &stage.modules).await?;
    publishes("hub", &mut stage, &[What::Telemetry], short, &mut rows).await;
    Ok((memory, rows, stage.shared.violations()))
}

/// The same publishes at the same pace, and then as fast as they are acknowledged.
async fn publishes(name: &str, stage: &mut Stage, what: &[What], length: Duration, rows: &mut Rows) {
    for &what in what {
        let word = if what == What::Report { "report's publish" } else { "telemetry" };
        for (pace, how) in [(Pace::OnceASecond, "once a second"), (Pace::AtOnce, "at once again")] {
            let mut outcome = stage.play(what, pace, None, length).await;
            let acknowledged = std::mem::take(&mut outcome.measured.acknowledged);
            rows.push((format!("{name}: {word}, {how}, until PUBACK"), outcome.phase(acknowledged)));
        }
    }
}

async fn mosquitto(args: &Args, dir: &Path) -> Result<Option<(Memory, Rows)>> {
    let Some(server) = Server::mosquitto(dir)? else { return Ok(None) };
    let server = Arc::new(server);
    let shared = Arc::new(Shared::new(args.clients));
    let mut memory = Memory { before: server.usage(), ..Memory::default() };
    let (modules, took) = connect(&server, Peer::Broker, &shared).await?;
    memory.connected = server.usage();
    println!("mosquitto: {} clients connected in {took:.1?}", modules.len());
    let mut stage = Stage { server, shared, door: None, modules };
    let mut rows = Rows::new();
    publishes("mosquitto", &mut stage, &[What::Report, What::Telemetry], args.short(), &mut rows).await;
    memory.worked = stage.server.usage();
    match stage.shared.violations() {
        0 => Ok(Some((memory, rows))),
        _ => Err("mosquitto did not take what the hub took".into()),
    }
}

/// Memory of the last minute against the second, when the run had three: in the first, buffers and the allocator find their size.
fn flat(long: &Outcome, shared: &Shared) {
    let minutes: Vec<u64> = long
        .looks
        .chunks_exact(MINUTE)
        .map(|looks| looks.iter().map(|look| look.resident).sum::<u64>() / LOOKS_A_MINUTE)
        .collect();
    let (&[first, second, ..], Some(&last)) = (minutes.as_slice(), minutes.last()) else { return };
    println!(
        "memory: {} in the first minute, {} in the second, {} in the last (a look each {LOOK:?})",
        mib(first),
        mib(second),
        mib(last)
    );
    if last > second + FLAT {
        shared.violation(format!("memory grew from {} to {}", mib(second), mib(last)));
    }
}
