//! What `fn main() -> Result<(), Box<dyn Error>>` prints: `Error: ` and the `Debug` form, which people have to understand.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::error::Error;

use mcp_auth::{
    AccessTokenVerifier, AuthorizationServer, McpAuth, Policy, PolicyFile, PolicyHandle, ReloadMode,
    testing::{Fault, Issuer},
};

const NARROW: &str = "version: 1\nscopes: { read: Read }\ntools: { ping: { requires: read } }";
const WIDE: &str = "version: 1\nscopes: { read: Read }\ntools: { ping: { requires: [] } }";

#[tokio::test]
async fn main_prints_each_error_as_its_text_and_its_causes() {
    let issuer = Issuer::start().await.unwrap();
    let server = AuthorizationServer::new(issuer.url()).unwrap();
    let verifier = AccessTokenVerifier::builder("http://localhost:3001").authorization_server(server.clone());
    let verifier = verifier.build().unwrap();
    let token = issuer.token().audience("http://localhost:3001").sign();
    issuer.set_fault(Fault::Down);
    let narrow = PolicyHandle::new(Policy::parse(NARROW).unwrap(), ReloadMode::NarrowOnly);

    let errors: [(Box<dyn Error>, &str); 6] = [
        (
            Box::new(
                McpAuth::builder("ftp://somebody:secret@mcp.example.com")
                    .build()
                    .unwrap_err(),
            ),
            "resource `ftp://…@mcp.example.com`",
        ),
        (
            Box::new(PolicyFile::new("missing.yaml").load().unwrap_err()),
            "cannot read the policy `missing.yaml`",
        ),
        (Box::new(Policy::parse("version: 2").unwrap_err()), "version"),
        (
            Box::new(narrow.replace(Policy::parse(WIDE).unwrap()).unwrap_err()),
            "the new policy widens access in 1 place",
        ),
        (Box::new(server.resolve().await.unwrap_err()), issuer.url()),
        (Box::new(verifier.verify(&token).await.unwrap_err()), issuer.url()),
    ];
    for (error, beginning) in errors {
        let (display, debug) = (error.to_string(), format!("{error:?}"));
        assert!(display.contains(beginning), "{display}");
        let causes = debug.strip_prefix(&display);
        assert!(
            causes.is_some_and(|causes| causes.is_empty() || causes.starts_with("\nbecause: ")),
            "{debug}"
        );
        assert!(
            !debug.contains(token.dangerous_raw_token()) && !debug.contains("secret"),
            "{debug}"
        );
    }
}
