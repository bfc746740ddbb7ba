//! How two hosts meet: one listens at a port, the other dials; which of them sends is another matter.
//!
//! | module | owns |
//! |---|---|
//! | `route` | from `HOST:PORT` to addresses |
//! | `attempt` `dialer` `probe` | what may be tried; one attempt; what the network says meanwhile |
//! | `reach` `comeback` | attempts until one answers; attempts after a link was lost |
//! | `diagnosis` | from what became of them to what is wrong, and what mends it |
//! | `endpoints` `sockets` | what connections are made with, and taken |
//! | `invite` | what a listener needs before anybody can come |
//! | `port` `arrivals` `strangers` `answers` | who knocks, has to wait, is turned away, is told why |

mod answers;
mod arrivals;
mod attempt;
mod comeback;
mod diagnosis;
mod dialer;
mod endpoints;
mod invite;
mod port;
mod probe;
mod reach;
mod route;
mod sockets;
mod strangers;

pub use answers::Answers;
pub use arrivals::Arrivals;
pub use attempt::{Attempt, Transport, TransportError, Try};
pub use comeback::Comeback;
pub use diagnosis::{Diagnosis, Miss, Missed, Wanted};
pub use dialer::{ATTEMPT, Dialer, Worked};
pub use endpoints::{Endpoints, Network};
pub use invite::{invite, new_key};
pub use port::{Arrival, FirstWords, Greeting, Port};
pub use reach::{reach, try_each};
pub use route::{DEFAULT_PORT, Route, RouteError, Started, port_of};
pub use sockets::{Sockets, open_one_of, open_sockets};
pub use strangers::{Strangers, Why};
