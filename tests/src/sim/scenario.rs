//! One session over the simulated network: the two halves put together as the programs do it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::Endpoint;
use tokio::task::LocalSet;
use tokio::time::{sleep_until, timeout};
use xbproto::cli::{self, Face, Moment, Reporter, Screen, Verbosity};
use xbproto::contact::{Dialer, Port, Route, Transport, Worked};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::lane::LaneId;
use xbproto::liveness::Liveness;
use xbproto::meter::Gauge;
use xbproto::place::Place;
use xbproto::quantity::Rate;
use xbproto::quic::{self, Acceptor, Congestion, Family, FindRoute, Route as FirstHop, Tuning};
use xbproto::session::{Half, LinkId, Received, Receiver, ReceiverConfig, Sender, SenderConfig, Sent};
use xbproto::shared::Shared;
use xbproto::throttle::Throttle;
use xbproto::tls::Credentials;
use xbproto::wire::{Purpose, SessionId};
use xbrecv::admission::Door;
use xbrecv::decode::Decoders;
use xbrecv::entrance::Entrance;
use xbrecv::listen::{Server, Service};
use xbrecv::settle::settle;
use xbrecv::sink::{Admission, Again};
use xbsend::contact::{Dials, Listens};
use xbsend::joined::keep_joined;
use xbsend::outbox::{Compression, Effort, Outbox};
use xbsend::pump::{Pump, Pumped};
use xbsend::resume::keep_linked;
use xbsend::tap::{Expect, Watch};
use xbsend::uplink::Uplink;
use xbsend::way::Next;

use super::path::Path;
use super::pattern::Pattern;
use super::sink::{Memory, hanging};
use super::socket::Socket;
use super::{Conditions, Disk, Event, Log, Rng, Step, Story, host, socket, source};

/// A session to be played.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// From the sender to the receiver.
    pub there: Conditions,
    /// From the receiver to the sender.
    pub back: Conditions,
    /// Further links: what their paths are like, there and back.
    pub more_links: Vec<(Conditions, Conditions)>,
    /// What the source of each lane does.
    pub lanes: Vec<Vec<Step>>,
    /// The sender's rate limit.
    pub rate: Option<Rate>,
    /// What either side sets its limit to, and when.
    pub limits: Vec<(Duration, Party, Option<Rate>)>,
    /// What decides how much the sender has under way.
    pub congestion: Congestion,
    /// Whether and how blocks are compressed.
    pub compression: Option<Compression>,
    /// The session's window in bytes, on both sides.
    pub window: u64,
    /// What the receiver writes to.
    pub disk: Disk,
    /// How long the sender tries to come back after the link was lost.
    pub retry_for: Duration,
    /// Who makes the links; the other one listens.
    pub dials: Party,
}

/// A session that takes longer than this hangs.
const LONGEST: Duration = Duration::from_secs(48 * 3600);

/// How long the sender looks for the receiver.
const WAIT: Duration = Duration::from_secs(60);

/// What both sides have. A simulation has no secrets.
const KEY: [u8; 16] = [7; 16];

impl Scenario {
    /// One lane of `len` bytes over a perfect network to a perfect disk.
    pub fn new(seed: u64, len: u64) -> Scenario {
        Scenario {
            seed,
            there: Conditions::default(),
            back: Conditions::default(),
            more_links: Vec::new(),
            lanes: vec![vec![Step::Give(len)]],
            rate: None,
            limits: Vec::new(),
            congestion: Congestion::default(),
            compression: None,
            window: 16 << 20,
            disk: Disk::default(),
            retry_for: Duration::ZERO,
            dials: Party::Sender,
        }
    }

    /// Every third one compresses, automatically or not.
    pub fn compressed_by_seed(self) -> Scenario {
        let mut rng = Rng::new(self.seed, COMPRESSION);
        let compression = match rng.within(0..=5) {
            0 => Some(Compression::Auto),
            1 => Some(Compression::Fixed(Effort::Zstd(1))),
            _ => None,
        };
        Scenario { compression, ..self }
    }

    /// The receiver makes the link.
    pub fn pulled(self) -> Scenario {
        Scenario { dials: Party::Receiver, ..self }
    }

    /// In every third one with a single link the receiver makes it.
    pub fn pulled_by_seed(self) -> Scenario {
        let pulled = Rng::new(self.seed, DIRECTION).within(0..=2) == 0 && self.more_links.is_empty();
        if pulled { self.pulled() } else { self }
    }

