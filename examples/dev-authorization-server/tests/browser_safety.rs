//! What keeps other sites and other browsers from signing somebody in.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use common::{REDIRECT_URI, returned, start};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn denying_tells_the_client_so() {
    let server = start().await;
    let client_id = server.client().await;
    let page = server.page(&client_id, &[]).await;
    let answer = returned(&server.form(&page, "alice", "deny").send().await.unwrap());
    assert_eq!(answer["error"], "access_denied");
    assert_eq!((answer["state"].as_str(), &answer["iss"]), ("state-1", &server.issuer));
    assert!(!answer.contains_key("code"));
}

#[tokio::test]
async fn the_form_is_refused_unless_this_browser_sends_it_from_our_own_page() {
    let server = start().await;
    let client_id = server.client().await;
    let other_browser = server.page(&client_id, &[]).await;
    let page = server.page(&client_id, &[]).await;
    let name = page.cookie.split_once('=').unwrap().0;
    let others_value = format!("{name}={}", other_browser.cookie.split_once('=').unwrap().1);
    let other_port = server.issuer.replace("localhost:", "localhost:1");
    for (header, value, status) in [
        ("cookie", "", 400),
        ("cookie", other_browser.cookie.as_str(), 400),
        ("cookie", others_value.as_str(), 400),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "none", 403),
        ("origin", "https://evil.example", 403),
        ("origin", other_port.as_str(), 403),
        ("origin", "null", 403),
    ] {
        let mut request = server.form(&page, "alice", "allow").build().unwrap();
        request.headers_mut().insert(header, value.parse().unwrap());
        let response = server.http.execute(request).await.unwrap();
        assert_eq!(response.status(), status, "{header}: {value}");
        assert!(response.headers().get("location").is_none());
    }
    // None of that used the form up for the right browser, which can send it once.
    let form = || server.form(&page, "alice", "allow").send();
    assert!(returned(&form().await.unwrap()).contains_key("code"));
    assert_eq!(form().await.unwrap().status(), 400);
}

#[tokio::test]
async fn two_tabs_can_sign_in_side_by_side() {
    let server = start().await;
    let client_id = server.client().await;
    let (one, two) = (server.page(&client_id, &[]).await, server.page(&client_id, &[]).await);
    let both = format!("{}; {}", one.cookie, two.cookie);
    for page in [one, two] {
        let mut request = server.form(&page, "alice", "allow").build().unwrap();
        request.headers_mut().insert("cookie", both.parse().unwrap());
        assert!(returned(&server.http.execute(request).await.unwrap()).contains_key("code"));
    }
}

