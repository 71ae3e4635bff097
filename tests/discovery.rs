//! Where metadata is looked for, and which answers are believed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, extract::Request, http::StatusCode};
use mcp_auth::{
    AccessTokenVerifier, AuthorizationServer, AuthorizationServerError, ServerType, VerifyError, testing::Issuer,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OIDC: &str = "/.well-known/openid-configuration";

/// Serves the answers that `answer` gives for paths, and notes the paths.
async fn server(
    answer: impl Fn(&str, &str) -> Result<String, u16> + Clone + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let router = Router::new().fallback({
        let (origin, asked) = (origin.clone(), Arc::clone(&asked));
        async move |request: Request| {
            asked.lock().unwrap().push(request.uri().to_string());
            answer(&origin, request.uri().path()).map_err(|status| StatusCode::from_u16(status).unwrap())
        }
    });
    tokio::spawn(async { axum::serve(listener, router).await });
    (origin, asked)
}

#[tokio::test]
async fn locations_are_tried_in_order_until_one_exists() {
    let inserted = [
        format!("{OAUTH}/tenant/1"),
        format!("{OIDC}/tenant/1"),
        format!("/tenant/1{OIDC}"),
    ];
    for (server_type, exists, expected) in [
        (ServerType::Auto, 0, 0..1),
        (ServerType::Auto, 1, 0..2),
        (ServerType::Auto, 2, 0..3),
        (ServerType::OAuth, 0, 0..1),
        (ServerType::Oidc, 1, 1..2),
        (ServerType::Oidc, 2, 1..3),
    ] {
        let there = inserted.get(exists).unwrap().clone();
        let (origin, asked) = server(move |origin, path| match path == there {
            true => Ok(format!(r#"{{"issuer":"{origin}/tenant/1"}}"#)),
            false => Err(404),
        })
        .await;
        let issuer = format!("{origin}/tenant/1");
        let metadata = AuthorizationServer::builder(&issuer)
            .server_type(server_type)
            .build()
            .unwrap()
            .metadata()
            .await;
        assert_eq!(metadata.unwrap().issuer(), issuer);
        assert_eq!(*asked.lock().unwrap(), inserted.get(expected).unwrap());
    }
}

#[tokio::test]
async fn a_missing_document_sends_on_and_an_outage_stops() {
    for (status, goes_on) in [
        (404, true),
        (400, true),
        (401, true),
        (403, true),
        (410, true),
        (408, false),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let (origin, asked) = server(move |_, _| Err(status)).await;
        let error = AuthorizationServer::new(&origin).unwrap().metadata().await.unwrap_err();
        assert_eq!(asked.lock().unwrap().len(), if goes_on { 2 } else { 1 }, "{status}");
        match error {
            AuthorizationServerError::NoMetadata { tried, .. } if goes_on => assert_eq!(tried.len(), 2),
            AuthorizationServerError::BadStatus { status: found, .. } if !goes_on => assert_eq!(found.as_u16(), status),
            error => panic!("{status}: {error}"),
        }
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_is_never_used() {
    let signer = Issuer::start().await.unwrap();
    for other in ["ORIGIN/", "https://evil.example", "", "ORIGIN/tenant"] {
        let (origin, asked) = server(move |origin, _| {
            let issuer = other.replace("ORIGIN", origin);
            Ok(format!(r#"{{"issuer":"{issuer}","jwks_uri":"{origin}/jwks"}}"#))
        })
        .await;
        let server = AuthorizationServer::new(&origin).unwrap();
        let error = server.metadata().await.unwrap_err();
        assert!(
            matches!(error, AuthorizationServerError::IssuerMismatch { .. }),
            "{error}"
        );

        let token = signer
            .token()
            .audience("http://localhost:1")
            .claim("iss", origin)
            .sign();
        let verifier = AccessTokenVerifier::builder("http://localhost:1")
            .authorization_server(server)
            .build()
            .unwrap();
        assert!(matches!(
            verifier.verify(&token).await,
            Err(VerifyError::Unavailable(..))
        ));
        assert_eq!(
            asked.lock().unwrap().len(),
            1,
            "neither asked again at once nor for keys"
        );
    }
}

#[tokio::test]
async fn only_safe_key_set_urls_are_fetched() {
    for (jwks_uri, problem) in [
        ("http://as.example.com/jwks", "uses plain http"),
        ("file:///etc/passwd", "not an absolute URL"),
        ("/jwks", "not an absolute URL"),
        ("https://user:secret@as.example.com/jwks", "holds a user name"),
        ("https://as.example.com/jwks\\n", "character that a URL cannot have"),
    ] {
        let (origin, _) =
            server(move |origin, _| Ok(format!(r#"{{"issuer":"{origin}","jwks_uri":"{jwks_uri}"}}"#))).await;
        let signer = Issuer::start().await.unwrap();
        let token = signer
            .token()
            .audience("http://localhost:1")
            .claim("iss", origin.as_str())
            .sign();
        let verifier = AccessTokenVerifier::builder("http://localhost:1")
            .authorization_server(AuthorizationServer::new(origin).unwrap())
            .build()
            .unwrap();
        match verifier.verify(&token).await {
            Err(VerifyError::Unavailable(error, _)) => {
                assert!(error.to_string().contains(problem), "{jwks_uri}: {error}");
                assert!(!error.to_string().contains("secret"));
            }
            other => panic!("{jwks_uri}: {other:?}"),
        }
    }
}

/// Answers each connection with raw bytes: a head, and then `chunk` every `pause` without end.
async fn endless(head: &'static str, chunk: &'static [u8], pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move { drip(&mut connection, head, chunk, pause).await });
        }
    });
    origin
}

async fn drip(connection: &mut TcpStream, head: &str, chunk: &[u8], pause: Duration) -> std::io::Result<()> {
    connection.read_buf(&mut Vec::with_capacity(4096)).await?;
    connection.write_all(head.as_bytes()).await?;
    loop {
        connection.write_all(chunk).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

#[tokio::test]
async fn a_body_without_end_is_refused_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let origin = endless(head, &[b' '; 8192], Duration::ZERO).await;
    let error = AuthorizationServer::new(origin).unwrap().metadata().await.unwrap_err();
    assert!(
        matches!(error, AuthorizationServerError::TooLarge { limit: 1_048_576, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_dripping_server_meets_the_deadline_in_head_and_body() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-header: ",
    ] {
        let origin = endless(head, b"a", Duration::from_millis(5)).await;
        let begin = Instant::now();
        let server = AuthorizationServer::builder(origin)
            .fetch_deadline(Duration::from_millis(100))
            .build()
            .unwrap();
        let error = server.metadata().await.unwrap_err();
        assert!(matches!(error, AuthorizationServerError::TimedOut { .. }), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn the_deadline_covers_all_locations_together() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/tenant", listener.local_addr().unwrap());
    let router = Router::new().fallback(async || {
        tokio::time::sleep(Duration::from_millis(60)).await;
        StatusCode::NOT_FOUND
    });
    tokio::spawn(async { axum::serve(listener, router).await });
    let server = AuthorizationServer::builder(issuer)
        .fetch_deadline(Duration::from_millis(150))
        .build()
        .unwrap();
    let error = server.metadata().await.unwrap_err();
    assert!(matches!(error, AuthorizationServerError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn compressed_documents_are_neither_asked_for_nor_unfolded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(Mutex::new(None));
    let router = Router::new().fallback({
        let accepted = Arc::clone(&accepted);
        async move |request: Request| {
            *accepted.lock().unwrap() = request.headers().get("accept-encoding").cloned();
            // `{}` as gzip would be unfolded to an object without `issuer`.
            let gzip: &[u8] = &[
                0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xab, 0xae, 0x05, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0,
            ];
            ([("content-encoding", "gzip")], gzip)
        }
    });
    tokio::spawn(async { axum::serve(listener, router).await });
    let error = AuthorizationServer::new(origin).unwrap().metadata().await.unwrap_err();
    assert!(error.to_string().contains("it is not a JSON object"), "{error}");
    assert_eq!(*accepted.lock().unwrap(), None);
}

#[tokio::test]
async fn the_document_is_kept_whole() {
    let (origin, _) = server(|origin, _| Ok(format!(r#"{{"issuer":"{origin}","x_new_member":{{"a":[1]}}}}"#))).await;
    let metadata = AuthorizationServer::new(origin).unwrap().metadata().await.unwrap();
    assert_eq!(
        metadata.members().get("x_new_member").unwrap().to_string(),
        r#"{"a":[1]}"#
    );
    assert_eq!(metadata.jwks_uri(), None);
}
