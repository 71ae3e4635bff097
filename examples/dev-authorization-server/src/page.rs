//! The pages that people see. The templates escape every value; clients choose some of them.

use std::sync::Arc;

use askama::Template;
use aws_lc_rs::digest;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    authorization_request::AuthorizationRequest,
    demo_user::DemoUser,
    page,
    resource::Resource,
    server::{Settings, Shared},
};

/// The style sheet of all pages. The security policy allows this text and no other.
const STYLE: &str = include_str!("../templates/style.css");

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage<'a> {
    issuer: &'a str,
    metadata: String,
    resources: &'a [Resource],
    users: &'a [DemoUser],
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    problem: &'a str,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    action: String,
    request_id: &'a str,
    client_name: &'a str,
    destination: String,
    resource: &'a str,
    names_scopes: bool,
    scopes: Vec<RequestedScope<'a>>,
    users: Vec<Choice<'a>>,
}

struct RequestedScope<'a> {
    name: &'a str,
    about: &'a str,
}

struct Choice<'a> {
    subject: &'a str,
    name: &'a str,
    gets: Vec<String>,
}

/// Answers `GET /` for whoever looks what runs here.
pub(crate) async fn about(State(shared): State<Arc<Shared>>) -> Response {
    let settings = &shared.settings;
    let page = AboutPage {
        issuer: settings.issuer.as_str(),
        metadata: settings.issuer.metadata_path(),
        resources: &settings.resources,
        users: &settings.users,
    };
    html(StatusCode::OK, &page, "'none'")
}

/// Tells the person at the browser why nothing happens.
pub(crate) fn problem(status: StatusCode, problem: &str) -> Response {
    html(status, &ProblemPage { problem }, "'none'")
}

/// Asks who wants to sign in, and whether the client gets what it asks for.
pub(crate) fn sign_in(settings: &Settings, request: &AuthorizationRequest, request_id: &str) -> Response {
    let requested = request.scopes.as_deref();
    let redirect_uri = &request.return_address.redirect_uri;
    let page = SignInPage {
        action: settings.issuer.path("/authorize"),
        request_id,
        client_name: request.client.name.as_deref().unwrap_or("a client without a name"),
        destination: redirect_uri.destination(),
        resource: &request.resource,
        names_scopes: requested.is_some(),
        scopes: requested
            .unwrap_or_default()
            .iter()
            .map(|name| describe(settings, name))
            .collect(),
        users: settings
            .users
            .iter()
            .map(|user| Choice {
                subject: &user.subject,
                name: &user.name,
                gets: user.granted(requested),
            })
            .collect(),
    };
    // Browsers also hold the redirect that answers the form against this list.
    html(StatusCode::OK, &page, &format!("'self' {}", redirect_uri.csp_source()))
}

fn describe<'a>(settings: &'a Settings, name: &'a str) -> RequestedScope<'a> {
    let about = match settings.scopes.iter().find(|scope| scope.name == name) {
        Some(scope) => scope.about.as_deref().unwrap_or("(not described)"),
        None => "(unknown here, nobody gets it)",
    };
    RequestedScope { name, about }
}

fn html(status: StatusCode, page: &impl Template, form_action: &str) -> Response {
    let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
