//! Which congestion controller a connection has, and [`crate::congestion`] as quinn wants it.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::congestion::{BbrConfig, Controller, ControllerFactory, CubicConfig};
use quinn_proto::RttEstimator;

use crate::congestion::round::Supply;
use crate::congestion::{Ack, Model};

/// What decides how much may be under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Congestion {
    /// The model of [`crate::congestion`]: what the path delivers, and how long it is.
    #[default]
    Model,
    /// quinn's CUBIC, which takes every loss for a full queue (RFC 9438).
    Cubic,
    /// quinn's BBR, of the first version.
    Bbr,
}

impl Congestion {
    /// What makes the controllers of a connection's paths, on which `window` bytes may be under way before anything is
    /// known.
    pub(super) fn factory(self, window: u64) -> Arc<dyn ControllerFactory + Send + Sync> {
        match self {
            Congestion::Model => Arc::new(ModelFactory { window }),
            Congestion::Cubic => {
                let mut config = CubicConfig::default();
                config.initial_window(window);
                Arc::new(config)
            }
            Congestion::Bbr => {
                let mut config = BbrConfig::default();
                config.initial_window(window.max(BBR_FIRST_WINDOW));
                Arc::new(config)
            }
        }
    }
}

/// What quinn's BBR begins with of itself, in bytes.
const BBR_FIRST_WINDOW: u64 = 240_000;

/// Makes a model that knows nothing yet for every new path.
struct ModelFactory {
    window: u64,
}

impl ControllerFactory for ModelFactory {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let model = Model::beginning_with(self.window, mtu);
        Box::new(ModelController { start: now, first_window: model.window(), model, acked: None })
    }
}

#[derive(Clone, Debug)]
struct ModelController {
    /// Where the model's time begins.
    start: Instant,
    first_window: u64,
    model: Model,
    /// What quinn has told of the batch of acknowledgements that it is at.
    acked: Option<Acked>,
}

#[derive(Clone, Copy, Debug)]
struct Acked {
    sent: Instant,
    bytes: u64,
}

impl ModelController {
    fn time(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }
}

impl Controller for ModelController {
    fn on_ack(&mut self, _: Instant, sent: Instant, bytes: u64, _: bool, _: &RttEstimator) {
        let acked = self.acked.get_or_insert(Acked { sent, bytes: 0 });
        acked.sent = acked.sent.max(sent);
        acked.bytes += bytes;
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, _: Option<u64>) {
        // Packets of an earlier path, or that only acknowledged.
        let Some(Acked { sent, bytes }) = self.acked.take() else { return };
        let supply = if app_limited { Supply::Short } else { Supply::Ample };
        self.model.acked(&Ack { now: self.time(now), sent: self.time(sent), bytes, in_flight, supply });
    }

    fn on_congestion_event(&mut self, _: Instant, _: Instant, is_persistent_congestion: bool, lost_bytes: u64) {
        match (is_persistent_congestion, lost_bytes) {
            (true, _) => self.model.collapsed(),
            (false, 0) => self.model.marked(),
            (false, lost) => self.model.lost(lost),
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.model.set_mtu(new_mtu);
    }

    fn window(&self) -> u64 {
        self.model.window()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.first_window
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
