//! The gate and the transport read the same bytes. Whatever a client writes, the transport must not find a call in it that the gate did not decide.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::Router;
use common::{
    MODES, RESOURCE, authorized,
    library::{Library, Server},
    request, send, with_header,
};
use http::Method;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};

/// What each part of a message may look like to a reader that is not careful.
struct Parts {
    before: Vec<&'static str>,
    methods: Vec<&'static str>,
    names: Vec<&'static str>,
    extra: Vec<&'static str>,
    after: Vec<&'static str>,
}

fn parts() -> Parts {
    Parts {
        before: vec!["", " \n\t", "\u{feff}", "[", "null", "/**/", "{}", "\u{0}"],
        methods: vec![
            r#""method":"tools/call""#,
            r#""method":"tools\/call""#,
            r#""m\u0065thod":"tools\u002fcall""#,
            r#""method":"tools/list","method":"tools/call""#,
            r#""method":"tools/call","method":"tools/list""#,
            r#""Method":"tools/call","method":"ping""#,
            r#""method":"ping","METHOD":"tools/call""#,
            r#""method":"tools/call ""#,
            r#""method":["tools/call"]"#,
            r#""method":"tools/call","result":{}"#,
            r#""method":"tools/call","error":{"code":1,"message":""}"#,
            r#""method":null,"result":{}"#,
            r#""method":"notifications/tools/call""#,
            r#""method":"resources/read""#,
            r#""method":"prompts/get""#,
            r#""method":"completion/complete""#,
        ],
        names: vec![
            r#"{"name":"shred","arguments":{}}"#,
            r#"{"name":"shr\u0065d"}"#,
            r#"{"n\u0061me":"shred"}"#,
            r#"{"name":"search","name":"shred"}"#,
            r#"{"name":"shred","name":"search"}"#,
            r#"{"name":"search","Name":"shred"}"#,
            r#"{"name":" shred"}"#,
            "{\"name\":\"shred\\u0000\"}",
            r#"{"name":"SHRED"}"#,
            r#"{"name":"shred","arguments":{"name":"search"}}"#,
            r#"{"name":["shred"]}"#,
            r#"{"name":{"$serde_json::private::RawValue":"\"shred\""}}"#,
            r#"["shred"]"#,
            r#"null"#,
            r#"{"uri":"library://secrets","name":"shred"}"#,
            r#"{"uri":"library://catalogue","uri":"library://secrets"}"#,
            r#"{"uri":"library://catalogue/../secrets"}"#,
            r#"{"uri":"library:\u002f\u002fsecrets"}"#,
            r#"{"uri":"library://secrets#"}"#,
            r#"{"uri":"library://shelves/a/b"}"#,
            r#"{"uri":"library://books/x%2f..%2f..%2fsecrets"}"#,
            r#"{"ref":{"type":"ref/resource","uri":"library://shelves/{shelf}/{book}"},"argument":{"name":"a","value":""}}"#,
            r#"{"ref":{"type":"ref/prompt","name":"summary"},"argument":{"name":"a","value":""}}"#,
            r#"{"ref":{"type":"ref/prompt","name":"haiku","type":"ref/resource","uri":"library://secrets"},"argument":{"name":"a","value":""}}"#,
        ],
        extra: vec![
            r#""jsonrpc":"2.0","id":7"#,
            r#""jsonrpc":"2.0""#,
            r#""jsonrpc":"2.0","id":null"#,
            r#""jsonrpc":"2.0","id":"7""#,
            r#""jsonrpc":"2.0","id":7.0"#,
            r#""jsonrpc":"2.0","id":7,"id":8"#,
            r#""jsonrpc":"1.0","id":7"#,
            r#""id":7"#,
            r#""jsonrpc":"2.0","id":7,"params":{"name":"search"}"#,
        ],
        after: vec!["", " \r\n", "]", " {}", "\u{0}", "// {}"],
    }
}

/// Every body, of which each differs from a plain one in two places at most.
fn corpus() -> Vec<String> {
    let parts = parts();
    let sizes = [
        parts.before.len(),
        parts.methods.len(),
        parts.names.len(),
        parts.extra.len(),
        parts.after.len(),
    ];
    let mut bodies = Vec::new();
    let mut add = |choice: [usize; 5]| {
        let [before, method, name, extra, after] = choice;
        bodies.push(format!(
            "{}{{{},{},\"params\":{}}}{}",
            parts.before[before], parts.extra[extra], parts.methods[method], parts.names[name], parts.after[after]
        ));
    };
    for first in 0..5 {
        for second in first..5 {
            for one in 0..sizes[first] {
                for two in 0..if second == first { 1 } else { sizes[second] } {
                    let mut choice = [0; 5];
                    choice[second] = two;
                    choice[first] = one;
                    add(choice);
                }
            }
        }
    }
    bodies
}

/// What only somebody with `read:secrets` or `summarise` may have.
const PROTECTED: [&str; 6] = [
    "shred",
    "unlisted",
    "summary",
    "library://secrets",
    "library://shelves/a/b",
    "completion",
];

#[tokio::test]
async fn no_way_to_write_a_message_gets_a_call_past_the_gate() {
    let mode = (MODES[0], "2025-11-25");
    let server = Server::start(mode, "").await;
    let library = Library::default();
    let served = library.clone();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service = StreamableHttpService::new(
        move || Ok(served.clone()),
        LocalSessionManager::default().into(),
        config,
    );
    let bare = Router::new().route_service("/", service);
    let token = |scopes: &[&str]| {
        server
            .issuer
            .token()
            .subject("alice")
            .audience(RESOURCE)
            .scopes(scopes)
            .sign()
    };
    let (nobody, everything) = (token(&[]), token(&["read:books", "read:secrets", "summarise"]));
    let (mut found, mut bodies) = (0, 0);
    for body in corpus() {
        bodies += 1;
        send(&bare, request(Method::POST, body.clone())).await;
        let without_gate = library.take();

        let lie = with_header(
            authorized(&nobody, request(Method::POST, body.clone())),
            "mcp-name",
            "search",
        );
        send(&server.app, lie).await;
        let as_nobody = server.library.take();
        assert!(
            !as_nobody.iter().any(|served| PROTECTED.contains(&served.as_str())),
            "{body}: {as_nobody:?}"
        );

        send(
            &server.app,
            authorized(&everything, request(Method::POST, body.clone())),
        )
        .await;
        let as_everything = server.library.take();
        // Nothing is invented, and what is kept back is what the policy does not list or what two readers could read differently.
        if !as_everything.is_empty() {
            assert_eq!(as_everything, without_gate, "{body}");
        }
        found += usize::from(without_gate.iter().any(|served| PROTECTED.contains(&served.as_str())));
    }
    // The corpus is about something: without the gate many of these bodies are calls.
    assert!(bodies > 800 && found > 30, "{bodies} bodies, {found} calls");
}
