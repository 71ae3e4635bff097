//! An issuer with a path: everything is below it, but for the well-known documents, which each specification puts elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use common::{RESOURCE, claims, returned, start_at};
use dev_authorization_server::{SignIn, sign_in};
use serde_json::Value;

#[tokio::test]
async fn every_document_is_where_clients_look_for_it_and_nowhere_else() {
    let server = start_at("/realms/todo", |builder| builder).await;
    let origin = server.issuer.strip_suffix("/realms/todo").unwrap();
    for (path, found) in [
        ("/.well-known/oauth-authorization-server/realms/todo", true),
        ("/.well-known/openid-configuration/realms/todo", true),
        ("/realms/todo/.well-known/openid-configuration", true),
        ("/.well-known/oauth-authorization-server", false),
        ("/.well-known/openid-configuration", false),
        ("/realms/todo/.well-known/oauth-authorization-server", false),
        ("/jwks", false),
        ("/authorize", false),
        ("/realms/todo/jwks", true),
    ] {
        let response = server.http.get(format!("{origin}{path}")).send().await.unwrap();
        assert_eq!(response.status() == 200, found, "{path}");
        if found && path.contains("well-known") {
            let document: Value = response.json().await.unwrap();
            assert_eq!(document["issuer"], server.issuer);
            for (name, value) in document.as_object().unwrap() {
                if name.ends_with("_endpoint") || name == "jwks_uri" {
                    assert!(
                        value.as_str().unwrap().starts_with(&format!("{}/", server.issuer)),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn signing_in_works_below_a_path() {
    let server = start_at("/tenant", |builder| builder).await;
    let request = SignIn {
        issuer: server.issuer.clone(),
        user: "alice".to_owned(),
        ..SignIn::default()
    };
    let token = sign_in(&request).await.unwrap();
    let claims = claims(token.dangerous_raw_token());
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&server.issuer.clone().into(), &RESOURCE.into())
    );

    let client_id = server.client().await;
    let response = server.authorize(&client_id, &[]).await;
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Path=/tenant/authorize;")
    );
    let page = server.page(&client_id, &[]).await;
    assert!(page.html.contains(r#"action="/tenant/authorize""#), "{}", page.html);
    let answer = returned(&server.form(&page, "bob", "allow").send().await.unwrap());
    assert_eq!(answer["iss"], server.issuer);
}
