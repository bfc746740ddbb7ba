//! A connection on its way: until TLS has shaken hands, and why it has not.

use std::future::IntoFuture;
use std::net::SocketAddr;

use quinn::{Connecting, Connection};

use crate::link::{Eventually, LinkError};
use crate::tls::{Credentials, Judgement};

/// A connection that is being opened, from either side. Wait for it: `opening.await`.
#[derive(Debug)]
pub struct Opening {
    connecting: Connecting,
    credentials: Credentials,
    judgement: Judgement,
}

impl Opening {
    pub(super) fn new(connecting: Connecting, credentials: &Credentials, judgement: Judgement) -> Opening {
        Opening { connecting, credentials: credentials.clone(), judgement }
    }

    /// Who is at the other end.
    pub fn remote_address(&self) -> SocketAddr {
        self.connecting.remote_address()
    }
}

impl IntoFuture for Opening {
    type Output = Result<Connection, LinkError>;
    type IntoFuture = Eventually<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Opening { connecting, credentials, judgement } = self;
        Box::pin(async move {
            connecting.await.map_err(|error| match judgement.refusal() {
                Some(refusal) => refusal.into(),
                None => LinkError::from(error).with(&credentials),
            })
        })
    }
}
