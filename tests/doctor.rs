//! `mcp-auth doctor` as an operator runs it: the real program against issuers on loopback ports.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::process::Stdio;

use mcp_auth::testing::{Fault, Issuer};
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command};

use issuer::{good_key, issuer_with, serve};

#[path = "doctor/issuer.rs"]
mod issuer;

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OIDC: &str = "/.well-known/openid-configuration";

/// What the program printed, and its exit code.
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

async fn run(arguments: &[&str]) -> Answer {
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-auth"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    Answer {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn json_of(issuer: &str) -> (i32, Value) {
    let answer = run(&["doctor", issuer, "--format", "json"]).await;
    assert_eq!(answer.err, "");
    (answer.code, answer.json())
}

/// The codes of one list of a report, in order.
fn codes<'a>(report: &'a Value, list: &str) -> Vec<&'a str> {
    let list = report[list].as_array().unwrap().iter();
    list.map(|one| one["code"].as_str().unwrap()).collect()
}

/// The message, or action, of a code.
fn text<'a>(report: &'a Value, list: &str, code: &str) -> &'a str {
    let one = report[list].as_array().unwrap().iter().find(|one| one["code"] == code);
    let one = one.unwrap_or_else(|| panic!("no {code} in {report:#}"));
    one.get("message").or(one.get("action")).unwrap().as_str().unwrap()
}

#[tokio::test]
async fn a_healthy_issuer_exits_0_and_the_json_has_the_documented_shape() {
    let issuer = issuer_with(&[good_key()], |_| {}).await;
    let (code, report) = json_of(&issuer).await;
    assert_eq!(code, 0);
    let oidc = json!({"url": format!("{issuer}{OIDC}"), "found": false, "problem": "no document there"});
    assert_eq!(
        report,
        json!({
            "issuer": issuer,
            "usable": true,
            "metadata": [{"url": format!("{issuer}{OAUTH}"), "found": true}, oidc],
            "modes": ["jwt"],
            "keys": [{"kid": "1", "algorithms": ["ES256"]}],
            "works": report["works"],
            "does_not_work": report["does_not_work"],
            "to_change": [],
        })
    );
    assert_eq!(
        codes(&report, "works"),
        [
            "oauth_metadata_location_supported",
            "server_metadata_valid",
            "code_response_type_supported",
            "authorization_code_grant_supported",
            "pkce_supported",
            "s256_code_challenge_method_supported",
            "client_id_metadata_document_supported",
            "authorization_response_iss_supported",
            "public_clients_supported",
            "refresh_tokens_supported",
            "protected_resources_listed",
            "key_set_usable",
        ]
    );
    assert_eq!(codes(&report, "does_not_work"), ["dynamic_registration_not_supported"]);
    assert_eq!(report["does_not_work"][0]["severity"], "note");
}

#[tokio::test]
async fn the_text_has_the_three_groups() {
    let issuer = Issuer::start().await.unwrap();
    let answer = run(&["doctor", issuer.url()]).await;
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let heads: Vec<&str> = answer
        .out
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .collect();
    let first = format!("{}  works with MCP clients and with mcp-auth", issuer.url());
    assert_eq!(heads, [&first, "Works", "Does not work", "To change at the provider"]);
    for line in [
        "  modes     jwt, introspection, userinfo",
        "  keys      9 of 9 can be used",
        "  PKCE is supported (RFC 7636)  [pkce_supported]",
        "  could: register each MCP client by hand, and give its users the client id  [client_registration_not_supported]",
    ] {
        assert!(answer.out.lines().any(|found| found == line), "{line}\n{}", answer.out);
    }
}

