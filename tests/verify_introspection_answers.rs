//! What introspection is asked, and which of its answers are believed (RFC 7662).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use mcp_auth::{
    AccessTokenVerifier, AuthInfo, AuthorizationServer, AuthorizationServerError, BearerToken, ClientAuthentication,
    Introspection, InvalidToken, VerifyError,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const RESOURCE: &str = "http://localhost:3001";

fn verifier(url: &str, introspection: Introspection) -> AccessTokenVerifier {
    let server = AuthorizationServer::builder(url).introspection(introspection).build();
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server.unwrap())
        .build()
        .unwrap()
}

#[track_caller]
fn invalid(outcome: Result<AuthInfo, VerifyError>) -> InvalidToken {
    match outcome {
        Err(VerifyError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn unavailable(outcome: Result<AuthInfo, VerifyError>) -> AuthorizationServerError {
    match outcome {
        Err(VerifyError::Unavailable(error, _)) => error,
        other => panic!("{other:?}"),
    }
}

type Form = Vec<(String, String)>;

/// An issuer whose introspection answers whatever a test says, and which keeps what it was sent.
struct Scripted {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    received: Arc<Mutex<Vec<(HeaderMap, Form)>>>,
    requests: Arc<AtomicUsize>,
    /// Requests that are open, and the most that ever were.
    open: Arc<(AtomicUsize, AtomicUsize)>,
    delay_in_ms: Arc<AtomicU64>,
}

impl Scripted {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self {
            url: url.clone(),
            answer: Arc::default(),
            received: Arc::default(),
            requests: Arc::default(),
            open: Arc::default(),
            delay_in_ms: Arc::default(),
        };
        let metadata =
            json!({"issuer": url, "introspection_endpoint": format!("{url}/introspect?tenant=1")}).to_string();
        let (answer, received, requests) = (server.answer.clone(), server.received.clone(), server.requests.clone());
        let (open, delay_in_ms) = (server.open.clone(), server.delay_in_ms.clone());
        let introspect = async move |headers: HeaderMap, body: String| {
            requests.fetch_add(1, Ordering::SeqCst);
            let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            received.lock().unwrap().push((headers, form));
            let now_open = open.0.fetch_add(1, Ordering::SeqCst) + 1;
            open.1.fetch_max(now_open, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(delay_in_ms.load(Ordering::SeqCst))).await;
            open.0.fetch_sub(1, Ordering::SeqCst);
            let (status, body) = answer.lock().unwrap().clone();
            (
                StatusCode::from_u16(status).unwrap(),
                [(header::LOCATION, "/elsewhere")],
                body,
            )
        };
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(async || metadata))
            .route("/introspect", post(introspect));
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    fn answer(&self, status: u16, body: impl ToString) {
        *self.answer.lock().unwrap() = (status, body.to_string());
    }

    /// Everything right, with some members replaced; `null` removes one.
    fn answer_with(&self, changes: &Value) {
        let mut answer = json!({"active": true, "sub": "alice", "aud": RESOURCE, "scope": "a b", "client_id": "c"});
        let members = answer.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.clone(), value.clone()),
            };
        }
        self.answer(200, answer);
    }

    fn introspection() -> Introspection {
        Introspection::new(ClientAuthentication::client_secret_basic("todo", "s"))
    }
}

