//! What the log tells an operator whose settings are wrong. In a process of its own: whether an event is wanted is remembered for all threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    cell::RefCell,
    fmt::{Debug, Write as _},
    sync::Once,
};

use mcp_auth::{
    Access, AccessTokenVerifier, AuthorizationServer, BearerToken, Denied, McpAuth, Policy, PolicyHandle, guarded,
    requires_scope,
    testing::{Fault, Issuer},
};
use rmcp::{tool, tool_router};
use serde_json::json;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

const RESOURCE: &str = "http://localhost:3001";

thread_local! {
    /// The events of a test, whose tasks all run on its own thread.
    static EVENTS: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

struct Log;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mcp_auth")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        EVENTS.with_borrow_mut(|events| events.push((*event.metadata().level(), line.0)));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn start_log() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
    EVENTS.with_borrow_mut(Vec::clear);
}

/// The lines of one level since this was asked last.
fn logged(level: Level) -> Vec<String> {
    let events = EVENTS.take();
    let of_level = events.into_iter().filter(|(of, _)| *of == level);
    of_level.map(|(_, line)| line).collect()
}

async fn setup() -> (Issuer, AccessTokenVerifier) {
    start_log();
    let issuer = Issuer::start().await.unwrap();
    let server = AuthorizationServer::new(issuer.url()).unwrap();
    let verifier = AccessTokenVerifier::builder(RESOURCE).authorization_server(server);
    (issuer, verifier.build().unwrap())
}

/// The one line with `expected` and `got` that refusing a token leaves.
async fn mismatch(verifier: &AccessTokenVerifier, token: &BearerToken) -> Option<String> {
    logged(Level::DEBUG);
    verifier.verify(token).await.unwrap_err();
    let lines = logged(Level::DEBUG);
    let raw = token.dangerous_raw_token();
    assert!(
        lines.iter().all(|line| raw.split('.').all(|part| !line.contains(part))),
        "{lines:?}"
    );
    let mut mismatches = lines.into_iter().filter(|line| line.contains("expected="));
    let first = mismatches.next();
    assert_eq!(mismatches.next(), None);
    first
}

#[tokio::test]
async fn another_audience_is_shown_beside_the_expected_one() {
    let (issuer, verifier) = setup().await;
    let foreign = issuer
        .token()
        .claim("email", "alice@example.com")
        .claim("nonsense", "other claim");
    for (aud, got) in [
        (json!("https://other.example"), r#"got="[\"https://other.example\"]""#),
        (json!(["a\nb", "c"]), r#"got="[\"a\\nb\", \"c\"]""#),
    ] {
        let line = mismatch(&verifier, &foreign.clone().claim("aud", aud).sign())
            .await
            .unwrap();
        assert!(
            line.contains(&format!("expected=[\"{RESOURCE}\"")) && line.contains(got),
            "{line}"
        );
        assert!(!line.contains("alice") && !line.contains("other claim"), "{line}");
    }
    let line = mismatch(&verifier, &foreign.clone().without_claim("aud").sign())
        .await
        .unwrap();
    assert!(line.contains(r#"got="none""#), "{line}");
    let long = foreign.clone().claim("aud", "x".repeat(1000)).sign();
    let line = mismatch(&verifier, &long).await.unwrap();
    assert!(line.contains("xxx…") && !line.contains(&"x".repeat(200)), "{line}");
}

#[tokio::test]
async fn the_audience_of_a_token_with_a_wrong_signature_is_not_shown() {
    let (issuer, verifier) = setup().await;
    let stranger = Issuer::start().await.unwrap();
    let forged = issuer
        .token()
        .audience("https://other.example")
        .forged_by(&stranger)
        .sign();
    assert_eq!(mismatch(&verifier, &forged).await, None);
}

#[tokio::test]
async fn another_issuer_is_shown_escaped_and_cut() {
    let (issuer, verifier) = setup().await;
    let url = issuer.url();
    let token = || issuer.token().audience(RESOURCE);
    for (iss, got) in [
        (json!(format!("{url}/")), format!(r#"got="\"{url}/\"""#)),
        (json!("a\n\u{1b}[2Jb"), r#"got="\"a\\n\\u{1b}[2Jb\"""#.to_owned()),
        (json!(7), r#"got="none""#.to_owned()),
    ] {
        let line = mismatch(&verifier, &token().claim("iss", iss).sign()).await.unwrap();
        assert!(
            line.contains(&format!("expected=[\"{url}\"]")) && line.contains(&got),
            "{line}"
        );
    }
    let long = token().claim("iss", "x".repeat(1000)).sign();
    let line = mismatch(&verifier, &long).await.unwrap();
    assert!(line.contains("xxx…") && !line.contains(&"x".repeat(200)), "{line}");
}

#[tokio::test]
async fn a_failure_of_an_issuer_is_one_warning() {
    for (fault, text) in [(Fault::Down, "oauth-authorization-server"), (Fault::KeySetDown, "jwks")] {
        let (issuer, verifier) = setup().await;
        let token = issuer.token().audience(RESOURCE).sign();
        issuer.set_fault(fault);
        verifier.verify(&token).await.unwrap_err();
        let warnings = logged(Level::WARN);
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        assert!(
            warnings[0].contains(text) && warnings[0].contains(issuer.url()),
            "{warnings:?}"
        );
    }
}

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(description = "Reads everything")]
    #[requires_scope("read")]
    async fn read_all(&self, access: Access) -> Result<String, Denied> {
        Ok(access.subject().to_owned())
    }
}

#[test]
fn an_endpoint_whose_policy_was_never_audited_is_one_warning() {
    start_log();
    let policy = "version: 1\npolicy: library\nscopes: { read: Read }\ntools: { read_all: { requires: read } }";
    let policy = || PolicyHandle::from(Policy::parse(policy).unwrap());
    let endpoint = |policy: Option<PolicyHandle>| {
        let server = AuthorizationServer::new("https://auth.example.com").unwrap();
        let builder = McpAuth::builder(RESOURCE).authorization_server(server);
        let builder = match policy {
            Some(policy) => builder.policy(policy),
            None => builder,
        };
        let _layer = builder.build().unwrap().mcp_layer();
        logged(Level::WARN)
    };
    let warnings = endpoint(Some(policy()));
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    for part in [RESOURCE, "library", "require_audit_of"] {
        assert!(warnings[0].contains(part), "{warnings:?}");
    }
    let audited = policy();
    audited.require_audit::<Server>().unwrap();
    let none = Vec::<String>::new();
    assert_eq!(endpoint(Some(audited)), none);
    assert_eq!(endpoint(None), none);
}
