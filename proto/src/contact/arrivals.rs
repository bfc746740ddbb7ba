//! Those who have come and have not proved themselves yet: few, and for a short time.

use std::collections::VecDeque;
use std::future::Future;
use std::net::IpAddr;

use tokio::task::{AbortHandle, JoinSet};

/// Peers that may be at it at the same time. The newest displaces the oldest, so that those who only
/// hold their place cannot keep the sender out.
const PLACES: usize = 64;

/// Of these, how many may have one address (for IPv6: one network of 64 bits).
const PLACES_FOR_ONE: usize = 16;

/// From how many on a newcomer has to show first that it has the address it writes from.
const CROWD: usize = 8;

/// Peers on their way to a greeting, which is a `T`.
#[derive(Debug)]
pub struct Arrivals<T> {
    greetings: JoinSet<T>,
    /// Who has a place, the oldest first.
    places: VecDeque<(IpAddr, AbortHandle)>,
}

impl<T> Default for Arrivals<T> {
    fn default() -> Arrivals<T> {
        Arrivals { greetings: JoinSet::new(), places: VecDeque::new() }
    }
}

impl<T: Send + 'static> Arrivals<T> {
    /// Whether a newcomer should be asked to show that it has its address.
    pub fn is_crowded(&self) -> bool {
        self.greetings.len() >= CROWD
    }

    /// Gives somebody a place, and lets `greeting` run. Whoever had to go for that is gone.
    pub fn admit(&mut self, from: IpAddr, greeting: impl Future<Output = T> + Send + 'static) {
        self.places.retain(|(_, place)| !place.is_finished());
        let (from, mut same) = (network(from), 0);
        for (index, (address, _)) in self.places.iter().enumerate().rev() {
            same += usize::from(*address == from);
            if same == PLACES_FOR_ONE {
                self.displace(index);
                break;
            }
        }
        if self.places.len() >= PLACES {
            self.displace(0);
        }
        let place = self.greetings.spawn(greeting);
        self.places.push_back((from, place));
    }

    /// The next greeting that is done; waits for ever while nobody is there.
    pub async fn next(&mut self) -> T {
        loop {
            match self.greetings.join_next().await {
                Some(Ok(greeting)) => return greeting,
                // Displaced.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Sends everybody away.
    pub async fn close(&mut self) {
        self.greetings.shutdown().await;
    }

    fn displace(&mut self, index: usize) {
        if let Some((_, place)) = self.places.remove(index) {
            place.abort();
        }
    }
}

/// What counts as one address: whoever has one of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> IpAddr {
        [10, 0, 0, n].into()
    }

    #[tokio::test]
    async fn the_newest_displaces_the_oldest() {
        let mut arrivals = Arrivals::default();
        for n in 0..PLACES as u8 {
            arrivals.admit(address(n), std::future::pending());
        }
        assert!(arrivals.is_crowded());
        arrivals.admit(address(200), async { "the sender" });
        assert_eq!(arrivals.next().await, "the sender");
        assert!(arrivals.places.len() <= PLACES);
    }

    #[tokio::test]
    async fn one_address_displaces_only_its_own() {
        let mut arrivals = Arrivals::default();
        arrivals.admit(address(1), std::future::pending::<()>());
        for _ in 0..PLACES {
            arrivals.admit(address(2), std::future::pending());
        }
        assert_eq!(arrivals.places.len(), 1 + PLACES_FOR_ONE);
        assert_eq!(arrivals.places[0].0, address(1));
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let network_of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::ffff:1"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
    }
}
