//! The route to a peer, and what it decides about the datagrams of a connection.
//!
//! One system call may hand over ten datagrams, as long as they do not exceed 64 KiB together. Beyond that the
//! kernel refuses all of them, which looks like a path that has become too narrow for any. So datagrams are either
//! small enough for that, or they go one by one and are as large as can be, which only pays within a host.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use quinn::{MtuDiscoveryConfig, TransportConfig};
use rustix::net::sockopt;

/// The longest datagram of which ten go into one system call, in bytes of UDP payload.
const LONGEST_OF_TEN: u16 = 6_500;

/// Every path carries this much, in bytes of UDP payload (RFC 9000, section 14), and every connection starts with it: what
/// the first hop carries says little about the ones behind it.
const SMALLEST: u16 = 1_200;

/// The search ends when it would gain less than this on a network, in bytes: 2 % of the smallest datagram.
const NETWORK_STEP: u16 = 20;

/// The same within a host, where every step is a chance to stay far below.
const HOST_STEP: u16 = 1_000;

/// When a path is searched again for what it has come to carry. Within a host all that can have kept a search from its
/// aim is a full socket.
const NETWORK_PAUSE: Duration = Duration::from_secs(60);
const HOST_PAUSE: Duration = Duration::from_secs(1);

/// How long a path that has become too narrow is left alone. Several losses in a row look the same.
const NETWORK_COOLDOWN: Duration = Duration::from_secs(5);
const HOST_COOLDOWN: Duration = Duration::from_millis(100);

/// Where packets to a peer go first. Sizes are the longest datagram that passes there, in bytes of UDP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The peer is on this host.
    WithinHost(u16),
    /// Over a network, of which the first hop is known.
    OverNetwork(u16),
}

/// Finds the route to a peer, from an address of this host if that is given.
pub type FindRoute = fn(peer: SocketAddr, from: Option<IpAddr>) -> Route;

impl Route {
    /// What is assumed when nothing is known: Ethernet and IPv6.
    pub const UNKNOWN: Route = Route::OverNetwork(1_500 - HEADERS_V6);

    /// Asks the system.
    pub fn find(peer: SocketAddr, from: Option<IpAddr>) -> Route {
        look_up(peer, from).unwrap_or(Route::UNKNOWN)
    }

    /// Sets what depends on the route.
    pub(super) fn tune(self, transport: &mut TransportConfig) {
        transport
            .initial_mtu(SMALLEST)
            .enable_segmentation_offload(matches!(self, Route::OverNetwork(_)))
            .mtu_discovery_config(Some(self.discovery()));
    }

    /// What may be on its way before anything is known of the path, in bytes. A search within a host begins with a datagram
    /// longer than the window of RFC 9002, section 7.2, and nothing else would leave before that has arrived.
    pub(super) fn initial_window(self) -> u64 {
        match self {
            Route::WithinHost(longest) => 4 * u64::from(longest),
            Route::OverNetwork(_) => 14_720,
        }
    }

    fn discovery(self) -> MtuDiscoveryConfig {
        let (step, pause, cooldown) = match self {
            Route::WithinHost(_) => (HOST_STEP, HOST_PAUSE, HOST_COOLDOWN),
            Route::OverNetwork(_) => (NETWORK_STEP, NETWORK_PAUSE, NETWORK_COOLDOWN),
        };
        let mut discovery = MtuDiscoveryConfig::default();
        discovery.upper_bound(self.longest()).minimum_change(step).interval(pause).black_hole_cooldown(cooldown);
        discovery
    }

    /// The longest datagram worth trying, in bytes of UDP payload.
    fn longest(self) -> u16 {
        match self {
            Route::WithinHost(longest) => longest.max(SMALLEST),
            Route::OverNetwork(longest) => longest.clamp(SMALLEST, LONGEST_OF_TEN),
        }
    }

    /// The route of packets between two addresses whose first hop has this MTU, in bytes with all headers.
    fn between(local: IpAddr, peer: IpAddr, mtu: u32) -> Route {
        let headers = if peer.is_ipv4() { HEADERS_V4 } else { HEADERS_V6 };
        // A loopback interface has 65,536, which no length field of IPv4 can say.
        let longest = u16::try_from(mtu).unwrap_or(u16::MAX).saturating_sub(headers);
        match peer.is_loopback() || local == peer {
            true => Route::WithinHost(longest),
            false => Route::OverNetwork(longest),
        }
    }
}

