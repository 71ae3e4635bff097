//! The authorization endpoint: a person picks a user, and allows or denies.
//!
//! What passes the POST: a form that this server showed less than ten minutes ago, sent once, by the browser it was shown to, from a page of
//! this server. Anything else gets a page with status 400 or 403, and no redirect.
//!
//! Three things keep another site from answering the form in somebody's name. The form holds a random, single-use id of the request, which
//! is kept here. A cookie made for that one request must come with it: who reads the id from a page shown to himself cannot use it in another
//! browser. And the browser must say that the form came from our own origin, because cookies do not separate ports: any other server on
//! localhost counts as the same site.

use std::sync::Arc;

use axum::{
    extract::{RawForm, RawQuery, State, rejection::RawFormRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    authorization_request::{AuthorizationRequest, Refusal},
    authorization_response::Outcome,
    demo_user::DemoUser,
    grants::{AuthorizationCode, Grant},
    guard_headers::is_same_origin,
    page,
    parameters::Parameters,
    secret,
    server::{MAX_REQUEST, SIGN_IN_LIFETIME, Shared},
};

/// A request that waits for somebody's answer.
#[derive(Debug)]
pub(crate) struct PendingRequest {
    request: AuthorizationRequest,
    /// The cookie of the browser that the form was shown to.
    cookie: String,
}

/// Answers `GET /authorize` with the sign-in page.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    // A page that a person does not see (an image, a script's request) may not make this server remember a request.
    if headers.get_all("sec-fetch-dest").iter().any(|what| what != "document") {
        return page::problem(StatusCode::FORBIDDEN, "Open this page by itself.");
    }
    let query = query.unwrap_or_default();
    if query.len() > MAX_REQUEST {
        return page::problem(StatusCode::BAD_REQUEST, "The request is too long.");
    }
    let request = match AuthorizationRequest::check(&shared, query.as_bytes()) {
        Ok(request) => request,
        Err(Refusal::Person(problem)) => return page::problem(StatusCode::BAD_REQUEST, &problem),
        Err(Refusal::Client(return_address, outcome)) => {
            return return_address.redirect(shared.settings.issuer.as_str(), &outcome);
        }
    };
    let (Ok(request_id), Ok(cookie)) = (secret::random(), secret::random()) else {
        return page::problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The operating system gave no random bytes.",
        );
    };
    // `Strict` suffices: our own page sends the form. `Secure` would keep the cookie from browsers that do not trust http on loopback.
    let set_cookie = format!(
        "{}={cookie}; Path={}; Max-Age={}; HttpOnly; SameSite=Strict",
        cookie_name(&request_id),
        shared.settings.issuer.path("/authorize"),
        SIGN_IN_LIFETIME.as_secs()
    );
    let page = page::sign_in(&shared.settings, &request, &request_id);
    shared
        .requests()
        .insert(&request_id, PendingRequest { request, cookie });
    ([(header::SET_COOKIE, set_cookie)], page).into_response()
}

/// Answers `POST /authorize`, the form of the sign-in page.
pub(crate) async fn decide(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    if !is_same_origin(&headers) {
        return page::problem(StatusCode::FORBIDDEN, "The form was sent from another site.");
    }
    let Some(form) = form.ok().and_then(|RawForm(form)| Parameters::parse(&form).ok()) else {
        return page::problem(StatusCode::BAD_REQUEST, "The form cannot be read.");
    };
    let Some(request) = take_request(&shared, &headers, form.get("request").unwrap_or_default()) else {
        return page::problem(
            StatusCode::BAD_REQUEST,
            "This form was sent before, is older than ten minutes, or was shown to another browser. Begin again in the client.",
        );
    };
    let user = form.get("user").and_then(|subject| shared.settings.user(subject));
    let outcome = match (form.get("decision"), user) {
        (Some("allow"), Some(user)) => match allow(&shared, &request, user) {
            Some(code) => Outcome::Code(code),
            None => Outcome::Error("server_error", "the authorization server failed"),
        },
        (Some("allow"), None) => return page::problem(StatusCode::BAD_REQUEST, "There is no such demo user."),
        _ => Outcome::Error("access_denied", "the person at the browser denied the request"),
    };
    request
        .return_address
        .redirect(shared.settings.issuer.as_str(), &outcome)
}

/// Takes the pending request out, if the browser has its cookie. A wrong cookie leaves it for the right browser.
fn take_request(shared: &Shared, headers: &HeaderMap, request_id: &str) -> Option<AuthorizationRequest> {
    let cookie = cookie(headers, &cookie_name(request_id))?;
    let mut requests = shared.requests();
    let pending = requests.get(request_id)?;
    secret::equal(cookie, &pending.cookie).then_some(())?;
    Some(requests.take(request_id)?.request)
}

fn allow(shared: &Shared, request: &AuthorizationRequest, user: &DemoUser) -> Option<String> {
    let code = secret::random().ok()?;
    let scopes = user.granted(request.scopes.as_deref());
    tracing::info!(
        user = user.subject,
        client_id = request.client.client_id,
        ?scopes,
        "signed in, without a password"
    );
    shared.clients().allow(&request.client);
    shared.grants().insert_code(
        &code,
        AuthorizationCode {
            redirect_uri: request.return_address.redirect_uri.as_str().to_owned(),
            code_challenge: request.code_challenge.clone(),
            grant: Grant {
                id: secret::random().ok()?,
                client_id: request.client.client_id.clone(),
                subject: user.subject.clone(),
                resource: request.resource.clone(),
                scopes,
            },
        },
    );
    Some(code)
}

/// Every request has its own cookie, so that two tabs do not overwrite each other's.
fn cookie_name(request_id: &str) -> String {
    format!("dev-sign-in-{}", request_id.chars().take(8).collect::<String>())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}
