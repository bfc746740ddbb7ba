//! The first words on a link: proofs of the key and the protocol version.

use super::{Connection, Link, LinkError};
use crate::failure::Party;
use crate::tls::Credentials;
use crate::tls::proof::{ChannelBinding, LinkEnd, prove, verify};
use crate::wire::{Admit, CloseCode, Knock, Message, WireError, common_version};

/// What this end brings to a handshake.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// With the key that both sides have, if they have one.
    pub credentials: &'a Credentials,
    /// Which half of the session this end is.
    pub role: Party,
    /// Protocol versions it speaks.
    pub versions: &'a [u16],
}

/// The dialer's side: proves the key, or that it has none, and goes on only with a listener that does the same.
///
/// # Errors
/// [`LinkError`]; `Closed` when the listener refuses, `Distrusted` when it does not trust the certificate.
pub async fn knock(connection: Connection, admission: Admission<'_>) -> Result<Link, LinkError> {
    // In TLS 1.3 a dialer has shaken hands before the listener has looked at its certificate.
    introduce(connection, admission).await.map_err(|error| error.with(admission.credentials))
}

async fn introduce(connection: Connection, admission: Admission<'_>) -> Result<Link, LinkError> {
    let channel = connection.channel_binding()?;
    let (mut reader, mut writer) = connection.open_control().await?;
    let knock = Knock {
        versions: admission.versions.to_vec(),
        features: 0,
        role: admission.role,
        proof: prove(admission.credentials.key(), LinkEnd::Dialer, &channel),
    };
    said(&connection, writer.send(&Message::Knock(knock)).await)?;
    let answer = match said(&connection, reader.next().await)? {
        Some(Message::Admit(answer)) => answer,
        other => return Err(refuse(&connection, unexpected(other))),
    };
    if !verify(admission.credentials.key(), LinkEnd::Listener, &channel, &answer.proof) {
        return Err(refuse_with(&connection, CloseCode::WrongKey, "the listener has another key"));
    }
    if !admission.versions.contains(&answer.version) {
        return Err(refuse_with(&connection, CloseCode::Version, &no_common(admission.versions, &[answer.version])));
    }
    Ok(Link { connection, reader, writer, version: answer.version })
}

/// Why a listener turned a dialer away. Only what this side has found out itself is told apart: a
/// peer may close with any code and sentence it likes.
#[derive(Debug, thiserror::Error)]
pub enum TurnedAway {
    /// Its proof is wrong: it has another key.
    #[error("the key is not the one this side has")]
    WrongKey,
    /// It has no key, and this side has one.
    #[error("it has no key, and this side has one: {KEY_MISSING}")]
    NoKey,
    /// It has a key, and this side has none.
    #[error("it has a key, and this side has none: {KEY_MISSING}")]
    UnknownKey,
    /// It has the key, but speaks no version that this side speaks.
    #[error("{}", no_common(.ours, .theirs))]
    Version {
        /// What this side speaks.
        ours: Vec<u16>,
        /// What the dialer speaks.
        theirs: Vec<u16>,
    },
    /// It has the key, but wants to be what this side is.
    #[error("both sides are a {0}")]
    SameRole(Party),
    /// It connected and left without a word.
    #[error("it left without a word")]
    Left,
    /// It never came so far as to prove the key.
    #[error("{0}")]
    NotAPeer(LinkError),
}

/// What to do when only one side has a key.
const KEY_MISSING: &str = "give the same one to both (--key-file or XB_KEY), or none to either";

impl From<LinkError> for TurnedAway {
    fn from(error: LinkError) -> TurnedAway {
        TurnedAway::NotAPeer(error)
    }
}

/// The listener's side: says nothing before the dialer has proved the key. The caller limits how
/// long it may take.
///
/// # Errors
/// [`TurnedAway`]; the connection is closed with the reason then.
pub async fn admit(connection: Connection, admission: Admission<'_>) -> Result<Link, TurnedAway> {
    let channel = connection.channel_binding()?;
    let (mut reader, mut writer) = connection.accept_control().await?;
    let knock = match said(&connection, reader.next().await)? {
        Some(Message::Knock(knock)) => knock,
        other => return Err(refuse(&connection, unexpected(other)).into()),
    };
    let version = judge(&knock, &channel, admission).inspect_err(|turned_away| {
        let code = match turned_away {
            TurnedAway::WrongKey => CloseCode::WrongKey,
            TurnedAway::NoKey | TurnedAway::UnknownKey => CloseCode::KeyMissing,
            TurnedAway::Version { .. } => CloseCode::Version,
            TurnedAway::SameRole(_) | TurnedAway::Left | TurnedAway::NotAPeer(_) => CloseCode::Violation,
        };
        connection.close(code, &turned_away.to_string());
    })?;
    let answer = Admit { version, features: 0, proof: prove(admission.credentials.key(), LinkEnd::Listener, &channel) };
    said(&connection, writer.send(&Message::Admit(answer)).await)?;
    Ok(Link { connection, reader, writer, version })
}

/// The version to speak with a dialer that may come in.
fn judge(knock: &Knock, channel: &ChannelBinding, admission: Admission<'_>) -> Result<u16, TurnedAway> {
    let key = admission.credentials.key();
    let proves = |key| verify(key, LinkEnd::Dialer, channel, &knock.proof);
    match key {
        _ if proves(key) => {}
        None => return Err(TurnedAway::UnknownKey),
        Some(_) if proves(None) => return Err(TurnedAway::NoKey),
        Some(_) => return Err(TurnedAway::WrongKey),
    }
    if knock.role == admission.role {
        return Err(TurnedAway::SameRole(admission.role));
    }
    common_version(admission.versions, &knock.versions)
        .ok_or_else(|| TurnedAway::Version { ours: admission.versions.to_vec(), theirs: knock.versions.clone() })
}

/// A stream that broke because the connection was closed: the close says why, not the stream.
fn said<T>(connection: &Connection, result: Result<T, super::ControlError>) -> Result<T, LinkError> {
    result.map_err(|error| connection.reason(error.into()))
}

fn unexpected(message: Option<Message>) -> LinkError {
    match message {
        Some(message) => LinkError::Stranger(format!("it began with {}", message.name())),
        None => WireError::Short { message: "Knock", field: "kind" }.into(),
    }
}

fn refuse(connection: &Connection, error: LinkError) -> LinkError {
    connection.close(CloseCode::Violation, &error.to_string());
    error
}

/// Closes with `code`; the same sentence is this side's error.
fn refuse_with(connection: &Connection, code: CloseCode, reason: &str) -> LinkError {
    connection.close(code, reason);
    LinkError::Closed { code, reason: reason.to_owned() }
}

fn no_common(ours: &[u16], theirs: &[u16]) -> String {
    format!(
        "no protocol version in common: one side speaks {ours:?}, the other {theirs:?}; use the same release on both"
    )
}
