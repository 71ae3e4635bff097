//! The resource servers that may introspect, and how one proves to be one (RFC 6749 section 2.3.1).

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use crate::{
    oauth_error::{OAuthError, invalid_request},
    parameters::Parameters,
    secret,
};

const MAX_LENGTH: usize = 256;

/// A resource server with a secret. `Debug` does not show the secret.
#[derive(Clone)]
pub(crate) struct IntrospectionClient {
    client_id: String,
    secret: String,
}

impl IntrospectionClient {
    pub(crate) fn new(client_id: String, secret: String) -> Self {
        Self { client_id, secret }
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Tells whether both parts have 1 to 256 characters of RFC 6749 appendix A.1.
    pub(crate) fn is_valid(&self) -> bool {
        [&self.client_id, &self.secret].into_iter().all(|text| {
            (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        })
    }

    fn is(&self, client_id: &str, secret: &str) -> bool {
        // Of hashes, so that the time says nothing about the length.
        self.client_id == client_id && secret::equal(&secret::s256(&self.secret), &secret::s256(secret))
    }
}

impl fmt::Debug for IntrospectionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionClient")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Returns the resource server that sends a request: by `client_secret_basic` or `client_secret_post`, not both.
pub(crate) fn authenticate<'a>(
    known: &'a [IntrospectionClient],
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<&'a IntrospectionClient, OAuthError> {
    let refused = || {
        OAuthError::new(
            "invalid_client",
            "the resource server is not configured here, or its secret is another one",
        )
        .with_challenge("Basic realm=\"introspection\", charset=\"UTF-8\"")
    };
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let basic = match (authorization.next(), authorization.next()) {
        (None, _) => None,
        (Some(one), None) => Some(one.to_str().ok().and_then(basic_credentials).ok_or_else(refused)?),
        (Some(_), Some(_)) => return Err(invalid_request("the header `Authorization` was sent twice")),
    };
    let posted = (parameters.get("client_id"), parameters.get("client_secret"));
    let (client_id, secret) = match (basic, posted) {
        (Some(_), (_, Some(_))) => {
            return Err(invalid_request(
                "authenticate by the header `Authorization` or by `client_secret`, not both",
            ));
        }
        // The client id is no proof, so sending it again is none twice. Another one is a confusion.
        (Some((client_id, _)), (Some(other), None)) if client_id != other => return Err(refused()),
        (Some(credentials), _) => credentials,
        (None, (Some(client_id), Some(secret))) => (client_id.to_owned(), secret.to_owned()),
        (None, _) => return Err(refused()),
    };
    known
        .iter()
        .find(|client| client.is(&client_id, &secret))
        .ok_or_else(refused)
}

/// Reads `Basic` credentials, whose two parts are form-encoded before they are joined.
fn basic_credentials(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Some((form_decoded(client_id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    // A name and a value, as far as the decoder knows; a second pair is a character that should have been encoded.
    let pair = format!("x={text}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    match (pairs.next(), pairs.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (value, expected) in [
            (header("id:secret"), Some(("id", "secret"))),
            (header("id:a%3Ab+c%26%25"), Some(("id", "a:b c&%"))),
            (header("id:a:b"), Some(("id", "a:b"))),
            (header("id:"), Some(("id", ""))),
            (header("id:a=b"), Some(("id", "a=b"))),
            (header("id:a&b"), None),
            (header("id"), None),
            (header("id:secret").replace("Basic", "bASIC"), Some(("id", "secret"))),
            (header("id:secret").replace("Basic", "Bearer"), None),
            ("Basic !".to_owned(), None),
            ("Basic".to_owned(), None),
        ] {
            let expected = expected.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
            assert_eq!(basic_credentials(&value), expected, "{value}");
        }
    }
}
