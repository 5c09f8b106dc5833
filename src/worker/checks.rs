//! Trying out and keeping a connection that somebody typed.

use super::event::{CheckReport, Outcome};
use super::keep::face;
use super::open::Opener;
use super::{Connect, Failure};
use crate::client::{HubError, Verdict, probe};
use crate::protocol::connection_string::{ConnectionString, Who};
use crate::protocol::policy::Permission;
use std::time::Instant;

/// The system's own file dialog; it runs beside the window, which goes on painting.
pub(super) async fn pick_file() -> Outcome {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Certificate file")
        .add_filter("Certificates", &["pem", "crt", "cer"])
        .add_filter("All files", &["*"]);
    Outcome::FilePicked(dialog.pick_file().await.map(|file| file.path().to_owned()))
}

/// Form first, then two harmless reads.
pub(super) async fn check(opener: &Opener, connect: Connect) -> Result<Outcome, Failure> {
    let connection = understand(&connect)?;
    let ca_file = match connect.renews.as_ref().and_then(|id| opener.keep.saved(id)) {
        Some(saved) => saved.ca_file,
        None => connect.ca_file,
    };
    let trust = opener.trust(ca_file).await?;
    let start = Instant::now();
    let report = probe(&connection, &trust, opener.log.observer()).await.map_err(Failure::Hub)?;
    // One permission is enough to be of use; what lacks the other is told as such.
    if report.registry_read != Verdict::Yes
        && report.service_connect != Verdict::Yes
        && let Some(problem) = report.problem
    {
        return Err(Failure::Hub(problem));
    }
    let (host, policy) = face(&connection);
    let permissions = [
        (Permission::RegistryRead, report.registry_read),
        (Permission::RegistryWrite, report.registry_write),
        (Permission::ServiceConnect, report.service_connect),
        // Nothing of the service API asks for it.
        (Permission::DeviceConnect, Verdict::Unknown),
    ];
    Ok(Outcome::Checked(CheckReport {
        host,
        policy,
        permissions: permissions.into_iter().map(|(permission, verdict)| (permission.word(), told(verdict))).collect(),
        clock_ahead_s: report.clock_ahead_s,
        ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}

/// Keeps a connection without trying it: a hub may be away for the moment.
pub(super) async fn add(opener: Opener, connect: Connect) -> Result<Outcome, Failure> {
    let connection = understand(&connect)?;
    if let Some(id) = connect.renews {
        return finished(tokio::spawn(async move { opener.keep.renew(&id, &connection, connect.key).await })).await;
    }
    // The program may be started from another folder next time.
    let ca_file = connect.ca_file.map(|file| std::path::absolute(&file).unwrap_or(file));
    opener.trust(ca_file.clone()).await?;
    // Not part of the request: a cancelled one must not stop between the keyring and the settings.
    let adding = tokio::spawn(async move { opener.keep.add(&connect.name, &connection, ca_file, connect.key).await });
    finished(adding).await
}

/// Forgets a connection.
pub(super) async fn remove(opener: Opener, id: String) -> Result<Outcome, Failure> {
    finished(tokio::spawn(async move { opener.keep.remove(&id).await })).await
}

async fn finished(
    task: tokio::task::JoinHandle<Result<Vec<super::event::HubEntry>, Failure>>,
) -> Result<Outcome, Failure> {
    match task.await {
        Ok(hubs) => hubs.map(Outcome::Hubs),
        Err(error) => Err(Failure::Panicked(error.to_string())),
    }
}

/// The sentence names the part that is wrong, never its value.
fn understand(connect: &Connect) -> Result<ConnectionString, Failure> {
    let read = ConnectionString::read(connect.connection_string.reveal())
        .map_err(|error| Failure::Local(error.to_string()))?;
    match read.connection.who {
        Who::Service { .. } => Ok(read.connection),
        Who::Identity { .. } => Err(Failure::Hub(HubError::NotAService)),
    }
}

fn told(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Yes => Some(true),
        Verdict::No => Some(false),
        Verdict::Unknown => None,
    }
}
