//! How two hosts meet: one listens at a port, the other dials; which of them sends is another matter.
//!
//! | module | owns |
//! |---|---|
//! | `route` | from `HOST:PORT` to addresses |
//! | `dialer` `reach` `comeback` | one attempt; attempts until one answers; attempts after a link was lost |
//! | `invite` | what a listener needs before anybody can come |
//! | `port` `arrivals` `strangers` `answers` | who knocks, has to wait, is turned away, is told why |

mod answers;
mod arrivals;
mod comeback;
mod dialer;
mod invite;
mod port;
mod reach;
mod route;
mod strangers;

pub use answers::Answers;
pub use arrivals::Arrivals;
pub use comeback::Comeback;
pub use dialer::{ATTEMPT, Dialer};
pub use invite::{invite, new_key, open_one_of, open_socket};
pub use port::{Arrival, FirstWords, Greeting, Port, close, listen};
pub use reach::{Miss, reach, try_each};
pub use route::{DEFAULT_PORT, Route, RouteError, Started, port_of};
pub use strangers::{Strangers, Why};
