//! Who may ask: a request must call the server by a name that it has, and come from its own page if it
//! comes from a page.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri};

use crate::serve::refusal::Refusal;

/// What a browser says of where a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";

/// The names by which the server may be called besides its addresses.
pub(super) struct Gate {
    names: Vec<(String, Option<u16>)>,
}

impl Gate {
    /// A gate that also lets these through, each `NAME` or `NAME:PORT`; an error is the one that is neither.
    pub(super) fn new(allowed: &[String]) -> Result<Self, String> {
        let name = |name: &String| match name.parse::<Authority>() {
            Ok(authority) if !name.contains('@') && is_whole(&authority) => {
                Ok((authority.host().to_ascii_lowercase(), authority.port_u16()))
            }
            _ => Err(name.clone()),
        };
        let names = allowed.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Gate { names })
    }

    /// Refuses what strangers' pages send. `local` is the address at which the request arrived.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        local: SocketAddr,
    ) -> Result<(), Refusal> {
        let host = host(uri, headers)?;
        if !self.is_allowed(&host, local) {
            let reason = format!(
                "this server is not called {host}; if it should be, start it with --allow-host {host}"
            );
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, reason));
        }
        if method.is_safe() || is_own_page(headers, &host) {
            return Ok(());
        }
        let reason = "the request comes from the page of another site, and is not answered";
        Err(Refusal::new(StatusCode::FORBIDDEN, reason))
    }

    fn is_allowed(&self, host: &Authority, local: SocketAddr) -> bool {
        let name = host.host().to_ascii_lowercase();
        let own_port = host.port_u16().unwrap_or(80) == local.port();
        let own_name = match address(&name) {
            Some(address) => address == local.ip().to_canonical(),
            None => name == "localhost" && local.ip().to_canonical().is_loopback(),
        };
        let allowed = |(allowed, port): &(String, Option<u16>)| {
            *allowed == name && (port.is_none() || *port == host.port_u16())
        };
        own_port && own_name || self.names.iter().any(allowed)
    }
}

/// The one name by which a request calls the server.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Authority, Refusal> {
    let refused = |reason: &str| Refusal::new(StatusCode::BAD_REQUEST, reason);
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(refused("a request has one Host header"));
    };
    let host = host.to_str().ok().and_then(|host| host.parse().ok());
    let host: Authority = host
        .filter(is_whole)
        .ok_or_else(|| refused("the Host header is no name of a host"))?;
    match uri.authority() {
        Some(other) if *other != host => Err(refused("the address and the Host header disagree")),
        _ => Ok(host),
    }
}

/// A name and perhaps a port, and no more.
fn is_whole(authority: &Authority) -> bool {
    let port = match authority.port() {
        Some(port) => port.as_str().len() + 1,
        None => 0,
    };
    let whole = authority.as_str().len() == authority.host().len() + port;
    whole && !authority.host().is_empty() && (port == 0 || authority.port_u16().is_some())
}

/// The address that a name is, if it is one.
fn address(name: &str) -> Option<IpAddr> {
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(name).parse().ok()?;
    (address.is_ipv6() == bare.is_some()).then(|| address.to_canonical())
}

