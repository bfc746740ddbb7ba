//! The transport parameters of a link, and why they are what they are.
//!
//! Flow control never holds a transfer back below the session's window: all of it is granted as soon as the peer is
//! trusted, a stream may carry a whole block at once, and there are streams for blocks far smaller than usual.
//! So nothing has to grow with the path. What is under way is what [`Congestion`] finds that the path holds, up
//! to the window; a path that holds more (bandwidth times round trip) needs a larger `--window`.

use std::sync::Arc;
use std::time::Duration;

use quinn::{IdleTimeout, TransportConfig, VarInt};

use super::{Congestion, FindRoute, Route};
use crate::failure::Party;
use crate::lane::MAX_BLOCK;
use crate::link::{Connection, Room};
use crate::liveness::Liveness;
use crate::quantity::Rate;
use crate::throttle;

/// One block's stream carries at least this much when the window is used well; it bounds how many
/// streams can be open. quinn's default of 100 would cap small blocks.
const TYPICAL_BLOCK: u64 = 64 << 10;

/// Room for headers and control messages beside a window of blocks, in bytes: else these would wait for those.
const CONTROL_ROOM: u64 = 1 << 20;

/// What a stranger may send before it has proved the key, in bytes.
const STRANGERS_WINDOW: u32 = 64 << 10;

/// What decides the transport parameters.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// The session's window in bytes.
    pub window: u64,
    /// When a silent peer is taken for lost.
    pub liveness: Liveness,
    /// What decides how much may be under way on the path.
    pub congestion: Congestion,
    /// How the route to a peer is found: [`Route::find`], where there is a system to ask.
    pub find_route: FindRoute,
}

impl Tuning {
    /// For a connection over `route` whose peer has not proved anything yet: it may open the control stream
    /// and no other.
    pub(super) fn transport(&self, route: Route) -> Arc<TransportConfig> {
        let mut config = TransportConfig::default();
        route.tune(&mut config);
        let idle = self.liveness.idle_timeout();
        config
            .max_idle_timeout(IdleTimeout::try_from(idle).ok())
            // Heart-beats do it once there is a session; this is for those who wait to be served.
            .keep_alive_interval(Some(idle / 3))
            .max_concurrent_bidi_streams(VarInt::from_u32(1))
            .max_concurrent_uni_streams(VarInt::from_u32(0))
            .stream_receive_window(VarInt::from_u32(2 * MAX_BLOCK as u32))
            .receive_window(VarInt::from_u32(STRANGERS_WINDOW))
            .send_window(self.send_window(None, Duration::ZERO))
            // Blocks leave one after another, the oldest first.
            .send_fairness(false)
            .congestion_controller_factory(self.congestion.factory(route.initial_window()))
            .datagram_receive_buffer_size(None);
        Arc::new(config)
    }

    /// Opens up to a peer whose session is served by this side, as `role`. Only a receiver has more to
    /// hear than control messages.
    pub fn trust(&self, connection: &Connection, role: Party) {
        if role == Party::Receiver {
            connection.let_send(self.room());
        }
    }

    /// What a trusted sender may have under way.
    pub fn room(&self) -> Room {
        Room { blocks: (self.window / TYPICAL_BLOCK).max(16), bytes: self.window }
    }

    /// How many bytes the connection may take from us and not have acknowledged. Under a limit of `rate`
    /// that is little, so that a stall of the network leaves no burst behind it.
    pub fn send_window(&self, rate: Option<Rate>, rtt: Duration) -> u64 {
        match rate {
            Some(rate) => throttle::send_window(rate, rtt).min(self.window),
            None => self.window + CONTROL_ROOM,
        }
    }
}
