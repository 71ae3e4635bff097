//! The redirect that ends an authorization request (RFC 6749 section 4.1.2).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::redirect_uri::RedirectUri;

/// Where and how to answer a client whose redirect URI was verified.
#[derive(Debug, Clone)]
pub(crate) struct ReturnAddress {
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) state: Option<String>,
}

/// What the client is told.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An authorization code.
    Code(String),
    /// A registered error code (RFC 6749 section 4.1.2.1) and a text for the developer of the client.
    Error(&'static str, &'static str),
}

impl ReturnAddress {
    /// Sends the browser back to the client. Every answer names the issuer (RFC 9207 section 2), so that a client of several
    /// authorization servers cannot be made to take a code to the wrong one.
    pub(crate) fn redirect(&self, issuer: &str, outcome: &Outcome) -> Response {
        let mut url = self.redirect_uri.url().clone();
        {
            let mut query = url.query_pairs_mut();
            match outcome {
                Outcome::Code(code) => query.append_pair("code", code),
                Outcome::Error(code, description) => query
                    .append_pair("error", code)
                    .append_pair("error_description", description),
            };
            if let Some(state) = &self.state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", issuer);
        }
        // 303, because a browser repeats the POST of the sign-in form at a 307 (RFC 9700 section 4.12). A serialized URL is ASCII.
        match HeaderValue::try_from(url.as_str()) {
            Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
