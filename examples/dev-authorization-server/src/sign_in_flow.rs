//! The steps of the authorization code flow, as a client takes them.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use url::Url;

use crate::{
    loopback::is_loopback,
    secret,
    sign_in::{AccessToken, SignIn, SignInError},
    sign_in_form::SignInForm,
};

/// Never fetched: the answer is read from the `Location` header.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    registration_endpoint: Url,
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// The sign-in page and the cookies it came with.
pub(crate) struct Page {
    html: String,
    cookies: String,
}

/// One sign-in under way.
pub(crate) struct Flow<'a> {
    request: &'a SignIn,
    http: Client,
    metadata: Metadata,
}

impl<'a> Flow<'a> {
    /// Reads the metadata of the issuer and checks that it is the issuer's own (RFC 8414 section 3.3).
    pub(crate) async fn start(request: &'a SignIn) -> Result<Self, SignInError> {
        let issuer = &request.issuer;
        let invalid = || SignInError::Issuer(issuer.clone());
        let url = Url::parse(issuer).map_err(|_| invalid())?;
        if url.scheme() != "http" || !is_loopback(&url) {
            return Err(invalid());
        }
        // No proxy can reach this machine's loopback, and no redirect may lead away from it.
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT);
        let http = http.build().map_err(|source| unreachable(issuer, source))?;
        // The well-known part goes in front of the issuer's path (RFC 8414 section 3.1).
        let mut document = url.clone();
        document.set_path(&format!(
            "/.well-known/oauth-authorization-server{}",
            url.path().trim_end_matches('/')
        ));
        document.set_query(None);
        let document = http.get(document);
        let response = send(issuer, document).await?;
        let metadata: Metadata = json(issuer, "the metadata", response).await?;
        let endpoints = [
            &metadata.authorization_endpoint,
            &metadata.token_endpoint,
            &metadata.registration_endpoint,
        ];
        if metadata.issuer != *issuer || endpoints.iter().any(|endpoint| endpoint.origin() != url.origin()) {
            return Err(unexpected(issuer, "the metadata", "it is that of another issuer"));
        }
        Ok(Self {
            request,
            http,
            metadata,
        })
    }

    /// Registers this program and returns its client id.
    pub(crate) async fn register(&self) -> Result<String, SignInError> {
        let metadata = json!({
            "client_name": "dev-authorization-server token",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        });
        let response = self
            .send(
                self.http
                    .post(self.metadata.registration_endpoint.clone())
                    .json(&metadata),
            )
            .await?;
        let registered: Registered = json(&self.request.issuer, "the registration", response).await?;
        Ok(registered.client_id)
    }

    /// Asks for the sign-in page.
    pub(crate) async fn authorize(
        &self,
        client_id: &str,
        code_challenge: &str,
        state: &str,
    ) -> Result<Page, SignInError> {
        let mut url = self.metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("code_challenge", code_challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", state)
            .extend_pairs(self.request.resource.iter().map(|resource| ("resource", resource)));
        if !self.request.scopes.is_empty() {
            url.query_pairs_mut()
                .append_pair("scope", &self.request.scopes.join(" "));
        }
        let response = self.send(self.http.get(url)).await?;
        if let Some(location) = location(&response) {
            // Refused before anybody saw a page.
            self.code(&location, state)?;
        }
        if response.status() != StatusCode::OK {
            return Err(self.unexpected("the sign-in page", format!("status {}", response.status())));
        }
        let cookies = response.headers().get_all(header::SET_COOKIE).iter();
        let cookies: Vec<&str> = cookies
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .collect();
        let cookies = cookies.join("; ");
        let html = response
            .text()
            .await
            .map_err(|source| unreachable(&self.request.issuer, source))?;
        Ok(Page { html, cookies })
    }

    /// Sends the form as the user, and returns where the server sends the browser.
    pub(crate) async fn allow(&self, page: Page) -> Result<Url, SignInError> {
        let step = "the sign-in page";
        let form = SignInForm::parse(&page.html).ok_or_else(|| self.unexpected(step, "it has no form"))?;
        let user = &self.request.user;
        if !form.users.contains(user) {
            return Err(SignInError::User {
                user: user.clone(),
                known: form.users,
            });
        }
        let fields = [
            ("request", form.request_id.as_str()),
            ("user", user),
            ("decision", "allow"),
        ];
        let post = self.http.post(self.metadata.authorization_endpoint.clone());
        let response = self
            .send(post.header(header::COOKIE, page.cookies).form(&fields))
            .await?;
        location(&response).ok_or_else(|| self.unexpected("the sign-in form", format!("status {}", response.status())))
    }

    /// Reads the authorization response: first whether it is an answer to this request, then what it says.
    pub(crate) fn code(&self, location: &Url, state: &str) -> Result<String, SignInError> {
        let get = |name: &str| {
            location
                .query_pairs()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        let mut target = location.clone();
        target.set_query(None);
        if target.as_str() != REDIRECT_URI {
            return Err(SignInError::Mismatch("redirect_uri"));
        }
        if !get("state").is_some_and(|answered| secret::equal(&answered, state)) {
            return Err(SignInError::Mismatch("state"));
        }
        if get("iss").as_ref() != Some(&self.request.issuer) {
            return Err(SignInError::Mismatch("iss"));
        }
        if let Some(error) = get("error") {
            return Err(SignInError::Refused {
                error,
                description: get("error_description").unwrap_or_default(),
            });
        }
        get("code").ok_or_else(|| self.unexpected("the authorization response", "it has no code"))
    }

    /// Exchanges the code for the token.
    pub(crate) async fn token(&self, client_id: &str, code: &str, verifier: &str) -> Result<AccessToken, SignInError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code", code),
            ("code_verifier", verifier),
        ];
        form.extend(self.request.resource.as_deref().map(|resource| ("resource", resource)));
        let response = self
            .send(self.http.post(self.metadata.token_endpoint.clone()).form(&form))
            .await?;
        let response: TokenResponse = json(&self.request.issuer, "the token", response).await?;
        Ok(AccessToken {
            token: response.access_token,
            scopes: response.scope.split_ascii_whitespace().map(str::to_owned).collect(),
        })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, SignInError> {
        send(&self.request.issuer, request).await
    }

    fn unexpected(&self, step: &'static str, problem: impl Into<String>) -> SignInError {
        unexpected(&self.request.issuer, step, problem)
    }
}