#[tokio::test]
async fn each_thing_that_stops_clients_or_this_library_exits_1_with_its_code_and_action() {
    type Change = fn(&mut serde_json::Map<String, Value>);
    let changes: [(Change, &str, &str); 8] = [
        (
            |members| drop(members.remove("code_challenge_methods_supported")),
            "pkce_not_supported",
            "\"code_challenge_methods_supported\": [\"S256\"]",
        ),
        (
            |members| drop(members.insert("code_challenge_methods_supported".into(), json!(["plain"]))),
            "s256_code_challenge_method_not_supported",
            "`S256`",
        ),
        (
            |members| drop(members.insert("response_types_supported".into(), json!(["id_token"]))),
            "code_response_type_not_supported",
            "`code`",
        ),
        (
            |members| drop(members.insert("grant_types_supported".into(), json!(["implicit"]))),
            "authorization_code_grant_not_supported",
            "`authorization_code`",
        ),
        (
            |members| drop(members.remove("token_endpoint")),
            "invalid_server_metadata",
            "correct the member",
        ),
        (
            |members| drop(members.insert("token_endpoint".into(), json!("http://example.com/token"))),
            "invalid_server_metadata",
            "correct the member",
        ),
        (
            |members| drop(members.remove("jwks_uri")),
            "missing_jwks_uri",
            "`jwks_uri`",
        ),
        (
            |members| drop(members.insert("issuer".into(), json!("https://evil.example\u{1b}[2J"))),
            "issuer_mismatch",
            "letter by letter",
        ),
    ];
    for (change, expected, action) in changes {
        let issuer = issuer_with(&[good_key()], change).await;
        let (code, report) = json_of(&issuer).await;
        assert_eq!((code, &report["usable"]), (1, &json!(false)), "{expected}");
        let errors = report["does_not_work"].as_array().unwrap().iter();
        let errors: Vec<_> = errors
            .filter(|one| one["severity"] == "error")
            .map(|one| &one["code"])
            .collect();
        assert_eq!(errors, [expected]);
        assert!(text(&report, "to_change", expected).contains(action), "{report:#}");
        assert_eq!(report["to_change"][0]["required"], true);
        let shown = run(&["doctor", &issuer]).await;
        assert_eq!(shown.code, 1);
        assert!(shown.out.starts_with(&format!("{issuer}  does not work as it is\n")));
        assert!(shown.out.chars().all(|c| c == '\n' || !c.is_control()), "{}", shown.out);
    }
}

#[tokio::test]
async fn another_issuer_is_shown_beside_the_one_that_was_asked_and_the_rest_is_judged() {
    let issuer = Issuer::start().await.unwrap();
    issuer.set_fault(Fault::WrongIssuer);
    let (code, report) = json_of(issuer.url()).await;
    assert_eq!(code, 1);
    let message = text(&report, "does_not_work", "issuer_mismatch");
    let (named, asked) = (format!("\"{}/\"", issuer.url()), format!("\"{}\"", issuer.url()));
    assert!(message.contains(&named) && message.contains(&asked), "{message}");
    assert_eq!(report["modes"], json!(["jwt", "introspection", "userinfo"]));
}

