//! The servers as processes of their own: `twinscope hub`, and mosquitto with the same kind of certificate.

use super::args::{Args, Keep, PATIENCE, Result};
use super::figures::Usage;
use super::rest::Door;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_rustls::TlsConnector;
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::sas;

/// Open files the hub is started with, as on a machine nobody prepared: it has to ask for more itself.
const HUB_STARTS_WITH: u32 = 1024;
/// Linux counts CPU time for programs in hundredths of a second, on every machine.
const TICK: Duration = Duration::from_millis(10);

/// A process that ends with this value.
pub struct Server {
    child: Child,
    pub mqtts: SocketAddr,
    /// Believes this server's certificate.
    pub tls: TlsConnector,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing more to be done about it either way.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// `None` where the system has no `/proc`.
    pub fn usage(&self) -> Option<Usage> {
        let of = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).ok();
        let status = of("status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let stat = of("stat")?;
        // The second field, a name in brackets, may hold anything; user and system time are the 14th and 15th.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks: u32 = fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?;
        Some(Usage { resident: kib * 1024, cpu: TICK * ticks })
    }

    /// Open files it may have: soft limit, as the system tells.
    pub fn open_files(&self) -> Option<String> {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.child.id())).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_whitespace().next().map(str::to_owned)
    }

    /// Starts the hub in `dir` and reads its ready line.
    pub fn hub(args: &Args, dir: &Path) -> Result<(Self, Door)> {
        let program = args.hub.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_twinscope")));
        let mut command = with_open_files(&program);
        command.args(["hub", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--fleet", "empty"]);
        if args.keep == Keep::Disk {
            command.arg("--data").arg(dir);
        }
        // Its CA belongs to this run alone.
        command.env("XDG_DATA_HOME", dir).env("RUST_LOG", "warn").stdout(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        let stdout = child.stdout.take().ok_or("the hub has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: serde_json::Value =
            serde_json::from_str(&line).map_err(|error| format!("the hub did not get ready: {error}"))?;
        let word = |name: &str| ready[name].as_str().ok_or_else(|| format!("the ready line lacks {name}"));
        let tls = believe(&[CertificateDer::from_pem_file(word("caFile")?)?])?;
        let who = ConnectionString::parse(word("connectionString")?)?.who;
        let Who::Service { policy, proof: Proof::Key(key) } = who else { return Err("no policy's key".into()) };
        let token = sas::sign("localhost", &key, tomorrow(), Some(&policy))?.reveal().to_owned();
        let door = Door { https: word("https")?.parse()?, tls: tls.clone(), token };
        Ok((Self { child, mqtts: word("mqtts")?.parse()?, tls }, door))
    }

    /// Starts mosquitto in `dir`; `None` when there is none on this machine.
    pub fn mosquitto(dir: &Path) -> Result<Option<Self>> {
        let Some(program) = ["mosquitto", "/usr/sbin/mosquitto"].into_iter().find(|program| is_there(program)) else {
            return Ok(None);
        };
        let ca = certificate(dir)?;
        // It takes no port 0: a free one is looked for and given back. Whoever takes it in between ends this run.
        let mqtts = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = dir.join("mosquitto.conf");
        // Nothing on disk, no Nagle, as the hub; root keeps its rights so that it can read the key.
        let text = format!(
            "user root\npersistence false\nlog_type error\nset_tcp_nodelay true\nallow_anonymous true\n\
             listener {} 127.0.0.1\ncertfile {}\nkeyfile {}\n",
            mqtts.port(),
            dir.join("chain.pem").display(),
            dir.join("key.pem").display(),
        );
        fs::write(&config, text)?;
        let log = fs::File::create(dir.join("mosquitto.log"))?;
        let child = Command::new(program).arg("-c").arg(&config).stdin(Stdio::null()).stderr(log).spawn()?;
        let server = Self { child, mqtts, tls: believe(&[ca])? };
        let patience = Instant::now() + PATIENCE;
        while TcpStream::connect(mqtts).is_err() {
            if Instant::now() > patience {
                return Err("mosquitto does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(server))
    }
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Seconds since 1970: longer than any run.
pub fn tomorrow() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() + 24 * 3600
}

/// The program, started by a shell that has given away what it may have of open files; its process id stays the same.
#[cfg(unix)]
fn with_open_files(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -S -n {HUB_STARTS_WITH}; exec \"$0\" \"$@\"")]).arg(program);
    command
}

#[cfg(not(unix))]
fn with_open_files(program: &Path) -> Command {
    Command::new(program)
}

/// One configuration for all clients, so that they resume TLS sessions and share memory.
fn believe(cas: &[CertificateDer<'static>]) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for ca in cas {
        roots.add(ca.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A chain like the hub's own, of two ECDSA certificates on P-256, written to `dir`; the CA's certificate.
fn certificate(dir: &Path) -> Result<CertificateDer<'static>> {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::<String>::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca_certificate = ca.self_signed(&ca_key)?;
    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let leaf = CertificateParams::new(names)?.signed_by(&key, &Issuer::new(ca, ca_key))?;
    fs::write(dir.join("chain.pem"), format!("{}{}", leaf.pem(), ca_certificate.pem()))?;
    fs::write(dir.join("key.pem"), key.serialize_pem())?;
    Ok(ca_certificate.der().clone())
}
