//! Who calls: a token that is described, or one that is decoded.

use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_auth_policy::{
    Policy, Resolved, nearest,
    suite::{NoToken, Token, TokenSketch},
};
use serde_json::{Map, Value};

use crate::{files, outcome::Outcome};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Caller (without any of these: a token without scopes)")]
pub(crate) struct Description {
    /// Scopes that the token carries, with commas or spaces between.
    #[arg(long, value_name = "A,B")]
    scopes: Option<String>,
    /// The role that the authorization server issued the token for.
    #[arg(long)]
    role: Option<String>,
    /// The issuer of the token.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The OAuth client that the token was issued to.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// The subject of the token; empty for a token without one.
    #[arg(long)]
    subject: Option<String>,
    /// A file with claims, a JSON object; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// A file with a JWT, which is decoded and NOT verified; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scopes", "role", "issuer", "client", "subject", "claims"])]
    token: Option<PathBuf>,
}

/// A caller as the policy sees it.
pub(crate) struct Caller {
    pub(crate) token: Token,
    pub(crate) resolved: Resolved,
    /// What was asked for, for people.
    pub(crate) label: String,
    /// The token was decoded, and nobody has verified it.
    pub(crate) unverified: bool,
}

/// Makes the caller. `None`: there is none, and the outcome says why.
pub(crate) fn caller(args: &Description, policy: &Policy, outcome: &mut Outcome) -> Option<Caller> {
    let made = match &args.token {
        Some(file) => decoded(file),
        None => described(args, policy, outcome),
    };
    match made {
        Ok(token) => Some(Caller {
            resolved: policy.resolve(&token.facts()),
            label: label(args),
            unverified: args.token.is_some(),
            token,
        }),
        Err(complaint) => {
            outcome.complain(complaint);
            None
        }
    }
}

fn described(args: &Description, policy: &Policy, outcome: &mut Outcome) -> Result<Token, String> {
    let claims = match &args.claims {
        Some(file) => object(&read(file)?).ok_or(format!("`{}` is not one JSON object", files::shown(file)))?,
        None => Map::new(),
    };
    let issuer = args.issuer.as_deref();
    let issuer = issuer
        .or_else(|| claims.get("iss").and_then(Value::as_str))
        .unwrap_or_default();
    if let Some(issuer) = &args.issuer {
        policy
            .check_issuers([issuer.as_str()])
            .map_err(|error| error.to_string())?;
    }
    if let Some(role) = args
        .role
        .as_deref()
        .filter(|role| policy.scopes_of_role(role).is_none())
    {
        let help = did_you_mean(nearest(role, policy.roles()));
        return Err(format!("the policy declares no role `{role}`{help}"));
    }
    let scopes: Option<Vec<String>> = args.scopes.as_deref().map(split);
    for scope in scopes.iter().flatten().filter(|scope| policy.scope(scope).is_none()) {
        let help = did_you_mean(policy.suggest_scope(scope));
        let note = format!("note: the policy ignores scope `{scope}`, which it does not declare{help}\n");
        outcome.complaints.push_str(&note);
    }
    let sketch = TokenSketch {
        issuer: issuer.to_owned(),
        role: args.role.clone(),
        scopes,
        client: args.client.clone(),
        subject: args.subject.clone(),
        claims,
    };
    sketch.token("me", policy).map_err(|error| no_token(&error))
}

fn split(scopes: &str) -> Vec<String> {
    let scopes = scopes.split([',', ' ']).filter(|scope| !scope.is_empty());
    scopes.map(str::to_owned).collect()
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// Decodes a JWT (RFC 7519 section 3) without looking at its header and signature.
fn decoded(file: &Path) -> Result<Token, String> {
    let text = read(file)?;
    let no_jwt = format!(
        "`{}` holds no JWT: three parts of base64url with dots between",
        files::shown(file)
    );
    let text = std::str::from_utf8(&text).unwrap_or_default().trim();
    let parts: Vec<&str> = text.split('.').collect();
    let [_, payload, _] = parts.as_slice() else {
        return Err(no_jwt);
    };
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).map_err(|_| no_jwt.clone())?;
    let claims = object(&payload).ok_or(no_jwt)?;
    Token::from_claims(claims).map_err(|error| no_token(&error))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    files::read(file).map_err(|error| format!("cannot read `{}`: {error}", files::shown(file)))
}

/// Reads a JSON object. The reader's own message could repeat a part of it.
fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

fn no_token(error: &NoToken) -> String {
    match error {
        NoToken::Conflict { field, claim } => {
            let option = if *field == "as" { "role" } else { field };
            format!("the claim `{claim}` is not what `--{option}` makes of it; give one of the two")
        }
        NoToken::NoIssuer => {
            "the policy lists several issuers and no `default`; say whose token it is with `--issuer`".to_owned()
        }
        NoToken::NoScopes => {
            "the policy reads only roles from this issuer's tokens; give `--role` instead of `--scopes`".to_owned()
        }
        NoToken::NotBoth => {
            "the policy reads no roles from this token; give `--role` or `--scopes`, not both".to_owned()
        }
        NoToken::UnnamedRole => {
            "this issuer has no name for the role; add one to its `role_names`, or choose another role".to_owned()
        }
        NoToken::Refused { claim } => {
            format!(
                "a server refuses this token before it asks the policy: its claim `{claim}` has a wrong type or is empty"
            )
        }
        other => format!("there is no such token: {other:?}"),
    }
}

fn label(args: &Description) -> String {
    let mut parts = Vec::new();
    if args.token.is_some() {
        parts.push("token, decoded and NOT verified".to_owned());
    }
    parts.extend(args.role.iter().map(|role| format!("role {role}")));
    parts.extend(args.scopes.as_deref().map(split).map(|scopes| match scopes.is_empty() {
        true => "no scopes".to_owned(),
        false => format!("scopes {}", scopes.join(", ")),
    }));
    parts.extend(args.issuer.iter().map(|issuer| format!("issuer {issuer}")));
    parts.extend(args.client.iter().map(|client| format!("client {client}")));
    if args.claims.is_some() {
        parts.push("claims from a file".to_owned());
    }
    match parts.is_empty() {
        true => "a token without scopes".to_owned(),
        false => parts.join(", "),
    }
}
