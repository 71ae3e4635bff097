//! What a client asks for when it sends a browser here (RFC 6749 section 4.1.1), and which of it is refused.

use crate::{
    authorization_response::{Outcome, ReturnAddress},
    client_registration::Client,
    parameters::Parameters,
    redirect_uri::RedirectUri,
    server::Shared,
};

/// An authorization request that can be put before a person.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Client,
    pub(crate) return_address: ReturnAddress,
    /// The S256 code challenge (RFC 7636 section 4.2).
    pub(crate) code_challenge: String,
    /// The audience of the token.
    pub(crate) resource: String,
    /// `None` if the client named no scope.
    pub(crate) scopes: Option<Vec<String>>,
}

/// Who is told of a bad request.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The person at the browser: without a verified redirect URI a redirect would go wherever a link's author wants it to.
    Person(String),
    /// The client, by redirect.
    Client(Box<ReturnAddress>, Outcome),
}

impl AuthorizationRequest {
    /// Checks a query.
    pub(crate) fn check(shared: &Shared, query: &[u8]) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)
            .map_err(|repeated| Refusal::Person(format!("The parameter {} was sent twice.", repeated.0)))?;
        let (client, redirect_uri) = client_and_redirect_uri(shared, &parameters).map_err(Refusal::Person)?;
        let return_address = ReturnAddress {
            redirect_uri,
            state: parameters.get("state").map(str::to_owned),
        };
        let refuse =
            |(code, description)| Refusal::Client(Box::new(return_address.clone()), Outcome::Error(code, description));

        check_kind(&parameters).map_err(refuse)?;
        let code_challenge = code_challenge(&parameters).map_err(refuse)?;
        let Some(resource) = shared.settings.resource(parameters.all("resource")) else {
            return Err(refuse((
                "invalid_target",
                "name one resource in `resource` that this authorization server is configured for",
            )));
        };
        Ok(Self {
            client,
            code_challenge,
            resource: resource.as_str().to_owned(),
            scopes: parameters.scopes(),
            return_address,
        })
    }
}

fn client_and_redirect_uri(shared: &Shared, parameters: &Parameters) -> Result<(Client, RedirectUri), String> {
    let client_id = parameters.get("client_id").ok_or("The request names no client_id.")?;
    let client = shared.clients().get(client_id).cloned();
    let client = client.ok_or(
        "The client is not registered here. This server forgets all clients when it stops: let the client register again \
         (many do so when they are restarted or their stored sign-in is cleared).",
    )?;
    let requested = parameters
        .get("redirect_uri")
        .ok_or("The request names no redirect_uri.")?;
    match RedirectUri::parse(requested) {
        Ok(requested)
            if client
                .redirect_uris
                .iter()
                .any(|registered| registered.admits(&requested)) =>
        {
            Ok((client, requested))
        }
        _ => Err("The redirect_uri is not one that the client registered.".to_owned()),
    }
}

/// Refuses what is not a plain authorization code request that a person answers.
fn check_kind(parameters: &Parameters) -> Result<(), (&'static str, &'static str)> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "`response_type` must be `code`")),
        None => return Err(("invalid_request", "`response_type` is missing; it must be `code`")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "`response_mode` must be `query`"));
    }
    // OpenID Connect Core sections 3.1.2.6 and 6.
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request objects are not supported"));
    }
    if parameters.get("prompt") == Some("none") {
        return Err(("interaction_required", "somebody has to choose a demo user every time"));
    }
    Ok(())
}

fn code_challenge(parameters: &Parameters) -> Result<String, (&'static str, &'static str)> {
    let challenge = parameters.get("code_challenge").ok_or((
        "invalid_request",
        "`code_challenge` is missing: PKCE with S256 is mandatory (RFC 7636)",
    ))?;
    // No method means `plain` (RFC 7636 section 4.3), which protects nobody from a reader of the request.
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "`code_challenge_method` must be `S256`"));
    }
    let is_s256 = challenge.len() == 43
        && challenge
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    is_s256
        .then(|| challenge.to_owned())
        .ok_or(("invalid_request", "`code_challenge` is not a SHA-256 in base64url"))
}
