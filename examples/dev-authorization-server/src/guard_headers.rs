//! What every request must carry and every response says.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::server::{Settings, Shared};

/// Answers 403 to a request for any other host than this server.
///
/// A web page can make a browser resolve the page's own name to 127.0.0.1 (DNS rebinding); the browser then takes our pages for the
/// attacker's origin. The `Host` it sends still is the attacker's name.
pub(crate) async fn check_host(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if names_this_server(&shared.settings, request.headers()) {
        return next.run(request).await;
    }
    let text = format!(
        "this development authorization server answers only at {}\n",
        shared.settings.issuer.as_str()
    );
    (StatusCode::FORBIDDEN, text).into_response()
}

/// Tells whether the request's one `Host` is the issuer's or another loopback name, with the right port.
fn names_this_server(settings: &Settings, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(authority) = Authority::try_from(host.as_bytes()) else {
        return false;
    };
    let is_known_name = settings.issuer.host() == authority.host()
        || ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|name| authority.host().eq_ignore_ascii_case(name));
    is_known_name && !authority.as_str().contains('@') && authority.port_u16().unwrap_or(80) == settings.issuer.port()
}

/// Tells whether a POST comes from a page of this server, or from no page at all.
///
/// Browsers say where a form was sent from. Cookies cannot: `SameSite` ignores the port, so every other server on localhost is "same site".
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let says_same_origin = |name: &str, allowed: &dyn Fn(&str) -> bool| {
        headers
            .get_all(name)
            .iter()
            .all(|value| value.to_str().is_ok_and(allowed))
    };
    // The host was checked before, and it is the one the page was shown under.
    let own_origin = |origin: &str| {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| origin.strip_prefix("http://") == Some(host))
    };
    says_same_origin("sec-fetch-site", &|site| site == "same-origin") && says_same_origin("origin", &own_origin)
}

/// Adds the headers that every response has: nothing here may be kept, guessed at, or shown in a frame.
pub(crate) async fn add(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Other origins learn nothing. With `no-referrer` browsers would also hide the origin of our own form (`Origin: null`), which
        // `is_same_origin` needs.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
