//! The CONNECT: read in time, checked, answered.

use super::faulty;
use super::lease::{Lease, NotOpened};
use super::limits::Limits;
use super::outbox::Inbox;
use super::packet::{
    CleanSession, Connect, Incoming, MAX_CONNECT_BODY, Malformed, Outgoing, Qos, ReturnCode, decode, encode,
};
use super::publish::WillMessage;
use super::session::End;
use crate::local_hub::hub::{Admission, Hub, Refused};
use crate::local_hub::x509::ClientCertificates;
use crate::protocol::mqtt::UserName;
use crate::protocol::secret::Secret;
use crate::twin::TwinId;
use bytes::BytesMut;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Bytes of a client id that are logged.
const NAME_SHOWN: usize = 128;

/// A connection that was let in. Its CONNACK is in `unsent`, not yet on the wire.
pub struct Admitted {
    pub lease: Lease,
    pub inbox: Inbox,
    /// What came behind the CONNECT: clients need not wait for the CONNACK.
    pub received: BytesMut,
    pub unsent: BytesMut,
    pub will: Option<WillMessage>,
    /// The longest silence granted.
    pub silence: Duration,
    /// Seconds since 1970 when the connection ends; `None` for certificates.
    pub expires_s: Option<u64>,
    pub reports: Reports,
}

/// What becomes of reported properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    Taken,
    /// The user name has no `api-version`. The service was seen to answer such reports with 400
    /// (andriyadi/AzureIoTHubMQTTClient pull request 5, the one source there is); everything else works without
    /// (MicrosoftDocs/azure-docs issues 16306 and 28519).
    Refused,
}

/// A CONNECT whose words fit together.
struct Caller {
    id: TwinId,
    user: UserName,
    password: Option<Secret>,
    clean: CleanSession,
    keep_alive_s: u16,
    will: Option<WillMessage>,
}

/// Reads the CONNECT and lets the client in, or answers why not.
pub async fn accept<S>(
    io: &mut S,
    hub: Arc<Hub>,
    certificates: &ClientCertificates,
    limits: &Limits,
    stop: &CancellationToken,
) -> Result<Admitted, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut received = BytesMut::new();
    let first = tokio::select! {
        () = stop.cancelled() => return Err(End::Stopped),
        first = timeout(limits.connect, first_packet(io, &mut received)) => first,
    };
    let connect = match first {
        Ok(Ok(connect)) => connect,
        Ok(Err(End::Malformed(Malformed::Protocol { level }))) => {
            tracing::info!(level, "an MQTT client is refused: another version of MQTT");
            return Err(refuse(io, ReturnCode::UnacceptableProtocol).await);
        }
        Ok(Err(end)) => return Err(end),
        Err(_elapsed) => return Err(End::Silent),
    };
    let client_id = connect.client_id[..connect.client_id.floor_char_boundary(NAME_SHOWN)].to_owned();
    let caller = match caller(*connect) {
        Ok(caller) => caller,
        Err(Unfit::Protocol(why)) => return Err(End::Violation(why)),
        Err(Unfit::Answer(code, why)) => {
            tracing::info!(why, client_id, "an MQTT client is refused");
            return Err(refuse(io, code).await);
        }
    };
    let is_welcome = || ask(&hub, &caller, certificates).is_ok();
    let fate = faulty::of_connect(io, &mut received, (&hub, &caller.id), is_welcome, stop).await?;
    if fate.status.is_some() {
        return Err(refuse(io, ReturnCode::ServerUnavailable).await);
    }
    match admit(hub, &caller, certificates, stop).await {
        Ok((lease, inbox, present, expires_s)) => {
            let mut unsent = BytesMut::new();
            let connack = Outgoing::ConnAck { session_present: present, code: ReturnCode::Accepted };
            faulty::after_connect(io, &fate, &connack).await?;
            put(&connack, &mut unsent);
            let silence = limits.silence_of(caller.keep_alive_s);
            let is_versioned = caller.user.api_version.as_deref().is_some_and(|version| !version.is_empty());
            let reports = if is_versioned { Reports::Taken } else { Reports::Refused };
            Ok(Admitted { lease, inbox, received, unsent, will: caller.will, silence, expires_s, reports })
        }
        Err(Denied::Refused(refused)) => {
            tracing::info!(id = %caller.id, why = %refused.message, "an MQTT client is refused");
            Err(refuse(io, ReturnCode::NotAuthorized).await)
        }
        // A clean session may not begin while the one before it could come back after a restart.
        Err(Denied::Unavailable) => Err(refuse(io, ReturnCode::ServerUnavailable).await),
        Err(Denied::Over(end)) => Err(end),
    }
}

