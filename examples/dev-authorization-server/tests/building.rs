//! What a development authorization server is never built or served with.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::{future, time::Duration};

use dev_authorization_server::{
    BuildError, Builder, DemoUser, DevelopmentAuthorizationServer, ServeError, bind_loopback,
};
use mcp_auth_policy::Policy;
use tokio::net::TcpListener;

#[test]
fn users_have_the_roles_that_the_policy_declares() {
    let new = || {
        let builder = DevelopmentAuthorizationServer::builder().issuer("http://localhost:3002");
        builder.resource(common::RESOURCE)
    };
    let users = |builder: Builder| {
        let server = builder.build().unwrap();
        let users = server.users().iter();
        let shown: Vec<String> = users
            .map(|user| format!("{}:{}", user.subject, user.scopes.join(",")))
            .collect();
        shown.join(" ")
    };
    let parse = |text: &str| Policy::parse(text).unwrap();
    let one = parse(
        "version: 1\nscopes: { read: Read }\nroles: { admin: { scopes: [read] } }\ntools: { ping: { requires: read } }",
    );
    assert_eq!(users(new().users_from_policy(&one)), "admin:read");
    assert_eq!(
        users(
            new()
                .user_with_role(&one, "carol", "admin")
                .user_with_role(&one, "dave", "admin")
        ),
        "carol:read dave:read"
    );
    // No role could give anything here.
    let of_everybody = parse("version: 1\nscopes: { openid: Know you }\ntools: { ping: { requires: [] } }");
    assert_eq!(users(new().users_from_policy(&of_everybody)), "alice: bob: admin:");
}

#[test]
fn every_mistake_is_named_and_says_what_to_do() {
    let user = |subject: &str, scope: &str| DemoUser {
        subject: subject.to_owned(),
        name: subject.to_owned(),
        scopes: vec![scope.to_owned()],
    };
    let new = DevelopmentAuthorizationServer::builder;
    let valid = || common::builder(3002);
    let policy = |roles: &str| {
        let text = format!("version: 1\nscopes: {{ read: Read }}\n{roles}\ntools: {{ ping: {{ requires: read }} }}");
        Policy::loader().file_name("own.yaml").parse(&text).unwrap()
    };
    let other_roles = policy("roles: { reader: { scopes: [read] }, guest: { scopes: [] } }");
    let cases: Vec<(Builder, &str)> = vec![
        (
            valid().users_from_policy(&other_roles),
            "the policy `own.yaml` has no role `user` or `admin`; its roles are `reader`, `guest`",
        ),
        (valid().users_from_policy(&other_roles), "serve --user alice=reader"),
        (
            valid().users_from_policy(&policy("")),
            "it has no roles at all: declare one",
        ),
        (
            valid().user_with_role(&other_roles, "carol", "raeder"),
            "the policy `own.yaml` has no role `raeder`; its roles are `reader`",
        ),
        (valid().issuer(""), "the issuer `` is not a URL like"),
        (valid().issuer("http://localhost:3002/"), "no final slash"),
        (valid().issuer("http://localhost:3002/tenant/"), "no final slash"),
        (valid().issuer("http://localhost:3002/a b"), "letters, digits"),
        (valid().issuer("https://localhost:3002"), "is not a URL like"),
        (valid().issuer("http://LOCALHOST:3002"), "lower case"),
        (
            valid().issuer("https://issuer.example"),
            "the issuer `https://issuer.example` is not on this machine",
        ),
        (valid().issuer("http://0.0.0.0:3002"), "is not on this machine"),
        (valid().issuer("http://192.168.1.7:3002"), "`--issuer`"),
        (
            valid().resource("https://mcp.example"),
            "the resource `https://mcp.example` is not on this machine",
        ),
        (valid().resource("localhost:3001"), "is not an absolute http URI"),
        (valid().resource("http://localhost:3001/#x"), "without fragment"),
        (valid().user(user("alice", "a")), "the subject `alice` cannot be used"),
        (valid().user(user("a\"b", "a")), "letters, digits"),
        (
            valid().user(user("carol", "a b")),
            "the scope `a b` is not a scope token",
        ),
        (
            valid().access_token_lifetime(Duration::ZERO),
            "use 1 second to 24 hours",
        ),
        (valid().access_token_lifetime(Duration::MAX), "use 1 second to 24 hours"),
        (
            valid().introspection_client("rs", ""),
            "the introspection client `rs` cannot be used",
        ),
        (
            valid().introspection_client("rs", "x".repeat(257)),
            "1 to 256 printable ASCII",
        ),
        (valid().introspection_client("r\n", "s"), "`r\\n`"),
        (valid().introspection_client("rs", "geheim-ü"), "printable ASCII"),
        (
            valid()
                .introspection_client("rs", "one")
                .introspection_client("rs", "two"),
            "every client has its own id",
        ),
        (
            valid().rotate_signing_key_every(Duration::from_secs(457)),
            "every 457 s: with this lifetime of access tokens, use 458 s or more",
        ),
        (valid().rotate_signing_key_every(Duration::ZERO), "use 458 s or more"),
        (
            new().issuer("http://localhost:3002").user(user("a", "a")),
            "no resource is configured",
        ),
        (
            new().issuer("http://localhost:3002").resource(common::RESOURCE),
            "no demo user is configured",
        ),
    ];
    for (builder, message) in cases {
        let error: BuildError = builder.clone().build().unwrap_err();
        assert!(error.to_string().contains(message), "{error}\n{builder:?}");
    }
}

#[tokio::test]
async fn a_listener_that_others_can_reach_is_refused() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let server = common::builder(listener.local_addr().unwrap().port()).build().unwrap();
    let error = server.serve([listener], future::ready(())).await.unwrap_err();
    assert!(matches!(error, ServeError::NotLoopback(_)), "{error}");
    assert!(error.to_string().contains("without a password"), "{error}");
}

#[tokio::test]
async fn a_listener_on_another_port_than_the_issuers_is_refused() {
    let listeners = bind_loopback(0).await.unwrap();
    let server = common::builder(1).build().unwrap();
    let error = server.serve(listeners, future::ready(())).await.unwrap_err();
    assert!(matches!(error, ServeError::Port { .. }), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let listeners = bind_loopback(0).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let error = bind_loopback(address.port()).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn no_secret_is_printed() {
    let builder = common::builder(3002).introspection_client("rs", "a-very-secret-text");
    assert!(!format!("{builder:?}").contains("a-very-secret-text"));
    let server = builder.build().unwrap();
    assert!(!format!("{server:?}").contains("a-very-secret-text"));
    let refused = common::builder(3002).introspection_client("rs\n", "a-very-secret-text");
    assert!(!refused.build().unwrap_err().to_string().contains("a-very-secret-text"));
}