/// What Microsoft Entra ID publishes: a path, OpenID Connect only, no word of PKCE, no registration.
#[tokio::test]
async fn an_issuer_like_entra_stops_clients_that_insist_on_pkce() {
    let origin = serve(|origin| {
        let issuer = format!("{origin}/tenant/v2.0");
        let document = json!({
            "issuer": issuer,
            "jwks_uri": format!("{origin}/keys"),
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token", "code id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "userinfo_endpoint": format!("{origin}/userinfo"),
        });
        vec![
            (format!("/tenant/v2.0{OIDC}"), document),
            ("/keys".to_owned(), json!({ "keys": [good_key()] })),
        ]
    })
    .await;
    let issuer = format!("{origin}/tenant/v2.0");
    let (code, report) = json_of(&issuer).await;
    assert_eq!(code, 1);
    let found: Vec<_> = report["metadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["found"])
        .collect();
    assert_eq!(found, [false, false, true]);
    assert_eq!(
        codes(&report, "does_not_work"),
        [
            "pkce_not_supported",
            "client_registration_not_supported",
            "oauth_metadata_location_missing",
            "client_id_metadata_document_not_supported",
            "dynamic_registration_not_supported",
            "authorization_response_iss_not_supported",
            "public_clients_not_announced",
            "resource_indicators_unknown",
        ]
    );
    assert!(text(&report, "to_change", "pkce_not_supported").contains("Microsoft Entra ID"));
    assert!(text(&report, "to_change", "oauth_metadata_location_missing").contains(&format!("{OAUTH}/tenant/v2.0")));
    // The other document is not looked for.
    let answer = run(&["doctor", &issuer, "--server-type", "oidc", "--format", "json"]).await;
    assert_eq!(answer.json()["metadata"].as_array().unwrap().len(), 2);
    assert!(!answer.out.contains("oauth-authorization-server"));
}

#[tokio::test]
async fn without_a_key_set_the_endpoints_that_can_be_asked_remain() {
    let issuer = Issuer::start().await.unwrap();
    for (fault, problem) in [
        (Fault::NoKeySet, "missing_jwks_uri"),
        (Fault::KeySetDown, "key_set_not_usable"),
        (Fault::HugeKeySet, "key_set_not_usable"),
        (Fault::KeySetRedirect, "key_set_not_usable"),
    ] {
        issuer.set_fault(fault);
        let (code, report) = json_of(issuer.url()).await;
        assert_eq!(
            (code, &report["does_not_work"][0]["severity"]),
            (0, &json!("warning")),
            "{fault:?}"
        );
        assert!(
            codes(&report, "does_not_work").contains(&problem),
            "{fault:?} {report:#}"
        );
        assert_eq!(report["modes"], json!(["introspection", "userinfo"]));
    }
}

#[tokio::test]
async fn keys_that_are_refused_are_named_with_the_reason() {
    let short_rsa =
        json!({"kty": "RSA", "kid": "old", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri", "e": "AQAB"});
    let mut private = good_key();
    private["d"] = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE".into();
    private["kid"] = "leaked".into();
    let encryption =
        json!({"kty": "EC", "crv": "P-256", "use": "enc", "kid": "e", "x": good_key()["x"], "y": good_key()["y"]});
    let p521 = json!({"kty": "EC", "crv": "P-521", "kid": "big"});
    let mut nameless = good_key();
    nameless.as_object_mut().unwrap().remove("kid");
    let issuer = issuer_with(&[short_rsa, private, encryption, p521, nameless, good_key()], |_| {}).await;
    let (code, report) = json_of(&issuer).await;
    assert_eq!(code, 1);
    let problems: Vec<_> = report["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["problem"])
        .collect();
    assert_eq!(
        problems,
        [
            "RSA modulus is even, or not of 2048 to 8192 bits",
            "private or symmetric key",
            "`use` is not `sig`",
            "ES512 is not supported",
            "",
            "",
        ]
        .map(|problem| if problem.is_empty() {
            json!(null)
        } else {
            json!(problem)
        })
        .each_ref()
    );
    assert!(text(&report, "does_not_work", "private_key_published").contains("key 2 (`kid` \"leaked\")"));
    assert!(text(&report, "to_change", "private_key_published").starts_with("remove key 2"));
    assert!(codes(&report, "does_not_work").contains(&"key_id_missing"));
    assert!(
        !report
            .to_string()
            .contains("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE")
    );

    for keys in [vec![], vec![json!({"kty": "EC", "crv": "P-521", "kid": "big"})]] {
        let (code, report) = json_of(&issuer_with(&keys, |_| {}).await).await;
        assert_eq!((code, codes(&report, "does_not_work")[0]), (1, "no_usable_key"));
        assert_eq!(report["modes"], json!([]));
    }
    let (code, report) = json_of(&issuer_with(&vec![json!("x"); 100], |_| {}).await).await;
    assert_eq!(code, 1);
    assert!(report.to_string().contains("80 more keys are left out"));
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_or_read_exits_3_with_one_line() {
    let issuer = Issuer::start().await.unwrap();
    for (fault, says, code) in [
        (Fault::Down, "status 503", "fetch_server_config_error"),
        (
            Fault::Slow,
            "did not answer completely within 1s",
            "fetch_server_config_error",
        ),
        (Fault::NotJson, "it is not a JSON object", "invalid_server_metadata"),
        (
            Fault::HugeMetadata,
            "more than 1048576 bytes",
            "fetch_server_config_error",
        ),
        (
            Fault::MetadataRedirect,
            "redirects are not followed",
            "fetch_server_config_error",
        ),
    ] {
        issuer.set_fault(fault);
        let answer = run(&["doctor", issuer.url(), "--timeout", "1", "--format", "json"]).await;
        assert_eq!(answer.code, 3, "{fault:?}");
        assert_eq!(
            (&answer.json()["usable"], &answer.json()["error"]["code"]),
            (&json!(false), &json!(code))
        );
        assert!(
            answer.err.starts_with("error: ") && answer.err.contains(says),
            "{}",
            answer.err
        );
        assert_eq!(answer.err.lines().count(), 1);
        assert_eq!(
            answer.err,
            format!("error: {}\n", answer.json()["error"]["message"].as_str().unwrap())
        );
    }
    // Nobody listens, and nothing is there.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let answer = run(&["doctor", &format!("http://{dead}")]).await;
    assert_eq!((answer.code, answer.out.as_str()), (3, ""));
    assert!(
        answer.err.contains("cannot reach") && answer.err.contains("refused"),
        "{}",
        answer.err
    );
    let empty = serve(|_| Vec::new()).await;
    let answer = run(&["doctor", &format!("{empty}/a")]).await;
    assert_eq!(answer.code, 3);
    for place in [format!("{OAUTH}/a"), format!("{OIDC}/a"), format!("/a{OIDC}")] {
        assert!(
            answer.err.contains(&format!("`{empty}{place}`")) || answer.err.contains(&place),
            "{}",
            answer.err
        );
    }
}

#[tokio::test]
async fn metadata_somewhere_else_is_taken_from_there_alone() {
    let issuer = Issuer::start().await.unwrap();
    let url = format!("{}/behind-redirect/metadata", issuer.url());
    let answer = run(&["doctor", issuer.url(), "--well-known", &url, "--format", "json"]).await;
    assert_eq!(
        (answer.code, &answer.json()["metadata"]),
        (0, &json!([{"url": url, "found": true}]))
    );
    assert_eq!(issuer.metadata_fetches(), 0);
}

#[tokio::test]
async fn an_issuer_that_lists_its_resources_is_asked_for_ours() {
    let lists = issuer_with(&[good_key()], |_| {}).await;
    let silent = issuer_with(&[good_key()], |members| drop(members.remove("protected_resources"))).await;
    for (issuer, resource, works, problem) in [
        (&lists, "http://localhost:3001", true, false),
        (&lists, "http://localhost:3001/", false, true),
        (&silent, "http://localhost:3001", false, false),
    ] {
        let answer = run(&["doctor", issuer, "--resource", resource, "--format", "json"]).await;
        let report = answer.json();
        assert_eq!(answer.code, 0, "{report:#}");
        assert_eq!(codes(&report, "works").contains(&"protected_resources_listed"), works);
        let code = "protected_resource_not_listed";
        assert_eq!(codes(&report, "does_not_work").contains(&code), problem);
        assert!(!problem || text(&report, "to_change", code).contains(resource));
    }
}

#[tokio::test]
async fn wrong_arguments_exit_2_and_show_no_password() {
    for (arguments, says) in [
        (
            vec!["doctor", "login.example.com"],
            "issuer `login.example.com` is not an absolute URL",
        ),
        (vec!["doctor", "http://login.example.com"], "uses plain http: use https"),
        (vec!["doctor", "https://login.example.com?a=b"], "has a query"),
        (
            vec!["doctor", "https://admin:hunter2@login.example.com"],
            "holds a user name or password",
        ),
        (
            vec![
                "doctor",
                "https://login.example.com",
                "--well-known",
                "ftp://login.example.com",
            ],
            "metadata URL `ftp://login.example.com`",
        ),
        (
            vec!["doctor", "https://login.example.com", "--resource", "mcp.example.com"],
            "resource `mcp.example.com` is not an absolute URL",
        ),
        (vec!["doctor"], "<ISSUER>"),
        (
            vec!["doctor", "https://login.example.com", "--timeout", "0"],
            "--timeout",
        ),
        (
            vec!["doctor", "https://login.example.com", "--server-type", "saml"],
            "--server-type",
        ),
        (vec![], "Usage"),
    ] {
        let answer = run(&arguments).await;
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{arguments:?}");
        assert!(answer.err.contains(says), "{arguments:?} {}", answer.err);
        assert!(!answer.err.contains("hunter2"));
    }
    let answer = run(&["doctor", "https://admin:hunter2@login.example.com", "--format", "json"]).await;
    assert_eq!(
        (answer.code, &answer.json()["error"]["code"]),
        (2, &json!("invalid_server_config"))
    );
    assert!(!answer.out.contains("hunter2"));
}

#[tokio::test]
async fn the_help_tells_exit_codes_json_and_examples() {
    let answer = run(&["doctor", "--help"]).await;
    assert_eq!(answer.code, 0);
    for part in [
        "Exit codes:",
        "does_not_work",
        "Examples:",
        "mcp-auth doctor https://",
        "[default: auto]",
    ] {
        assert!(answer.out.contains(part), "{part}");
    }
}
