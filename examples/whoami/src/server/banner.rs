//! What the server shows when it runs.

use mcp_auth::McpAuth;

#[cfg(feature = "demo")]
use super::Issuer;
use super::Server;
use crate::settings::Mode;

/// The banner. It holds no token: it shows the command that gets one.
pub(super) fn banner(server: &Server) -> String {
    let resources: String = server.resources.iter().map(endpoint).collect();
    let policy = server.policy.policy.current();
    let revision = policy.revision().get(..12).unwrap_or_default();
    let mut text = format!(
        "whoami {version}\n\n{resources}  issuer        {issuer}\n  policy        {name}, revision {revision} ({source})\n  tokens        {tokens}\n",
        version = env!("CARGO_PKG_VERSION"),
        issuer = server.issuer(),
        name = policy.name(),
        source = server.policy.source,
        tokens = match server.mode {
            Mode::Jwt => "verified by signature",
            Mode::Introspection => "verified by signature if they are JWTs, else by introspection",
            Mode::Userinfo => "verified by userinfo, so tokens that were issued for other servers pass too",
        },
    );
    if let Some(more) = next_steps(server) {
        text.push_str(&more);
    }
    text
}

fn endpoint(auth: &McpAuth) -> String {
    format!("  MCP endpoint  {}\n", auth.metadata().resource())
}

#[cfg(feature = "demo")]
fn next_steps(server: &Server) -> Option<String> {
    let Issuer::Embedded(_) = server.issuer else {
        return None;
    };
    let (resource, issuer) = (server.resource(), server.issuer());
    let mut elsewhere = if resource == "http://localhost:3001" {
        String::new()
    } else {
        format!(" --issuer {issuer}")
    };
    if server.resources.len() > 1 {
        elsewhere.push_str(" --resource ");
        elsewhere.push_str(resource);
    }
    Some(format!(
        r#"
  The issuer is a development authorization server inside this process: anybody signs in, as anybody.

Try it, in another terminal:

  TOKEN=$(cargo run -q -p whoami -- token alice{elsewhere})
  curl {resource} -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -d '{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"whoami","arguments":{{}}}}}}'

or connect an MCP client to {resource} and sign in as alice, bob or admin.
Ctrl-C stops the server, and its tokens end with it: sign in again after a restart.
"#
    ))
}

#[cfg(not(feature = "demo"))]
fn next_steps(_: &Server) -> Option<String> {
    None
}
