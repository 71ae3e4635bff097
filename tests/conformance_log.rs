//! Row T11 of `docs/conformance.md`: no token in any log line. Alone in its process: whether an event is wanted is remembered for all threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use common::*;
use mcp_auth::{
    AccessTokenVerifier, AuthorizationServer, BearerToken, ClientAuthentication, Introspection, Userinfo,
    testing::{Fault, Issuer},
};
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// With which this server introspects; in base64, as `client_secret_basic` sends it, behind `todo:`.
const SECRET: &str = "a-secret-of-this-server";
const BASIC: &str = "dG9kbzphLXNlY3JldC1vZi10aGlzLXNlcnZlcg";

/// Keeps everything that anybody logs, at every level, this library's dependencies too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut self.clone());
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn no_log_line_at_any_level_holds_a_token_or_a_secret() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let mut tokens = Vec::new();

    for mode in [STATELESS_JSON, MODES[2]] {
        let server = TestServer::with(mode, |builder| builder).await;
        let stranger = Issuer::start().await.unwrap();
        let good = || {
            let token = server.issuer.token().subject("alice").audience(RESOURCE);
            token.scopes(["create:todos"])
        };
        for token in [
            good().sign(),
            good().without_claim("scope").sign(),
            good().claim("exp", 1).sign(),
            good().audience("https://other.example").sign(),
            good().forged_by(&stranger).sign(),
            good().header("kid", "made-up").sign(),
            stranger.token().audience(RESOURCE).sign(),
            BearerToken::new("opaque-token-of-somebody"),
        ] {
            let content = json!({ "content": "x" });
            server.call(&token, "create-todo", content.clone()).await;
            let mut in_query = authorized(&token, post(&call("create-todo", content.clone())));
            *in_query.uri_mut() = format!("/?access_token={}", token.dangerous_raw_token())
                .parse()
                .unwrap();
            server.send(in_query).await;
            let mut alone = post(&call("create-todo", content));
            *alone.uri_mut() = format!("/?access_token={}", token.dangerous_raw_token())
                .parse()
                .unwrap();
            server.send(alone).await;
            let twice = authorized(&token, authorized(&token, post(&json!({}))));
            server.send(twice).await;
            tokens.push(token);
        }
        server.issuer.set_fault(Fault::Down);
        let late = good().header("kid", "new").sign();
        server.call(&late, "create-todo", json!({})).await;
        tokens.push(late);
    }
    for fault in [
        None,
        Some(Fault::Down),
        Some(Fault::IntrospectionDown),
        Some(Fault::UserinfoDown),
    ] {
        let issuer = Issuer::start().await.unwrap();
        let builder = || AuthorizationServer::builder(issuer.url());
        for server in [
            builder().introspection(issuer.introspection()),
            builder().introspection(Introspection::new(ClientAuthentication::client_secret_basic(
                "todo", SECRET,
            ))),
            builder().introspection(Introspection::new(ClientAuthentication::client_secret_post(
                "todo", SECRET,
            ))),
            builder().insecure_userinfo_without_audience(Userinfo::new()),
        ] {
            let verifier = AccessTokenVerifier::builder(RESOURCE)
                .authorization_server(server.build().unwrap())
                .build()
                .unwrap();
            let token = issuer.token().audience(RESOURCE).opaque();
            issuer.set_fault(fault);
            let _ = verifier.verify(&token).await;
            tokens.push(token);
        }
    }

    let log = log.0.lock().unwrap().clone();
    // The log is about these requests.
    assert!(
        log.contains("access token refused") && log.contains("missing-scope"),
        "{log}"
    );
    for token in &tokens {
        // Neither whole nor a part that would be enough: the payload says everything, the signature completes it.
        let token = token.dangerous_raw_token();
        let secret_parts = token.split('.').skip(usize::from(token.contains('.')));
        for part in secret_parts.chain([SECRET, BASIC]) {
            let line = log.lines().find(|line| line.contains(part));
            assert_eq!(line, None, "{part}");
        }
    }
}