/// Whether a request comes from no page, as a program's, or from a page of this host.
fn is_own_page(headers: &HeaderMap, host: &Authority) -> bool {
    let own_site = match headers.get(FETCH_SITE) {
        Some(site) => ["same-origin", "none"].iter().any(|own| site == own),
        None => true,
    };
    let mut origins = headers.get_all(ORIGIN).iter();
    let own_origin = match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| {
            let authority = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
        }),
        _ => false,
    };
    own_site && own_origin
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn said(allowed: &[&str], local: &str, host: &str, more: &[(&str, &str)]) -> Option<u16> {
        let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_string()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        for (name, value) in more {
            let name: axum::http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let gate = Gate::new(&allowed).unwrap();
        let uri = Uri::from_static("/predict");
        let checked = gate.check(&Method::POST, &uri, &headers, local.parse().unwrap());
        checked.err().map(|refusal| refusal.status().as_u16())
    }

    const LOOPBACK: &str = "127.0.0.1:8047";

    #[test]
    fn loopback_is_called_by_its_names_with_its_port() {
        for host in ["127.0.0.1:8047", "localhost:8047", "LocalHost:8047"] {
            assert_eq!(said(&[], LOOPBACK, host, &[]), None, "{host}");
        }
        assert_eq!(said(&[], "[::1]:8047", "[::1]:8047", &[]), None);
        assert_eq!(
            said(&[], "[::ffff:127.0.0.1]:8047", "127.0.0.1:8047", &[]),
            None
        );
        assert_eq!(said(&[], "127.0.0.1:80", "localhost", &[]), None);
        for host in [
            "evil.example:8047",
            "localhost",
            "localhost:8048",
            "127.0.0.1",
            "127.0.0.2:8047",
            "127.1:8047",
            "2130706433:8047",
            "localhost.evil.example:8047",
            "localhost.:8047",
            "[::1]:8047",
        ] {
            assert_eq!(said(&[], LOOPBACK, host, &[]), Some(421), "{host}");
        }
        for host in [
            "",
            "user@localhost:8047",
            "localhost:8047/",
            "localhost:99999",
            "a b",
        ] {
            assert_eq!(said(&[], LOOPBACK, host, &[]), Some(400), "{host}");
        }
    }

    #[test]
    fn elsewhere_it_is_called_by_the_address_at_which_the_request_came() {
        let local = "192.0.2.7:8047";
        assert_eq!(said(&[], local, "192.0.2.7:8047", &[]), None);
        assert_eq!(said(&[], local, "localhost:8047", &[]), Some(421));
        assert_eq!(said(&[], local, "192.0.2.8:8047", &[]), Some(421));
    }

    #[test]
    fn names_that_were_allowed_pass_with_their_port_or_any() {
        let allowed = ["faces.example", "Other.example:9000"];
        for host in ["faces.example", "faces.example:9", "other.example:9000"] {
            assert_eq!(said(&allowed, LOOPBACK, host, &[]), None, "{host}");
        }
        for host in ["other.example", "other.example:1", "a.faces.example"] {
            assert_eq!(said(&allowed, LOOPBACK, host, &[]), Some(421), "{host}");
        }
        for wrong in ["", "http://a", "a/b", "user@a", "a:port", "a:99999"] {
            assert!(Gate::new(&[wrong.to_string()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused_and_programs_are_not() {
        let host = "localhost:8047";
        let own = [
            ("origin", "http://localhost:8047"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(said(&[], LOOPBACK, host, &own), None);
        assert_eq!(
            said(&[], LOOPBACK, host, &[("sec-fetch-site", "none")]),
            None
        );
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://localhost",
            "http://localhost:8048",
            "http://127.0.0.1:8047",
            "file://localhost:8047",
            "http://localhost:8047/",
        ] {
            assert_eq!(
                said(&[], LOOPBACK, host, &[("origin", origin)]),
                Some(403),
                "{origin}"
            );
        }
        for site in ["cross-site", "same-site", "unheard-of"] {
            assert_eq!(
                said(&[], LOOPBACK, host, &[("sec-fetch-site", site)]),
                Some(403),
                "{site}"
            );
        }
        let two = [
            ("origin", "http://localhost:8047"),
            ("origin", "http://evil.example"),
        ];
        assert_eq!(said(&[], LOOPBACK, host, &two), Some(403));
    }

    #[test]
    fn a_request_with_two_hosts_or_none_or_another_in_its_address_is_refused() {
        let gate = Gate::new(&[]).unwrap();
        let local = LOOPBACK.parse().unwrap();
        let refused = |uri: &str, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            let uri: Uri = uri.parse().unwrap();
            let checked = gate.check(&Method::GET, &uri, &headers, local);
            checked.err().map(|refusal| refusal.status().as_u16())
        };
        assert_eq!(refused("/", &["localhost:8047"]), None);
        assert_eq!(refused("http://localhost:8047/", &["localhost:8047"]), None);
        assert_eq!(refused("/", &[]), Some(400));
        assert_eq!(
            refused("/", &["localhost:8047", "localhost:8047"]),
            Some(400)
        );
        assert_eq!(
            refused("http://evil.example/", &["localhost:8047"]),
            Some(400)
        );
    }
}