    /// The same conditions in both directions.
    pub fn over(self, conditions: Conditions) -> Scenario {
        Scenario { there: conditions.clone(), back: conditions, ..self }
    }

    /// With further links like the first one, so many in all.
    pub fn with_links(self, links: usize) -> Scenario {
        Scenario { more_links: vec![(self.there.clone(), self.back.clone()); links - 1], ..self }
    }

    /// Plays it to the end of both sides.
    ///
    /// # Panics
    /// When it does not end, or a part of it panics.
    pub fn play(&self) -> Story {
        simulate(async {
            let log = Log::start();
            self.session(self.routes(), &log).await
        })
    }

    /// Plays it beside `other`, whose bottleneck to the receiver both have to share. Each has one link.
    ///
    /// # Panics
    /// As [`Scenario::play`].
    pub fn play_beside(&self, other: &Scenario) -> (Story, Story) {
        simulate(async {
            // Each has the other's time.
            let (log, others_log) = (Log::start(), Log::start());
            let (mut routes, others) = (self.routes(), other.routes());
            routes[0].there = Path::beside(&others[0].there, self.there.clone(), Rng::new(self.seed, THERE));
            tokio::join!(self.session(routes, &log), other.session(others, &others_log))
        })
    }

    fn routes(&self) -> Vec<socket::Route> {
        let links = std::iter::once((&self.there, &self.back));
        let links = links.chain(self.more_links.iter().map(|(there, back)| (there, back)));
        let path = |conditions: &Conditions, purpose| Path::new(conditions.clone(), Rng::new(self.seed, purpose));
        let route = |(link, (there, back)): (u64, (&Conditions, &Conditions))| socket::Route {
            there: path(there, THERE + LINK * link),
            back: path(back, BACK + LINK * link),
        };
        (0..).zip(links).map(route).collect()
    }

    async fn session(&self, routes: Vec<socket::Route>, log: &Log) -> Story {
        let (near, far) = socket::network(routes, log);
        let both = async { tokio::join!(receive(self, far, log), send(self, near, log)) };
        let both = timeout(LONGEST, both).await;
        let (received, sent) = both.unwrap_or_else(|_| panic!("seed {}: the session hangs", self.seed));
        Story { log: log.take(), sent, received }
    }
}

/// Runs `work` on a clock that stands still until everybody waits.
fn simulate<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O needs nothing from the system");
    LocalSet::new().block_on(&runtime, work)
}

/// A network in memory has no routes.
const FIND_ROUTE: FindRoute = |_, _| FirstHop::UNKNOWN;

const THERE: u64 = 10;
const BACK: u64 = 11;
const LINK: u64 = 100;
const COMPRESSION: u64 = 12;
const DIRECTION: u64 = 13;

/// The receiving side, as `xbrecv` puts it together.
async fn receive(scenario: &Scenario, socket: Arc<Socket>, log: &Log) -> Received {
    let config = ReceiverConfig { window: scenario.window, target: "memory".to_owned(), free: None };
    let session = Arc::new(Shared::new(Receiver::new(config)));
    change_limits(scenario, &session, log);
    let tuning = Tuning {
        window: scenario.window,
        liveness: Liveness::DEFAULT,
        congestion: Congestion::default(),
        find_route: FIND_ROUTE,
    };
    let (endpoint, entrance) = entrance(scenario, socket, tuning);
    let server = Server {
        decoders: Arc::new(Decoders::start(Place::Tasks).expect("a task can always be started")),
        tuning,
        path: Arc::default(),
        reporter: reporter(),
    };
    let service =
        Service { session: session.clone(), wait: None, again: Again::Impossible, admission: Admission::default() };
    let link = start("link", async move {
        let mut door = Door::new(entrance);
        server.serve(&service, &mut door).await;
        door.close().await;
        endpoint.close(0u32.into(), b"");
        endpoint.wait_idle().await;
    });
    session.when(|s| (s.outcome().is_some() || s.session().is_some()).then_some(())).await;
    let sink = Box::new(Memory::new(scenario.seed, scenario.disk, log.clone()));
    let gauge = Arc::new(Gauge::default());
    let settled = settle(Place::Tasks, &session, &gauge, sink, || None);
    match scenario.disk.hangs {
        // The drains are tasks of the inner set: they hang with it.
        Some(pause) => hanging(LocalSet::new().run_until(settled), pause).await,
        None => settled.await,
    };
    let outcome = session.look(|s| s.outcome().cloned()).expect("settled means that it is over");
    log.note(Event::ReceiverEnded(outcome.clone()));
    link.await;
    outcome
}

