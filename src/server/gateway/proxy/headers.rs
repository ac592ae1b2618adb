//! What of a message's headers goes on to the next hop, in either direction.

use std::net::IpAddr;

use axum::http::header::{
    CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::{Authority, Scheme};

use crate::registry::mlflow::{DECIDING, named_by_connection};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Meant for one hop only (RFC 9110, section 7.6.1), besides what `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    PROXY_CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What a client could claim about where it is. MLflow lets requests that come from its own
/// machine start programs there, and believes these headers when they reach it from loopback,
/// which is where a gateway often runs: only what the gateway itself sees may arrive.
const CLAIMS: [HeaderName; 7] = [
    FORWARDED,
    FORWARDED_FOR,
    FORWARDED_HOST,
    FORWARDED_PROTO,
    FORWARDED_PORT,
    FORWARDED_PREFIX,
    REAL_IP,
];

/// What the gateway knows of a request apart from its headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    /// Address of the client; none when it is not known.
    pub(super) peer: Option<IpAddr>,
    /// Whether it came over TLS.
    pub(super) tls: bool,
    /// The authority of the request's target; HTTP/2 has it there instead of in `Host`.
    pub(super) authority: Option<&'a Authority>,
}

/// Rewrites a request's headers for MLflow. `Host` stays: MLflow holds it against its own list of
/// allowed hosts, which a rewritten one would always pass.
pub(super) fn prepare_request(headers: &mut HeaderMap, arrival: Arrival<'_>) {
    remove_hop_by_hop(headers);
    for name in CLAIMS {
        headers.remove(name);
    }
    // Answered here: the client hears `100 Continue` when the gateway begins to read the body.
    headers.remove(EXPECT);
    remove_underscores(headers);
    join_cookies(headers);
    if let Some(authority) = arrival.authority
        && let Ok(host) = HeaderValue::from_str(without_user(authority.as_str()))
    {
        headers.insert(HOST, host);
    }
    // Never empty, or MLflow would take the gateway itself for the client.
    let peer = arrival.peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
    if let Ok(peer) = HeaderValue::from_str(&peer) {
        headers.insert(FORWARDED_FOR, peer);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
    let scheme = if arrival.tls { Scheme::HTTPS } else { Scheme::HTTP };
    if let Ok(scheme) = HeaderValue::from_str(scheme.as_str()) {
        headers.insert(FORWARDED_PROTO, scheme);
    }
}

/// Removes what concerns the connection that a message came by.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        // A client could have some taken away to make the gateway and MLflow disagree.
        let named: Vec<HeaderName> = named_by_connection(headers)
            .filter_map(|name| name.parse().ok())
            .filter(|name| !DECIDING.contains(name))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Python's gateway interface makes `X_Real_Ip` and `X-Real-Ip` one variable, so that a name with
/// an underscore would overrule a header that the gateway sets or has looked at.
fn remove_underscores(headers: &mut HeaderMap) {
    if headers.keys().any(|name| name.as_str().contains('_')) {
        let names: Vec<HeaderName> =
            headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
        for name in names {
            headers.remove(name);
        }
    }
}

/// HTTP/2 may send each cookie by itself; HTTP/1.1 has one header (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    if let (Some(first), Some(second)) = (cookies.next(), cookies.next()) {
        let mut joined = first.as_bytes().to_vec();
        for cookie in [second].into_iter().chain(cookies) {
            joined.extend_from_slice(b"; ");
            joined.extend_from_slice(cookie.as_bytes());
        }
        if let Ok(joined) = HeaderValue::from_bytes(&joined) {
            headers.insert(COOKIE, joined);
        }
    }
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::header::CONTENT_LENGTH;

    use super::*;

    const ARRIVAL: Arrival<'_> = Arrival {
        peer: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
        tls: false,
        authority: None,
    };

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn prepared(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = headers(lines);
        prepare_request(&mut headers, ARRIVAL);
        headers
    }

    #[test]
    fn headers_that_connection_names_are_removed_with_it() {
        let headers = prepared(&[
            ("connection", "close, X-Secret-Hop"),
            ("connection", "x-other"),
            ("x-secret-hop", "1"),
            ("x-other", "2"),
            ("x-kept", "3"),
        ]);
        assert_eq!(headers.get("x-kept").unwrap(), "3");
        for gone in ["connection", "x-secret-hop", "x-other"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn connection_cannot_take_away_what_is_judged_by() {
        let headers = prepared(&[
            ("connection", "content-length, host, X-MLflow-Workspace, authorization"),
            ("content-length", "4"),
            ("host", "models.example"),
            ("x-mlflow-workspace", "team-a"),
            ("authorization", "Basic YW5uOng="),
        ]);
        for kept in ["x-mlflow-workspace", "authorization"] {
            assert!(headers.contains_key(kept), "{kept}");
        }
        assert_eq!(headers.get(CONTENT_LENGTH).unwrap(), "4");
        assert_eq!(headers.get(HOST).unwrap(), "models.example");
    }

    #[test]
    fn a_client_cannot_say_where_it_is() {
        let headers = prepared(&[
            ("x-forwarded-for", "127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
            ("x_forwarded_for", "127.0.0.1"),
            ("host", "models.example"),
        ]);
        assert_eq!(headers.get(FORWARDED_FOR).unwrap(), "192.0.2.7");
        assert_eq!(headers.get_all(FORWARDED_FOR).iter().count(), 1);
        assert_eq!(headers.get(FORWARDED_HOST).unwrap(), "models.example");
        assert_eq!(headers.get(FORWARDED_PROTO).unwrap(), "http");
        for gone in ["x-real-ip", "forwarded", "x_forwarded_for"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn a_client_of_unknown_address_is_not_taken_for_the_gateway() {
        let mut headers = HeaderMap::new();
        prepare_request(&mut headers, Arrival { peer: None, ..ARRIVAL });
        assert_eq!(headers.get(FORWARDED_FOR).unwrap(), "unknown");
    }

    #[test]
    fn cookies_sent_one_by_one_arrive_as_one_header() {
        let headers = prepared(&[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]);
        let cookies: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
    }

    #[test]
    fn the_host_of_http2_becomes_a_header_without_a_user() {
        let authority: Authority = "someone@models.example:8443".parse().unwrap();
        let mut headers = HeaderMap::new();
        prepare_request(
            &mut headers,
            Arrival { authority: Some(&authority), tls: true, ..ARRIVAL },
        );
        assert_eq!(headers.get(HOST).unwrap(), "models.example:8443");
        assert_eq!(headers.get(FORWARDED_PROTO).unwrap(), "https");
    }
}