async fn send(issuer: &str, request: RequestBuilder) -> Result<Response, SignInError> {
    request.send().await.map_err(|source| unreachable(issuer, source))
}

/// Reads the JSON of a successful response, or the OAuth error of another.
async fn json<T: DeserializeOwned>(issuer: &str, step: &'static str, response: Response) -> Result<T, SignInError> {
    let status = response.status();
    let body = response.bytes().await.map_err(|source| unreachable(issuer, source))?;
    if status.is_success() {
        // A parse error would quote the body, and a body may hold a token.
        return serde_json::from_slice(&body).map_err(|_| unexpected(issuer, step, "it is not the expected JSON"));
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => Err(SignInError::Refused {
            error: refusal.error,
            description: refusal.error_description,
        }),
        Err(_) => Err(unexpected(issuer, step, format!("status {status}"))),
    }
}

fn location(response: &Response) -> Option<Url> {
    Url::parse(response.headers().get(header::LOCATION)?.to_str().ok()?).ok()
}

fn unreachable(issuer: &str, source: reqwest::Error) -> SignInError {
    SignInError::Unreachable {
        issuer: issuer.to_owned(),
        // URLs of this flow have the code challenge and the state in them.
        source: source.without_url(),
    }
}

fn unexpected(issuer: &str, step: &'static str, problem: impl Into<String>) -> SignInError {
    SignInError::Unexpected {
        issuer: issuer.to_owned(),
        step,
        problem: problem.into(),
    }
}
