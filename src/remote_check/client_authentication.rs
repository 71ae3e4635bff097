//! How this server shows an authorization server who is asking.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rand;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use http::HeaderValue;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use url::form_urlencoded::{self, Serializer};

use crate::{
    algorithm::Algorithm,
    bearer_token::BearerToken,
    error::{AuthorizationServerError, ConfigError},
};

/// `client_assertion_type` of RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion is good. It is made for each question.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// The credentials of this server at an authorization server (RFC 7662 section 2.1, OpenID Connect Core section 9).
///
/// `Debug` shows the client and the method, never a secret.
#[derive(Clone)]
pub struct ClientAuthentication(Method);

#[derive(Clone)]
enum Method {
    Basic { client_id: String, secret: String },
    Post { client_id: String, secret: String },
    PrivateKey(Box<PrivateKey>),
    Bearer(BearerToken),
}

#[derive(Clone)]
struct PrivateKey {
    client_id: String,
    header: Header,
    key: EncodingKey,
}

impl ClientAuthentication {
    /// Client id and secret in the `Authorization` header (RFC 6749 section 2.3.1).
    #[must_use]
    pub fn client_secret_basic(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self(Method::Basic {
            client_id: client_id.into(),
            secret: secret.into(),
        })
    }

    /// Client id and secret in the form.
    #[must_use]
    pub fn client_secret_post(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self(Method::Post {
            client_id: client_id.into(),
            secret: secret.into(),
        })
    }

    /// A JWT signed with a private key whose public half the authorization server knows (RFC 7523 section 2.2). Its audience is the issuer.
    ///
    /// The key is PEM: PKCS #8, for RSA also PKCS #1. `key_id` becomes the `kid` of the JWT.
    ///
    /// # Errors
    /// When the key cannot be read or is not for the algorithm.
    pub fn private_key_jwt(
        client_id: impl Into<String>,
        key_id: Option<&str>,
        algorithm: Algorithm,
        pem: &[u8],
    ) -> Result<Self, ConfigError> {
        crate::verify::install_crypto();
        let client_id = client_id.into();
        let key = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => EncodingKey::from_ec_pem(pem),
            Algorithm::EdDsa => EncodingKey::from_ed_pem(pem),
            _ => EncodingKey::from_rsa_pem(pem),
        };
        let mut header = Header::new(algorithm.for_signature());
        header.kid = key_id.map(str::to_owned);
        let key = key
            .ok()
            .filter(|key| jsonwebtoken::encode(&header, &json!({}), key).is_ok());
        match key {
            Some(key) => Ok(Self(Method::PrivateKey(Box::new(PrivateKey {
                client_id,
                header,
                key,
            })))),
            None => Err(ConfigError::InvalidClientCredentials {
                client_id,
                problem: "are no private key for that algorithm: write a PEM file in PKCS #8 form (`BEGIN PRIVATE KEY`)",
            }),
        }
    }

    /// An access token of this server's own, which the authorization server gave it for this purpose. It is not renewed.
    #[must_use]
    pub fn bearer(token: BearerToken) -> Self {
        Self(Method::Bearer(token))
    }

    /// Adds the credentials to a form, or returns them as an `Authorization` value.
    pub(super) fn authenticate(
        &self,
        issuer: &str,
        form: &mut Serializer<'_, String>,
    ) -> Result<Option<HeaderValue>, AuthorizationServerError> {
        match &self.0 {
            Method::Basic { client_id, secret } => {
                // Encoded as in a form first: a colon in the id must not end it.
                let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encode(client_id), encode(secret));
                Ok(authorization("Basic", &BASE64_STANDARD.encode(pair)))
            }
            Method::Post { client_id, secret } => {
                form.append_pair("client_id", client_id);
                form.append_pair("client_secret", secret);
                Ok(None)
            }
            Method::PrivateKey(key) => {
                let assertion = key
                    .assertion(issuer)
                    .ok_or_else(|| AuthorizationServerError::Interrupted {
                        issuer: issuer.to_owned(),
                    })?;
                form.append_pair("client_id", &key.client_id);
                form.append_pair("client_assertion_type", JWT_BEARER);
                form.append_pair("client_assertion", &assertion);
                Ok(None)
            }
            Method::Bearer(token) => Ok(authorization("Bearer", token.dangerous_raw_token())),
        }
    }

    /// What is wrong with the settings, if anything.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let (client_id, problem) = match &self.0 {
            Method::Basic { client_id, .. } | Method::Post { client_id, .. } if client_id.is_empty() => (
                client_id,
                "have no client id: write the one that the authorization server gave this server",
            ),
            Method::PrivateKey(key) if key.client_id.is_empty() => (
                &key.client_id,
                "have no client id: write the one that the authorization server gave this server",
            ),
            Method::Basic { client_id, secret } | Method::Post { client_id, secret } if secret.is_empty() => (
                client_id,
                "have no secret: write the one that the authorization server gave this server",
            ),
            Method::Bearer(token) if authorization("Bearer", token.dangerous_raw_token()).is_none() => {
                return Err(ConfigError::InvalidClientCredentials {
                    client_id: "(bearer token)".to_owned(),
                    problem: "have a character that no header can hold: write the token alone, without line breaks",
                });
            }
            _ => return Ok(()),
        };
        Err(ConfigError::InvalidClientCredentials {
            client_id: client_id.clone(),
            problem,
        })
    }
}

impl PrivateKey {
    /// Made anew for each question: `jti` may be used once.
    fn assertion(&self, issuer: &str) -> Option<String> {
        let mut id = [0; 16];
        rand::fill(&mut id).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            // The issuer alone: an assertion that names an endpoint could be for another server that claims the same endpoint.
            "aud": issuer,
            "jti": BASE64_URL_SAFE_NO_PAD.encode(id),
            "iat": now.as_secs(),
            "exp": (now + ASSERTION_LIFETIME).as_secs(),
        });
        jsonwebtoken::encode(&self.header, &claims, &self.key).ok()
    }
}

/// `None` for a text that no header can hold.
fn authorization(scheme: &str, credentials: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {credentials}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, client_id) = match &self.0 {
            Method::Basic { client_id, .. } => ("client_secret_basic", Some(client_id)),
            Method::Post { client_id, .. } => ("client_secret_post", Some(client_id)),
            Method::PrivateKey(key) => ("private_key_jwt", Some(&key.client_id)),
            Method::Bearer(_) => ("bearer", None),
        };
        f.debug_struct("ClientAuthentication")
            .field("method", &method)
            .field("client_id", &client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