#[tokio::test]
async fn each_member_of_an_answer_is_checked() {
    use InvalidToken as No;
    let server = Scripted::start().await;
    let verifier = verifier(&server.url, Scripted::introspection());
    let lenient = self::verifier(
        &server.url,
        Scripted::introspection().insecure_accept_without_audience(),
    );
    let token = BearerToken::new("opaque");
    let ahead = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600;

    // One row each, so that the table can be read as one.
    #[rustfmt::skip]
    let cases = [
        (json!({}), None),
        (json!({"token_type": "bearer", "token_use": "access_token", "typ": "Bearer"}), None),
        (json!({"iss": server.url, "exp": ahead, "nbf": 1, "iat": 1, "jti": "1", "username": "alice"}), None),
        (json!({"aud": ["https://other.example", RESOURCE]}), None),
        (json!({"active": false}), Some(No::Inactive)),
        (json!({"iss": format!("{}/", server.url)}), Some(No::Issuer)),
        (json!({"iss": 1}), Some(No::Issuer)),
        (json!({"aud": "https://other.example"}), Some(No::Audience)),
        (json!({"aud": []}), Some(No::Audience)),
        (json!({"aud": 1}), Some(No::ClaimType("aud"))),
        (json!({"exp": 1}), Some(No::Expired)),
        (json!({"exp": "4102444800"}), Some(No::ClaimType("exp"))),
        (json!({"nbf": ahead}), Some(No::NotYetValid)),
        (json!({"iat": ahead}), Some(No::IssuedInTheFuture)),
        (json!({"sub": null}), Some(No::MissingClaim("sub"))),
        (json!({"sub": ""}), Some(No::ClaimType("sub"))),
        (json!({"scope": 1}), Some(No::ClaimType("scope"))),
        (json!({"client_id": []}), Some(No::ClaimType("client_id"))),
        (json!({"cnf": {"jkt": "x"}}), Some(No::SenderConstrained)),
        (json!({"token_type": "DPoP"}), Some(No::OtherKind)),
        (json!({"token_type": "N_A"}), Some(No::OtherKind)),
        (json!({"token_type": 1}), Some(No::OtherKind)),
        (json!({"token_use": "refresh_token"}), Some(No::OtherKind)),
        (json!({"typ": "Refresh"}), Some(No::OtherKind)),
        (json!({"typ": "ID"}), Some(No::OtherKind)),
    ];
    for (changes, expected) in cases {
        server.answer_with(&changes);
        for verifier in [&verifier, &lenient] {
            match (verifier.verify(&token).await, expected) {
                (Ok(caller), None) => assert_eq!((caller.subject(), caller.issuer()), ("alice", &*server.url)),
                (found, Some(expected)) => assert_eq!(invalid(found), expected, "{changes}"),
                (found, None) => panic!("{changes}: {found:?}"),
            }
        }
    }

    server.answer_with(&json!({"aud": null}));
    assert_eq!(invalid(verifier.verify(&token).await), No::Audience);
    assert_eq!(lenient.verify(&token).await.unwrap().audience(), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_is_none_is_unavailable_and_never_a_bad_token() {
    let server = Scripted::start().await;
    for (status, body, expected) in [
        (200, "<html>".to_owned(), "it is not a JSON object"),
        (200, String::new(), "it is not a JSON object"),
        (200, "{}".to_owned(), "it has no `active`"),
        (200, r#"{"active":"true"}"#.to_owned(), "it has no `active`"),
        (200, r#"{"active":true,"active":false}"#.to_owned(), "appears twice"),
        (
            200,
            format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(64 * 1024)),
            "more than 65536 bytes",
        ),
        (204, String::new(), "status 204"),
        (307, String::new(), "status 307"),
        (400, r#"{"error":"invalid_request"}"#.to_owned(), "status 400"),
        (
            401,
            r#"{"error":"invalid_client"}"#.to_owned(),
            "check its client id and credentials",
        ),
        (403, String::new(), "check its client id and credentials"),
        (404, String::new(), "status 404"),
        (429, String::new(), "status 429"),
        (500, String::new(), "status 500"),
    ] {
        server.answer(status, body);
        let verifier = verifier(&server.url, Scripted::introspection());
        let error = unavailable(verifier.verify(&BearerToken::new("opaque")).await).to_string();
        assert!(error.contains(expected), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_token_that_the_server_chokes_on_does_not_shut_out_others() {
    let server = Scripted::start().await;
    let verifier = verifier(&server.url, Scripted::introspection());
    server.answer(400, "");
    for number in 0..20 {
        unavailable(verifier.verify(&BearerToken::new(format!("strange-{number}"))).await);
    }
    server.answer_with(&json!({}));
    verifier.verify(&BearerToken::new("good")).await.unwrap();
    assert_eq!(server.requests.load(Ordering::SeqCst), 21);
}

#[tokio::test]
async fn metadata_without_an_introspection_endpoint_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({"issuer": url}).to_string();
    let router = Router::new().fallback(async || metadata);
    tokio::spawn(async { axum::serve(listener, router).await });
    let error = unavailable(
        verifier(&url, Scripted::introspection())
            .verify(&BearerToken::new("opaque"))
            .await,
    );
    assert!(error.to_string().contains("no `introspection_endpoint`"), "{error}");
}

#[tokio::test]
async fn the_secret_reaches_the_server_and_nothing_prints_it() {
    let server = Scripted::start().await;
    server.answer_with(&json!({}));
    let (id, secret, token) = ("a:b c", "p%s: wörd", "token-text");
    let basic = "Basic YSUzQWIrYzpwJTI1cyUzQSt3JUMzJUI2cmQ=";
    for (client, authorization, in_form) in [
        (
            ClientAuthentication::client_secret_basic(id, secret),
            Some(basic),
            false,
        ),
        (ClientAuthentication::client_secret_post(id, secret), None, true),
        (
            ClientAuthentication::bearer(BearerToken::new("own-token")),
            Some("Bearer own-token"),
            false,
        ),
    ] {
        let verifier = verifier(&server.url, Introspection::new(client.clone()));
        verifier.verify(&BearerToken::new(token)).await.unwrap();
        let (headers, form) = server.received.lock().unwrap().pop().unwrap();
        let sent = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
        assert_eq!(sent, authorization);
        let mut expected = vec![("token", token), ("token_type_hint", "access_token")];
        if in_form {
            expected.extend([("client_id", id), ("client_secret", secret)]);
        }
        let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(form, expected);
        assert_eq!(
            headers.get(header::CONTENT_TYPE).unwrap(),
            "application/x-www-form-urlencoded"
        );
        let printed = format!("{client:?} {verifier:?}");
        for hidden in [secret, token, "own-token"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}

#[tokio::test]
async fn requests_that_wait_for_one_answer_share_it_although_nothing_is_kept() {
    let server = Scripted::start().await;
    server.answer_with(&json!({}));
    server.delay_in_ms.store(100, Ordering::SeqCst);
    let verifier = verifier(&server.url, Scripted::introspection());
    let herd: Vec<_> = (0..200)
        .map(|_| {
            let verifier = verifier.clone();
            tokio::spawn(async move { verifier.verify(&BearerToken::new("opaque")).await })
        })
        .collect();
    for request in herd {
        request.await.unwrap().unwrap();
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    verifier.verify(&BearerToken::new("opaque")).await.unwrap();
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
}

/// A herd with a token for each must not open a connection for each; nobody is refused for it.
#[tokio::test]
async fn at_most_64_questions_are_open_at_a_time() {
    let server = Scripted::start().await;
    server.answer_with(&json!({}));
    server.delay_in_ms.store(50, Ordering::SeqCst);
    let verifier = verifier(&server.url, Scripted::introspection());
    let herd: Vec<_> = (0..200)
        .map(|number| {
            let verifier = verifier.clone();
            tokio::spawn(async move { verifier.verify(&BearerToken::new(format!("opaque-{number}"))).await })
        })
        .collect();
    for request in herd {
        request.await.unwrap().unwrap();
    }
    assert_eq!(server.open.1.load(Ordering::SeqCst), 64);
}