#[tokio::test]
async fn a_made_up_user_is_refused() {
    let server = start().await;
    let client_id = server.client().await;
    let page = server.page(&client_id, &[]).await;
    assert_eq!(server.form(&page, "root", "allow").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn the_page_shows_what_one_consents_to() {
    let server = start().await;
    let client_id = server.client().await;
    let page = server.page(&client_id, &[("scope", "create:todos made:up")]).await;
    for text in [
        "Development only",
        "without a password",
        "Allow Test to use your account?",
        "localhost:6274",
        "http://localhost:3001",
        "Create to-do items",
        "unknown here",
        "value=\"alice\"",
        "The client gets no scope.",
    ] {
        assert!(page.html.contains(text), "{text} is missing in {}", page.html);
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_only_text() {
    let server = start().await;
    let name = "<script>alert(1)</script>\" onload='x' & co";
    let client = server
        .register(&json!({ "client_name": name, "redirect_uris": [REDIRECT_URI] }))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let page = server.page(client_id, &[("scope", "<b>bold</b> \"'><img>")]).await;
    for markup in ["<script", "onload='", "<b>", "<img"] {
        assert!(!page.html.contains(markup), "{markup} in {}", page.html);
    }
    let refused = server
        .get("/authorize?%3Cimg%3E=1&%3Cimg%3E=2")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!refused.contains("<img"), "{refused}");
}

#[tokio::test]
async fn no_answer_can_be_framed_or_kept() {
    let server = start().await;
    let client_id = server.client().await;
    let authorize = server.authorization_url(&client_id, &[]);
    let path = authorize.as_str().strip_prefix(&server.issuer).unwrap();
    for path in [
        "/",
        path,
        "/authorize",
        "/jwks",
        "/nothing-here",
        "/.well-known/oauth-authorization-server",
    ] {
        let response = server.get(path).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test]
async fn the_form_may_only_lead_to_this_server_and_to_the_client() {
    let server = start().await;
    for (redirect_uri, form_action) in [
        (
            "http://localhost:6274/callback",
            "form-action 'self' http://localhost:6274;",
        ),
        ("https://app.example/cb?x=1", "form-action 'self' https://app.example;"),
        ("http://[::1]:6274/callback", "form-action 'self' http:;"),
        ("com.example.app:/callback", "form-action 'self' com.example.app:;"),
    ] {
        let client = server.register(&json!({ "redirect_uris": [redirect_uri] })).await;
        let client_id = client["client_id"].as_str().unwrap();
        let page = server.page(client_id, &[("redirect_uri", redirect_uri)]).await;
        assert!(
            page.content_security_policy.contains(form_action),
            "{}",
            page.content_security_policy
        );
    }
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let server = start().await;
    let client_id = server.client().await;
    let response = server.authorize(&client_id, &[]).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/authorize", "; Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
}

#[tokio::test]
async fn only_loopback_hosts_with_the_right_port_are_answered() {
    let server = start().await;
    let port = server.issuer.rsplit_once(':').unwrap().1;
    for (host, status) in [
        (format!("localhost:{port}"), 200),
        (format!("LocalHost:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("localhost".to_owned(), 403),
        ("localhost:1".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        (format!("localhost.evil.example:{port}"), 403),
        (format!("localhost:{port}@evil.example"), 403),
        (format!("evil.example@localhost:{port}"), 403),
    ] {
        for path in ["/", "/jwks", "/.well-known/oauth-authorization-server", "/nothing-here"] {
            let expected = if status == 200 && path == "/nothing-here" {
                404
            } else {
                status
            };
            let response = server.get(path).header("host", &host).send().await.unwrap();
            assert_eq!(response.status(), expected, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn other_origins_may_read_what_clients_need_and_nothing_of_the_sign_in() {
    let server = start().await;
    for (path, method, shared) in [
        ("/.well-known/oauth-authorization-server", "GET", true),
        ("/.well-known/openid-configuration", "GET", true),
        ("/jwks", "GET", true),
        ("/register", "POST", true),
        ("/token", "POST", true),
        ("/revoke", "POST", true),
        ("/authorize", "GET", false),
        ("/authorize", "POST", false),
        ("/", "GET", false),
    ] {
        let url = format!("{}{path}", server.issuer);
        let preflight = server
            .http
            .request(Method::OPTIONS, &url)
            .header("origin", "http://localhost:6274")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "content-type,mcp-protocol-version");
        let request = server
            .http
            .request(method.parse().unwrap(), &url)
            .header("origin", "http://localhost:6274");
        for request in [preflight, request] {
            let response = request.send().await.unwrap();
            let allowed = response
                .headers()
                .get("access-control-allow-origin")
                .map(|origin| origin.to_str().unwrap());
            assert_eq!(allowed, shared.then_some("*"), "{method} {path}");
            assert_eq!(response.headers().get("access-control-allow-credentials"), None);
        }
    }
}

#[tokio::test]
async fn a_flood_of_registrations_costs_nobody_a_client_that_was_allowed_in() {
    let server = start().await;
    let allowed = server.refreshing_client().await;
    let refresh_token = server.sign_in(&allowed, "alice", &[]).await["refresh_token"].clone();
    // Registered, and at the sign-in page when the flood comes.
    let under_way = server.client().await;
    let page = server.page(&under_way, &[]).await;
    let forgotten = server.client().await;
    for _ in 0..1000 {
        server.client().await;
    }
    assert_eq!(server.authorize(&allowed, &[]).await.status(), 200);
    let refresh_token = refresh_token.as_str().unwrap();
    assert_eq!(server.refresh(&allowed, refresh_token, &[]).await.status(), 200);
    let answer = returned(&server.form(&page, "bob", "allow").send().await.unwrap());
    assert_eq!(server.token(&under_way, &answer["code"], &[]).await.status(), 200);
    // Bounded all the same: a client that nobody allowed has to register again.
    assert_eq!(server.authorize(&forgotten, &[]).await.status(), 400);
}

#[tokio::test]
async fn only_a_page_that_a_person_sees_begins_a_sign_in() {
    let server = start().await;
    let client_id = server.client().await;
    for (destination, status) in [
        ("document", 200),
        ("image", 403),
        ("iframe", 403),
        ("empty", 403),
        ("script", 403),
    ] {
        let request = server.http.get(server.authorization_url(&client_id, &[]));
        let response = request.header("sec-fetch-dest", destination).send().await.unwrap();
        assert_eq!(response.status(), status, "{destination}");
        assert_eq!(response.headers().contains_key("set-cookie"), status == 200);
    }
}
