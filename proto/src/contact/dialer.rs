//! One attempt to reach a listener.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::diagnosis::instead;
use super::{Attempt, Endpoints, Network, Transport, Try, probe};
use crate::cli::{Event, Reporter};
use crate::failure::Party;
use crate::link::{Admission, Connection, Form, Link, LinkError, canonical, knock};
use crate::quic::{Tuning, connect};
use crate::tls::Credentials;
use crate::wire::VERSIONS;

/// How long one attempt may take: several lost packets on a slow path.
pub const ATTEMPT: Duration = Duration::from_secs(4);

/// After how long without an answer the network is asked: most listeners have given one by then.
const UNANSWERED: Duration = Duration::from_millis(400);

/// How long QUIC has to get through once it is known that somebody is there: one lost packet.
const ONCE_MORE: Duration = Duration::from_millis(1500);

/// What links to a listener are made with.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// Where packets leave.
    pub endpoints: Endpoints,
    /// Over what links are to be made.
    pub transport: Transport,
    /// What is shown and proved, and has to be.
    pub credentials: Credentials,
    /// Which half of the session this side is.
    pub role: Party,
    /// The transport's settings.
    pub tuning: Tuning,
    /// Who is told that it goes another way than was wished.
    pub reporter: Reporter,
    /// The form of the last link.
    pub worked: Worked,
}

/// In which form the last link was made, if there was any.
#[derive(Clone, Debug, Default)]
pub struct Worked(Arc<Mutex<Option<Form>>>);

impl Worked {
    fn form(&self) -> Option<Form> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, form: Form) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(form);
    }
}

impl Dialer {
    /// What to try with each address, in this order.
    pub fn tries(&self) -> &'static [Try] {
        match self.endpoints.tcp {
            Some(_) => self.transport.tries(self.worked.form()),
            None => Transport::Quic.tries(None),
        }
    }

    /// Connects to whoever listens there, and proves the key. The caller limits how long it may take.
    ///
    /// # Errors
    /// [`LinkError`]
    pub async fn dial(&self, attempt: Attempt) -> Result<Link, LinkError> {
        let link = match attempt.by {
            Try::Quic => self.over_quic(attempt.address).await,
            Try::Tcp => self.over_tcp(attempt.address).await,
            Try::TcpInstead => self.over_tcp_instead(attempt.address).await,
        };
        link.inspect(|link| self.worked.set(link.connection.form()))
    }

    /// Ends as soon as the network says that UDP leads nowhere, which QUIC does not hear.
    async fn over_quic(&self, address: SocketAddr) -> Result<Link, LinkError> {
        let link = async {
            let opening = connect(&self.endpoints.quic, address, &self.credentials, &self.tuning);
            let opening = opening.map_err(|error| LinkError::Lost(error.to_string()))?;
            self.prove(opening.await?.into()).await
        };
        let unreachable = async {
            match self.endpoints.network {
                Network::Real => {
                    sleep(UNANSWERED).await;
                    probe::unreachable(address, self.endpoints.from()).await
                }
                Network::Simulated => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            link = link => link,
            error = unreachable => Err(error),
        }
    }

    async fn over_tcp(&self, address: SocketAddr) -> Result<Link, LinkError> {
        let tcp = self.endpoints.tcp.as_ref();
        let tcp = tcp.ok_or_else(|| LinkError::Lost("there is no TCP here".to_owned()))?;
        self.prove(tcp.connect(address, &self.credentials).await?).await
    }

    /// QUIC may have failed because nobody was there yet. Only if it fails again while somebody answers over TCP, it is
    /// UDP that does not get through.
    async fn over_tcp_instead(&self, address: SocketAddr) -> Result<Link, LinkError> {
        if let Some(tcp) = &self.endpoints.tcp {
            tcp.look_in(address).await?;
        }
        let failed = match timeout(ONCE_MORE, self.over_quic(address)).await {
            Ok(Err(error @ (LinkError::Silent | LinkError::Refused(_) | LinkError::NoRoute(_)))) => Some(error),
            Ok(answered) => return answered,
            Err(_) => None,
        };
        let link = self.over_tcp(address).await?;
        let host = canonical(address).ip().to_string();
        self.reporter.tell(Event::Notice(instead(failed.as_ref(), &host, address.port())));
        Ok(link)
    }

    async fn prove(&self, connection: Connection) -> Result<Link, LinkError> {
        let admission = Admission { credentials: &self.credentials, role: self.role, versions: VERSIONS };
        knock(connection, admission).await
    }
}