/// Bytes of the IP and UDP headers.
const HEADERS_V4: u16 = 20 + 8;
const HEADERS_V6: u16 = 40 + 8;

/// Connects a socket, which sends nothing, and looks at what the system has chosen.
fn look_up(peer: SocketAddr, from: Option<IpAddr>) -> io::Result<Route> {
    let peer = match peer.ip().to_canonical() {
        IpAddr::V4(v4) => (v4, peer.port()).into(),
        // It may be valid on one interface only, which it names.
        IpAddr::V6(_) => peer,
    };
    let unspecified = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let from = from.map(|from| from.to_canonical()).filter(|from| from.is_ipv4() == peer.is_ipv4());
    let probe = UdpSocket::bind((from.unwrap_or(unspecified), 0))?;
    probe.connect(peer)?;
    let mtu = if peer.is_ipv4() { sockopt::ip_mtu(&probe)? } else { sockopt::ipv6_mtu(&probe)? };
    Ok(Route::between(probe.local_addr()?.ip(), peer.ip(), mtu))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(local: &str, peer: &str, mtu: u32) -> Route {
        Route::between(local.parse().expect("an address"), peer.parse().expect("an address"), mtu)
    }

    #[test]
    fn a_peer_with_an_address_of_ours_is_on_this_host() {
        assert_eq!(between("127.0.0.1", "127.0.0.1", 65_536), Route::WithinHost(65_507));
        assert_eq!(between("127.0.0.1", "127.9.9.9", 65_536), Route::WithinHost(65_507));
        assert_eq!(between("::1", "::1", 65_536), Route::WithinHost(65_487));
        assert_eq!(between("192.0.2.1", "192.0.2.1", 65_536), Route::WithinHost(65_507));
        assert_eq!(between("192.0.2.1", "192.0.2.1", 16_384), Route::WithinHost(16_356));
        assert_eq!(between("192.0.2.1", "192.0.2.2", 1_500), Route::OverNetwork(1_472));
        assert_eq!(between("2001:db8::1", "2001:db8::2", 9_000), Route::OverNetwork(8_952));
    }

    #[test]
    fn no_ten_datagrams_of_a_network_exceed_what_one_call_takes() {
        for mtu in [68, 1_280, 1_500, 9_000, 65_535, 1 << 20] {
            let longest = between("192.0.2.1", "192.0.2.2", mtu).longest();
            assert!(longest >= SMALLEST && 10 * u32::from(longest) < 65_507, "{mtu}: {longest}");
        }
        assert_eq!(between("192.0.2.1", "192.0.2.2", 1_500).longest(), 1_472);
        assert_eq!(between("::1", "::1", 65_536).longest(), 65_487);
    }

    #[test]
    fn a_search_leaves_room_for_what_else_is_to_be_said() {
        for route in [Route::WithinHost(65_507), Route::OverNetwork(8_972), Route::UNKNOWN] {
            let first = (u64::from(SMALLEST) + u64::from(route.longest())) / 2;
            assert!(first + 4 * u64::from(SMALLEST) <= route.initial_window(), "{route:?}");
        }
    }

    #[test]
    fn the_loopback_of_this_host_is_recognised() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let peer = socket.local_addr().expect("an address");
        let mapped = (Ipv4Addr::LOCALHOST.to_ipv6_mapped(), peer.port()).into();
        for (peer, from) in [(peer, None), (mapped, None), (peer, Some(peer.ip())), (mapped, Some(mapped.ip()))] {
            let route = Route::find(peer, from);
            assert!(matches!(route, Route::WithinHost(longest) if longest > 10_000), "{peer} from {from:?}: {route:?}");
        }
    }

    #[test]
    fn an_address_that_nothing_leads_from_is_assumed_to_be_on_a_network() {
        let (peer, elsewhere) = (([127, 0, 0, 1], 9).into(), [192, 0, 2, 1].into());
        assert_eq!(Route::find(peer, Some(elsewhere)), Route::UNKNOWN);
    }
}
