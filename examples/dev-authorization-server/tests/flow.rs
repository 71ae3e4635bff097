//! What a client gets that does everything right.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::time::Duration;

use common::{REDIRECT_URI, RESOURCE, returned, start, start_with};
use dev_authorization_server::{Algorithm, DevelopmentAuthorizationServer, bind_loopback};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use mcp_auth_policy::Policy;
use serde_json::{Value, json};

#[tokio::test]
async fn walking_the_sign_in_page_gives_a_token_that_the_key_set_verifies() {
    for (algorithm, expected) in [
        (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
        (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
    ] {
        let server = start_with(|builder| {
            builder
                .algorithm(algorithm)
                .access_token_lifetime(Duration::from_secs(120))
        })
        .await;
        let client_id = server.client().await;
        let page = server.page(&client_id, &[("scope", "create:todos delete:todos")]).await;
        let answer = returned(&server.form(&page, "alice", "allow").send().await.unwrap());
        assert_eq!((answer["state"].as_str(), &answer["iss"]), ("state-1", &server.issuer));

        let response = server
            .token(&client_id, &answer["code"], &[("resource", RESOURCE)])
            .await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(
            (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
            (&json!("Bearer"), &json!(120), &json!("create:todos"))
        );

        let token = answer["access_token"].as_str().unwrap();
        let header = decode_header(token).unwrap();
        assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), expected));
        let keys: JwkSet = server.get("/jwks").send().await.unwrap().json().await.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(expected);
        validation.set_audience(&[RESOURCE]);
        validation.set_issuer(&[&server.issuer]);
        let verified = decode::<Value>(token, &key, &validation).unwrap().claims;
        assert_eq!(
            (&verified["sub"], &verified["client_id"]),
            (&json!("alice"), &json!(client_id))
        );
        assert_eq!(
            verified["exp"].as_u64().unwrap() - verified["iat"].as_u64().unwrap(),
            120
        );
        assert!(verified["jti"].as_str().unwrap().len() > 20);
    }
}

#[tokio::test]
async fn granted_scopes_are_those_requested_that_the_role_has() {
    let server = start().await;
    for (user, requested, granted) in [
        ("alice", "", Some("create:todos")),
        ("alice", "create:todos", Some("create:todos")),
        ("alice", "read:todos", None),
        ("admin", "delete:todos create:todos", Some("create:todos delete:todos")),
        ("admin", "delete:todos made:up", Some("delete:todos")),
        ("alice", "email openid create:todos", Some("create:todos openid email")),
        ("nobody", "openid profile", Some("openid profile")),
        ("admin", "", Some("create:todos read:todos delete:todos")),
        ("nobody", "", None),
    ] {
        let claims = server.claims(user, &[("scope", requested)]).await;
        assert_eq!(
            claims.get("scope").map(|scope| scope.as_str().unwrap()),
            granted,
            "{user} {requested}"
        );
    }
}

#[tokio::test]
async fn the_audience_is_the_resource_as_configured() {
    let server = start().await;
    for requested in [RESOURCE, "http://localhost:3001/", ""] {
        assert_eq!(
            server.claims("alice", &[("resource", requested)]).await["aud"],
            RESOURCE,
            "{requested}"
        );
    }
    let server = start_with(|builder| builder.resource("http://localhost:3005/mcp")).await;
    let claims = server
        .claims("alice", &[("resource", "http://localhost:3005/mcp")])
        .await;
    assert_eq!(claims["aud"], "http://localhost:3005/mcp");
}

#[tokio::test]
async fn a_native_client_may_come_back_on_another_loopback_port() {
    let server = start().await;
    let client_id = server.client().await;
    let other_port = REDIRECT_URI.replace("6274", "51004");
    let page = server.page(&client_id, &[("redirect_uri", &other_port)]).await;
    let response = server.form(&page, "bob", "allow").send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&other_port), "{location}");
}

#[tokio::test]
async fn the_metadata_documents_are_complete() {
    let server = start_with(|builder| builder.introspection_client("rs", "rs-secret")).await;
    let url = |path: &str| format!("{}{path}", server.issuer);
    let mut expected = json!({
        "development_only": "signs anybody in without a password",
        "issuer": server.issuer,
        "authorization_endpoint": url("/authorize"),
        "token_endpoint": url("/token"),
        "revocation_endpoint": url("/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none"],
        "registration_endpoint": url("/register"),
        "jwks_uri": url("/jwks"),
        "userinfo_endpoint": url("/userinfo"),
        "introspection_endpoint": url("/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "claims_supported": ["sub", "name", "preferred_username", "email"],
        "scopes_supported": ["create:todos", "read:todos", "delete:todos", "openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "protected_resources": [RESOURCE],
    });
    let get = async |path: &str| server.get(path).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(get("/.well-known/oauth-authorization-server").await, expected);
    expected["subject_types_supported"] = json!(["public"]);
    expected["id_token_signing_alg_values_supported"] = json!(["ES256"]);
    assert_eq!(get("/.well-known/openid-configuration").await, expected);
}

#[test]
fn the_policy_says_what_the_demo_users_may_do() {
    let policy = Policy::parse(include_str!("policy.yaml")).unwrap();
    let server = DevelopmentAuthorizationServer::builder()
        .issuer("http://localhost:3002")
        .resource(RESOURCE)
        .users_from_policy(&policy)
        .build()
        .unwrap();
    let users: Vec<(&str, Vec<&str>)> = server
        .users()
        .iter()
        .map(|user| (user.subject.as_str(), user.scopes.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        users,
        [
            ("alice", vec!["create:todos"]),
            ("bob", vec!["create:todos"]),
            ("admin", vec!["create:todos", "read:todos"])
        ]
    );
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to() {
    let listeners = bind_loopback(0).await.unwrap();
    let port = listeners[0].local_addr().unwrap().port();
    let server = common::builder(port).build().unwrap();
    server.serve(listeners, std::future::ready(())).await.unwrap();
    bind_loopback(port).await.unwrap();
}
