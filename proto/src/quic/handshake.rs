//! The first words on a link: proofs of the key and the protocol version.

use quinn::Connection;

use super::link::close;
use super::{ControlReader, ControlWriter, Link, LinkError, Tuning};
use crate::failure::Party;
use crate::key::Key;
use crate::tls::proof::{ChannelBinding, LinkEnd, prove, verify};
use crate::wire::{Admit, CloseCode, EXPORTER_LABEL, Knock, Message, WireError, common_version};

/// What this end brings to a handshake.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// The key both sides have.
    pub key: &'a Key,
    /// Which half of the session this end is.
    pub role: Party,
    /// Protocol versions it speaks.
    pub versions: &'a [u16],
    /// What a peer with the key may use.
    pub tuning: Tuning,
}

/// The dialer's side: proves the key, and goes on only with a listener that has it too.
///
/// # Errors
/// [`LinkError`]; `Closed` when the listener refuses.
pub async fn knock(connection: Connection, admission: Admission<'_>) -> Result<Link, LinkError> {
    let channel = channel_binding(&connection)?;
    let (send, receive) = connection.open_bi().await?;
    let (mut writer, mut reader) = (ControlWriter::new(send), ControlReader::new(receive));
    let knock = Knock {
        versions: admission.versions.to_vec(),
        features: 0,
        role: admission.role,
        proof: prove(admission.key, LinkEnd::Dialer, &channel),
    };
    said(&connection, writer.send(&Message::Knock(knock)).await)?;
    let answer = match said(&connection, reader.next().await)? {
        Some(Message::Admit(answer)) => answer,
        other => return Err(refuse(&connection, unexpected(other))),
    };
    if !verify(admission.key, LinkEnd::Listener, &channel, &answer.proof) {
        return Err(refuse_with(&connection, CloseCode::WrongKey, "the listener has another key"));
    }
    if !admission.versions.contains(&answer.version) {
        return Err(refuse_with(&connection, CloseCode::Version, &no_common(admission.versions, &[answer.version])));
    }
    admission.tuning.trust(&connection);
    Ok(Link { connection, reader, writer, version: answer.version })
}

/// The listener's side: says nothing before the dialer has proved the key. The caller limits how
/// long it may take.
///
/// # Errors
/// [`LinkError`]; the connection is closed with the reason then.
pub async fn admit(connection: Connection, admission: Admission<'_>) -> Result<Link, LinkError> {
    let channel = channel_binding(&connection)?;
    let (send, receive) = connection.accept_bi().await?;
    let (mut writer, mut reader) = (ControlWriter::new(send), ControlReader::new(receive));
    let knock = match said(&connection, reader.next().await)? {
        Some(Message::Knock(knock)) => knock,
        other => return Err(refuse(&connection, unexpected(other))),
    };
    if !verify(admission.key, LinkEnd::Dialer, &channel, &knock.proof) {
        return Err(refuse_with(&connection, CloseCode::WrongKey, "the key is not the one this side has"));
    }
    if knock.role == admission.role {
        let both = format!("both sides are a {}", admission.role);
        return Err(refuse_with(&connection, CloseCode::Violation, &both));
    }
    let Some(version) = common_version(admission.versions, &knock.versions) else {
        return Err(refuse_with(&connection, CloseCode::Version, &no_common(admission.versions, &knock.versions)));
    };
    admission.tuning.trust(&connection);
    let answer = Admit { version, features: 0, proof: prove(admission.key, LinkEnd::Listener, &channel) };
    said(&connection, writer.send(&Message::Admit(answer)).await)?;
    Ok(Link { connection, reader, writer, version })
}

fn channel_binding(connection: &Connection) -> Result<ChannelBinding, LinkError> {
    let mut bytes = [0; 32];
    let exported = connection.export_keying_material(&mut bytes, EXPORTER_LABEL, b"");
    exported.map_err(|_| LinkError::Stranger("TLS exports no secret".into()))?;
    Ok(ChannelBinding(bytes))
}

/// A stream that broke because the connection was closed: the close says why, not the stream.
fn said<T>(connection: &Connection, result: Result<T, super::ControlError>) -> Result<T, LinkError> {
    result.map_err(|error| match connection.close_reason() {
        Some(reason) => reason.into(),
        None => error.into(),
    })
}

fn unexpected(message: Option<Message>) -> LinkError {
    match message {
        Some(message) => LinkError::Stranger(format!("it began with {}", message.name())),
        None => WireError::Short { message: "Knock", field: "kind" }.into(),
    }
}

fn refuse(connection: &Connection, error: LinkError) -> LinkError {
    close(connection, CloseCode::Violation, &error.to_string());
    error
}

/// Closes with `code`; the same sentence is this side's error.
fn refuse_with(connection: &Connection, code: CloseCode, reason: &str) -> LinkError {
    close(connection, code, reason);
    LinkError::Closed { code, reason: reason.to_owned() }
}

fn no_common(ours: &[u16], theirs: &[u16]) -> String {
    format!(
        "no protocol version in common: one side speaks {ours:?}, the other {theirs:?}; use the same release on both"
    )
}
