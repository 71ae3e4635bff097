//! The members that the body of every refusal has.

use std::time::Duration;

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

/// The JSON body of a refused request. Nothing in it repeats a token, a claim or an upstream answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RefusalBody<'a> {
    /// The code of RFC 6750 section 3.1, exactly if the challenge has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'static str>,
    /// A sentence for people and models.
    pub(crate) error_description: &'a str,
    /// The finer code; where the Node and Python libraries have one, it is theirs.
    pub(crate) reason: &'static str,
    /// What the token lacks of the challenge's scopes.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) missing_scopes: &'a [String],
    /// Names the request in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<&'a str>,
}

impl RefusalBody<'_> {
    pub(crate) fn to_value(&self) -> Value {
        json!(self)
    }

    /// The plain form.
    pub(crate) fn to_response(&self, status: StatusCode) -> Response {
        json_response(status, &self.to_value())
    }

    /// The form for a request that was JSON-RPC: an error whose code is the HTTP status.
    pub(crate) fn to_json_rpc_response(&self, status: StatusCode, id: Option<&Value>) -> Response {
        let error = json!({ "code": status.as_u16(), "message": self.error_description, "data": self.to_value() });
        json_response(status, &json!({ "jsonrpc": "2.0", "id": id, "error": error }))
    }
}

/// The value of `Retry-After`: whole seconds (RFC 9110 section 10.2.3), rounded up, at least one: never earlier than the time that was meant.
pub(crate) fn retry_after(wait: Duration) -> HeaderValue {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}

/// A JSON answer that no cache may keep.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
