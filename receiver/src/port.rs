//! The thread that owns the socket, whichever session it serves.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;
use xbproto::cli::{Reporter, Requests};
use xbproto::contact::Sockets;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::link::CurrentPath;
use xbproto::place::{Place, Work};
use xbproto::quic::{ReceiveBuffer, Tuning};
use xbproto::tls::Credentials;

use crate::admission::Door;
use crate::decode::Decoders;
use crate::listen::{Server, Service};
use crate::way::Way;

/// An open port. Dropping it leaves the thread to the end of the process.
pub(crate) struct OpenPort {
    /// Where the present link can be looked at.
    pub(crate) path: Arc<CurrentPath>,
    /// What may wait to be received.
    buffer: Option<ReceiveBuffer>,
    services: mpsc::UnboundedSender<Service>,
    thread: Work<()>,
}

impl OpenPort {
    /// Starts the thread. Nobody is answered before there is a session to serve.
    pub(crate) fn start(
        sockets: Sockets,
        way: Way,
        credentials: Credentials,
        tuning: Tuning,
        reporter: &Reporter,
    ) -> Result<OpenPort, Failure> {
        let (services, mut served) = mpsc::unbounded_channel();
        let buffer = ReceiveBuffer::of(&sockets.udp).ok();
        let path = Arc::new(CurrentPath::default());
        let (current, reporter) = (path.clone(), reporter.clone());
        let decoders = Decoders::start(Place::Threads).map_err(unforeseen)?;
        let thread = Place::Threads.start("link", move || async move {
            match way.open(sockets, credentials, tuning, &reporter) {
                Ok((endpoints, entrance)) => {
                    let (path, decoders) = (current, Arc::new(decoders));
                    let server = Server { decoders, tuning, path, reporter };
                    serve_all(&server, Door::new(entrance), &mut served).await;
                    endpoints.close().await;
                }
                Err(error) => fail_all(&error, &mut served).await,
            }
        });
        let thread = thread.map_err(unforeseen)?;
        Ok(OpenPort { path, buffer, services, thread })
    }

    /// Serves one more session, after the one before has ended.
    pub(crate) fn serve(&self, service: Service) {
        // Fails only without a thread, which `ended_early` tells.
        let _ = self.services.send(service);
    }

    /// What to do so that no more datagrams are lost for want of room, if some were.
    pub(crate) fn lost_for_room(&self) -> Option<String> {
        let buffer = self.buffer?;
        let (dropped, limit) = (buffer.dropped().filter(|dropped| *dropped > 0)?, buffer.limit()?);
        Some(format!("{dropped} datagrams came too fast and were sent again: {limit}"))
    }

    /// Waits for the end of the thread, which before the last session's end is a defect that nobody else would notice.
    pub(crate) async fn ended_early(&self) -> Failure {
        self.services.closed().await;
        unforeseen("the link's thread ended early: a defect of this program")
    }

    /// Waits until the last session's sender has heard how it ended, or somebody asks for the end.
    pub(crate) async fn close(self, requests: &mut Requests, report: impl FnMut()) {
        drop(self.services);
        tokio::select! {
            _ = self.thread.finished() => {}
            () = requests.end(report) => {}
        }
    }
}

async fn serve_all(server: &Server, mut door: Door, services: &mut mpsc::UnboundedReceiver<Service>) {
    while let Some(service) = services.recv().await {
        server.serve(&service, &mut door).await;
    }
    door.close().await;
}

async fn fail_all(error: &io::Error, services: &mut mpsc::UnboundedReceiver<Service>) {
    while let Some(service) = services.recv().await {
        service.session.change(|s| s.fail(unforeseen(error)));
    }
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Receiver, error)
}