/// The first packet, which must be a CONNECT.
async fn first_packet<S: AsyncRead + Unpin>(io: &mut S, received: &mut BytesMut) -> Result<Box<Connect>, End> {
    loop {
        match decode(received, MAX_CONNECT_BODY).map_err(End::Malformed)? {
            Some(Incoming::Connect(connect)) => return Ok(connect),
            Some(_) => return Err(End::Violation("the first packet is no CONNECT")),
            None => {}
        }
        received.reserve(1024);
        match io.read_buf(received).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(End::Lost),
        }
    }
}

enum Unfit {
    /// Beyond an answer: the connection just ends.
    Protocol(&'static str),
    Answer(ReturnCode, &'static str),
}

/// The identity is the client id; the user name must say the same.
fn caller(connect: Connect) -> Result<Caller, Unfit> {
    let id: TwinId = connect
        .client_id
        .parse()
        .map_err(|_problem| Unfit::Answer(ReturnCode::IdentifierRejected, "the client id is no device or module id"))?;
    let user = connect
        .user_name
        .as_deref()
        .and_then(UserName::parse)
        .filter(|user| user.names(&id))
        .ok_or(Unfit::Answer(ReturnCode::NotAuthorized, "the user name does not name the client id's identity"))?;
    let will = match connect.will {
        Some(will) if will.qos == Qos::ExactlyOnce => return Err(Unfit::Protocol("a will of QoS 2")),
        Some(will) => WillMessage::read(will, &id).map_err(|why| Unfit::Answer(ReturnCode::NotAuthorized, why))?,
        None => None,
    };
    Ok(Caller {
        id,
        user,
        password: connect.password.filter(|password| !password.is_empty()),
        clean: connect.clean_session,
        keep_alive_s: connect.keep_alive_s,
        will,
    })
}

enum Denied {
    Refused(Refused),
    /// The hub cannot keep what this CONNECT asks for.
    Unavailable,
    Over(End),
}

/// Asks the hub, takes the identity over from an older connection, and asks again: what changed before the identity was
/// taken is seen by the second question, what changes later reaches the lease.
async fn admit(
    hub: Arc<Hub>,
    caller: &Caller,
    certificates: &ClientCertificates,
    stop: &CancellationToken,
) -> Result<(Lease, Inbox, bool, Option<u64>), Denied> {
    ask(&hub, caller, certificates)?;
    let (mut lease, inbox) = tokio::select! {
        () = stop.cancelled() => return Err(Denied::Over(End::Stopped)),
        taken = Lease::take(hub, caller.id.clone()) => taken.ok_or(Denied::Over(End::Evicted))?,
    };
    let admission = ask(&lease.hub, caller, certificates)?;
    let present = lease.open(caller.clean).await.map_err(|not_opened| match not_opened {
        NotOpened::Gone => Denied::Over(End::Evicted),
        NotOpened::NotKept => Denied::Unavailable,
    })?;
    if let Some(model_id) = &caller.user.model_id {
        lease.hub.set_model_id(&lease.id, lease.identity(), model_id);
    }
    Ok((lease, inbox, present, admission.expires))
}

/// Whether the hub lets the caller in.
fn ask(hub: &Hub, caller: &Caller, certificates: &ClientCertificates) -> Result<Admission, Denied> {
    let password = caller.password.as_ref().map(Secret::reveal);
    hub.admit(&caller.id, &caller.user, password, certificates).map_err(Denied::Refused)
}

/// Says no, and gives the answer a moment to get out.
async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, code: ReturnCode) -> End {
    let mut answer = BytesMut::new();
    put(&Outgoing::ConnAck { session_present: false, code }, &mut answer);
    let sent = timeout(Duration::from_millis(500), async {
        io.write_all(&answer).await?;
        io.shutdown().await?;
        // A socket closed over unread bytes is reset, and the answer with it: wait until the client has closed.
        let mut unread = [0; 1024];
        while io.read(&mut unread).await? > 0 {}
        Ok::<(), std::io::Error>(())
    });
    if !matches!(sent.await, Ok(Ok(()))) {
        tracing::trace!("the refused client did not wait for its answer");
    }
    End::Refused(code)
}

/// Encodes a packet whose size is known to fit.
pub fn put(packet: &Outgoing, out: &mut BytesMut) {
    if encode(packet, out).is_err() {
        tracing::debug!("an answer beyond the size of an MQTT packet is not sent");
    }
}
