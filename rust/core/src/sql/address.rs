//! From an instance's name to addresses: the operator's map first, then the resolver, then the browser service.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::{timeout_at, Instant};

use crate::document::AddressMapEntry;
use crate::error::{Error, ErrorKind, Result};
use crate::names::{shown, InstanceName};
use crate::sql::browser;

const DEFAULT_PORT: u16 = 1433;

/// Where an instance is to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// All of the name's addresses, with one port.
    pub(super) addresses: Vec<SocketAddr>,
    /// True where the port was given, mapped or told by the browser service; false where 1433 was assumed.
    pub(super) port_is_certain: bool,
}

/// The operator's names and addresses; names count without regard to case.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressMap(Vec<(String, IpAddr, Option<u16>)>);

impl AddressMap {
    /// # Errors
    /// `InvalidValue` (1002) for an address that is neither `ip` nor `ip:port`, or an empty name.
    pub(super) fn new(entries: &[AddressMapEntry]) -> Result<AddressMap> {
        let mut map = Vec::with_capacity(entries.len());
        for entry in entries {
            let (name, address) = (entry.name.trim(), entry.address.trim());
            let parsed = match (address.parse::<IpAddr>(), address.parse::<SocketAddr>()) {
                (Ok(ip), _) => Some((ip, None)),
                (_, Ok(socket)) if socket.port() != 0 => Some((socket.ip(), Some(socket.port()))),
                _ => None,
            };
            match parsed {
                Some((ip, port)) if !name.is_empty() => map.push((name.to_lowercase(), ip, port)),
                _ => {
                    let pair = format!("{}={}", shown(name), shown(address));
                    return Err(Error::new(
                        ErrorKind::InvalidValue,
                        format!("`{pair}` is no entry of an address map."),
                    )
                    .with_next("Write the name of a host or instance and its IP address, or `address:port`.")
                    .with_target(pair));
                }
            }
        }
        Ok(AddressMap(map))
    }

    fn find(&self, name: &str) -> Option<(IpAddr, Option<u16>)> {
        let name = name.to_lowercase();
        self.0.iter().find(|(known, _, _)| *known == name).map(|(_, ip, port)| (*ip, *port))
    }

    /// The mapped address and port: an entry for the whole name goes before one for the host, and a port in the name
    /// before the port of the host's entry.
    pub(super) fn lookup(&self, name: &InstanceName) -> Option<(IpAddr, Option<u16>)> {
        let whole = name.to_string();
        if whole != name.host {
            if let Some((ip, port)) = self.find(&whole) {
                return Some((ip, port.or(name.port)));
            }
        }
        self.find(&name.host).map(|(ip, port)| (ip, name.port.or(port)))
    }
}

/// Finds out where to connect, all of it before `end`.
///
/// # Errors
/// `NameNotResolved` (2001), `InstanceNotFound` (2004).
pub(super) async fn route(map: &AddressMap, name: &InstanceName, end: Instant) -> Result<Route> {
    let (hosts, port) = match map.lookup(name) {
        Some((ip, port)) => (vec![ip], port),
        None => (resolve(name, end).await?, name.port),
    };
    let (port, port_is_certain) = match (port, &name.instance) {
        (Some(port), _) => (port, true),
        (None, Some(_)) => (ask_browser(name, &hosts, end).await?, true),
        (None, None) => (DEFAULT_PORT, false),
    };
    Ok(Route { addresses: hosts.into_iter().map(|ip| SocketAddr::new(ip, port)).collect(), port_is_certain })
}

async fn resolve(name: &InstanceName, end: Instant) -> Result<Vec<IpAddr>> {
    let why = match timeout_at(end, tokio::net::lookup_host((name.host.as_str(), 0))).await {
        Ok(Ok(found)) => {
            let mut hosts: Vec<IpAddr> = Vec::new();
            for address in found {
                if !hosts.contains(&address.ip()) {
                    hosts.push(address.ip());
                }
            }
            if !hosts.is_empty() {
                return Ok(hosts);
            }
            "it has no address".to_string()
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the resolver did not answer within the limit".to_string(),
    };
    Err(Error::new(ErrorKind::NameNotResolved, format!("{name}: the name `{}` does not resolve: {why}.", name.host))
        .with_unchanged("Nothing was changed.")
        .with_next(format!("Check the name, or give its address: `-AddressMap @{{'{}'='10.0.0.1'}}`.", name.host))
        .with_target(name.to_string()))
}

/// Asks at every address of the host; the first answer counts.
async fn ask_browser(name: &InstanceName, hosts: &[IpAddr], end: Instant) -> Result<u16> {
    // Some of the limit is kept for the connection itself.
    let limit = end.saturating_duration_since(Instant::now()).mul_f32(0.7).max(Duration::from_millis(100));
    let asked = hosts.iter().map(|host| Box::pin(browser::port_of(name, *host, limit)));
    futures_util::future::select_ok(asked).await.map(|(port, _)| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> Result<AddressMap> {
        let entries: Vec<AddressMapEntry> =
            entries.iter().map(|(n, a)| AddressMapEntry { name: n.to_string(), address: a.to_string() }).collect();
        AddressMap::new(&entries)
    }

    async fn routed(map: &AddressMap, name: &str) -> (String, bool) {
        let route = route(map, &name.parse().unwrap(), Instant::now() + Duration::from_secs(5)).await.unwrap();
        (route.addresses[0].to_string(), route.port_is_certain)
    }

    #[tokio::test]
    async fn the_map_goes_before_every_look_up() {
        let map =
            map(&[("B", "127.1.2.3"), ("b\\rtc", "127.1.2.4:9000"), ("C", "127.1.2.5:9001"), ("D,1500", "[::1]:7")])
                .unwrap();
        assert_eq!(routed(&map, "b").await, ("127.1.2.3:1433".into(), false));
        assert_eq!(routed(&map, "B,1500").await, ("127.1.2.3:1500".into(), true));
        assert_eq!(routed(&map, "B\\RTC").await, ("127.1.2.4:9000".into(), true));
        assert_eq!(routed(&map, "c\\any").await, ("127.1.2.5:9001".into(), true));
        assert_eq!(routed(&map, "C,1500").await, ("127.1.2.5:1500".into(), true));
        assert_eq!(routed(&map, "D,1500").await, ("[::1]:7".into(), true));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_bad_input() {
        for entry in [("B", "elsewhere"), ("B", "10.0.0.1:0"), ("B", "10.0.0.1:70000"), ("", "10.0.0.1"), ("B", "")] {
            assert_eq!(map(&[entry]).unwrap_err().kind, ErrorKind::InvalidValue, "{entry:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_says_so() {
        let error = route(
            &AddressMap::default(),
            &"no-such-host.invalid".parse().unwrap(),
            Instant::now() + Duration::from_secs(5),
        )
        .await
        .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NameNotResolved);
    }
}