/// The sending side, as `xbsend` puts it together.
async fn send(scenario: &Scenario, sockets: Vec<Arc<Socket>>, log: &Log) -> Sent {
    let session = Arc::new(Shared::new(Sender::new(SenderConfig {
        session: SessionId([1; 16]),
        purpose: Purpose::Transfer,
        lanes: scenario.lanes.len() as u16,
        window: scenario.window,
        retry_for: scenario.retry_for,
        size: None,
    })));
    session.change(|s| s.allow(scenario.rate));
    change_limits(scenario, &session, log);
    let gauge = Arc::new(Gauge::default());
    let tuning = Tuning {
        window: scenario.window,
        liveness: Liveness::DEFAULT,
        congestion: scenario.congestion,
        find_route: FIND_ROUTE,
    };
    let throttle = Arc::new(Throttle::new(scenario.rate));
    let (outbox, workers) = match scenario.compression {
        Some(how) => Outbox::compressing(session.clone(), how, Place::Tasks).expect("a task can always be started"),
        None => (Outbox::plain(session.clone()), Vec::new()),
    };
    let (links, gauge_of_links) = (sockets.len() as u8, gauge.clone());
    let uplink = Uplink {
        session: session.clone(),
        outbox,
        throttle,
        gauge: gauge_of_links,
        tuning,
        links,
        path: Arc::default(),
    };
    let links = start_links(scenario, sockets, &uplink);
    let welcomed = session.when(|s| match s.outcome() {
        Some(_) => Some(false),
        None => s.target().map(|_| true),
    });
    if welcomed.await {
        drive(scenario, &session, &gauge, log).await;
    }
    let outcome = session.when(|s| s.outcome().cloned()).await;
    log.note(Event::SenderEnded(outcome.clone()));
    for link in links {
        link.await;
    }
    for worker in workers {
        worker.finished().await.expect("no part of a simulation panics");
    }
    outcome
}

/// What both sides have.
fn credentials() -> Credentials {
    Credentials::shared_key(Key::new(KEY)).showing(host::identity().clone())
}

/// Where the receiver's senders come from.
fn entrance(scenario: &Scenario, socket: Arc<Socket>, tuning: Tuning) -> (Endpoint, Entrance) {
    match scenario.dials {
        Party::Sender => {
            let (endpoint, acceptor) = listening(scenario.seed, socket, tuning);
            let port = Port::new(endpoint.clone().into(), acceptor, Entrance::greeting(credentials()));
            (endpoint, Entrance::Port(port))
        }
        Party::Receiver => {
            let endpoint = dialing(scenario.seed, socket);
            let dialer = dialer(&endpoint, Party::Receiver, tuning);
            (endpoint, Entrance::seek(dialer, route_to(socket::SENDER), reporter()))
        }
    }
}

fn listening(seed: u64, socket: Arc<Socket>, tuning: Tuning) -> (Endpoint, Acceptor) {
    let acceptor = Acceptor::new(credentials(), tuning).expect("a certificate can be made");
    let endpoint = quic::listener(socket, host::endpoint_config(seed), &acceptor);
    (endpoint.expect("a socket in memory can always be used"), acceptor)
}

fn dialing(seed: u64, socket: Arc<Socket>) -> Endpoint {
    quic::dialer(socket, host::endpoint_config(seed)).expect("a socket in memory can always be used")
}

fn dialer(endpoint: &Endpoint, role: Party, tuning: Tuning) -> Dialer {
    let (credentials, worked) = (credentials(), Worked::default());
    let endpoints = endpoint.clone().into();
    Dialer { endpoints, transport: Transport::Quic, credentials, role, tuning, reporter: reporter(), worked }
}

fn route_to(peer: SocketAddr) -> Route {
    Route::parse(&peer.to_string(), Family::Any, WAIT).expect("an address")
}

/// Starts what serves the session over the first socket, and what joins it over the others.
fn start_links(scenario: &Scenario, sockets: Vec<Arc<Socket>>, uplink: &Uplink) -> Vec<impl Future<Output = ()>> {
    let joining = LinkId::joining(uplink.links);
    let links = std::iter::once(LinkId::MAIN).chain(joining).zip(sockets);
    let (seed, dials) = (!scenario.seed, scenario.dials);
    let start_link = |(link, socket): (LinkId, Arc<Socket>)| {
        let (seed, uplink) = (seed ^ link.number() << 32, uplink.clone());
        start("link", async move {
            let endpoint = match dials {
                Party::Sender => keep_dialed(link, dialing(seed, socket), &uplink).await,
                Party::Receiver => keep_open(seed, socket, &uplink).await,
            };
            endpoint.wait_idle().await;
        })
    };
    links.map(start_link).collect()
}

/// The sender dials.
async fn keep_dialed(link: LinkId, endpoint: Endpoint, uplink: &Uplink) -> Endpoint {
    let dialer = dialer(&endpoint, Party::Sender, uplink.tuning);
    match link {
        LinkId::MAIN => {
            let (route, session) = (route_to(socket::RECEIVER), uplink.session.look(Sender::session));
            let mut contact = Dials { dialer, route, session, reporter: reporter() };
            keep_linked(&mut contact, uplink, &reporter()).await;
        }
        _ => keep_joined(link, &dialer, uplink, &reporter()).await,
    }
    endpoint
}

/// The sender listens.
async fn keep_open(seed: u64, socket: Arc<Socket>, uplink: &Uplink) -> Endpoint {
    let (endpoint, acceptor) = listening(seed, socket, uplink.tuning);
    let port = Port::new(endpoint.clone().into(), acceptor, Listens::greeting(credentials()));
    let mut contact = Listens::new(port, uplink.session.clone(), Some(WAIT), Next::Nobody, reporter());
    keep_linked(&mut contact, uplink, &reporter()).await;
    contact.close().await;
    endpoint.close(0u32.into(), b"");
    endpoint
}

/// Pumps the source into the session and tells it the source's verdict. The lane that fails first
/// is the one that counts.
async fn drive(scenario: &Scenario, session: &Arc<Shared<Sender>>, gauge: &Arc<Gauge>, log: &Log) {
    let watch = Watch::new(Expect::Raw);
    let mut pumps = Vec::new();
    for (lane, steps) in (0..).map(LaneId).zip(&scenario.lanes) {
        let pump = Pump { lane, tap: watch.tap(), session: session.clone(), gauge: gauge.clone() };
        let input = source::lane(lane, steps, Pattern::new(scenario.seed, lane), log);
        let (session, given) = (session.clone(), source::len(steps));
        pumps.push(start("pump", async move {
            match pump.run(input).await {
                Ok(pumped) => pumped == Pumped::All(given),
                Err(error) => {
                    session.change(|s| s.fail(Failure::new(Cause::Source, Party::Sender, error)));
                    false
                }
            }
        }));
    }
    let mut complete = true;
    for pump in pumps {
        complete &= pump.await;
    }
    if complete {
        session.change(Sender::source_succeeded);
    }
}

/// Sets the limit of one side as the scenario has it. What is due at the beginning is set before anything happens.
fn change_limits<H: Half + Send + 'static>(scenario: &Scenario, session: &Arc<Shared<H>>, log: &Log) {
    let own = scenario.limits.iter().filter(|(_, party, _)| *party == H::PARTY);
    let (now, later): (Vec<_>, Vec<_>) = own.copied().partition(|(at, _, _)| at.is_zero());
    now.into_iter().for_each(|(_, _, rate)| session.change(|s| s.allow(rate)));
    let (session, log) = (session.clone(), log.clone());
    // Nobody waits for it: it has its turn until the simulation ends.
    drop(start("limits", async move {
        for (at, _, rate) in later {
            sleep_until(log.moment(at)).await;
            session.change(|s| s.allow(rate));
        }
    }));
}

/// Starts a piece of work where the simulation has it, and gives its result.
fn start<T: Send + 'static>(name: &str, work: impl Future<Output = T> + Send + 'static) -> impl Future<Output = T> {
    let work = Place::Tasks.start(name, || work).expect("a task can always be started");
    async { work.finished().await.expect("no part of a simulation panics") }
}

/// Tells nobody. Its thread waits for events only, and so has no part in the simulation's time.
fn reporter() -> Reporter {
    struct Silent;
    impl Face for Silent {
        fn show(&mut self, _: Moment, _: &cli::Event) {}
    }
    static REPORTER: std::sync::OnceLock<Reporter> = std::sync::OnceLock::new();
    REPORTER.get_or_init(|| Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal)).clone()
}
