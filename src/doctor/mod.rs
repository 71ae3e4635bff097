//! `mcp-auth doctor`: judges a live issuer by what it publishes.
//!
//! For the binary, and no part of the public API. It looks where the library looks, refuses what the library refuses, and sends no
//! credentials. Texts of the issuer are shown escaped.

mod key_set;
mod metadata;
mod report;

use std::{
    convert::Infallible,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;

use self::report::Findings;
pub use self::report::{Change, Key, Location, Problem, Report, Severity, Works};
use crate::{
    discovery::{self, ServerType},
    error::{AuthorizationServerError, ConfigError},
    metadata::AuthorizationServerMetadata,
    secure_url,
    verify::{AuthorizationServer, AuthorizationServerBuilder},
};

/// Where to look for the metadata.
#[derive(Debug, Clone)]
pub enum Source {
    /// At the well-known locations of this kind.
    WellKnown(ServerType),
    /// At this URL alone.
    Url(String),
}

/// Why there is no report.
#[derive(Debug)]
pub enum NoReport {
    /// The issuer or the URL cannot be used.
    Settings(ConfigError),
    /// The metadata cannot be fetched or read.
    Issuer(AuthorizationServerError),
}

impl NoReport {
    /// Returns the code for programs, that of the Node and Python libraries.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings(_) => "invalid_server_config",
            Self::Issuer(AuthorizationServerError::Malformed { .. }) => "invalid_server_metadata",
            Self::Issuer(_) => "fetch_server_config_error",
        }
    }

    /// Returns what happened and what to do, on one line.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Settings(error) => error.to_string(),
            Self::Issuer(error) => explain(error),
        }
    }
}

/// Examines an issuer, for a resource if one is named. Every fetch has to end within `deadline`.
///
/// # Errors
/// When there is no metadata to judge, or the resource can be none.
pub async fn examine(
    issuer: &str,
    resource: Option<&str>,
    source: &Source,
    deadline: Duration,
) -> Result<Report, NoReport> {
    if let Some(resource) = resource {
        secure_url::parse_setting("resource", resource).map_err(NoReport::Settings)?;
    }
    let begin = || AuthorizationServer::builder(issuer).fetch_deadline(deadline);
    let builder = match source {
        Source::WellKnown(server_type) => begin().server_type(*server_type),
        Source::Url(url) => begin().metadata_url(url),
    };
    // Discovery ends where the library's ends, so a location that is found later is not an answer.
    let (metadata, names) = fetch(issuer, builder).await?;

    let mut findings = Findings::default();
    if let Some(names) = names {
        mismatch(issuer, &names, &mut findings);
    }
    let locations = match source {
        Source::Url(url) => vec![found(url.clone())],
        Source::WellKnown(server_type) => {
            let url = secure_url::parse_setting("issuer", issuer).map_err(NoReport::Settings)?;
            let urls = discovery::locations(&url, *server_type);
            let mut locations = Vec::with_capacity(urls.len());
            for url in urls {
                let answer = fetch(issuer, begin().metadata_url(url.as_str())).await;
                locations.push(location(url.to_string(), answer)?);
            }
            metadata::judge_locations(&locations, *server_type, &mut findings);
            locations
        }
    };
    metadata::judge(&metadata, resource, &mut findings);
    let (keys, jwt) = key_set::judge(&metadata, deadline, &mut findings)
        .await
        .map_err(NoReport::Settings)?;
    let modes = metadata::judge_modes(&metadata, jwt, &mut findings);
    Ok(findings.report(issuer, locations, modes, keys))
}

/// Fetches the metadata as the library does, but where it names another issuer, goes on and says which.
async fn fetch(
    issuer: &str,
    builder: AuthorizationServerBuilder,
) -> Result<(AuthorizationServerMetadata, Option<String>), NoReport> {
    let names = Arc::new(Mutex::new(None));
    let (expected, note) = (issuer.to_owned(), Arc::clone(&names));
    let builder = builder.correct_metadata(move |mut members| {
        if let Some(Value::String(named)) = members.get_mut("issuer")
            && *named != expected
        {
            let named = std::mem::replace(named, expected.clone());
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(named);
        }
        async { Ok::<_, Infallible>(members) }
    });
    let server = builder.build().map_err(NoReport::Settings)?;
    let metadata = server.metadata().await.map_err(NoReport::Issuer)?;
    let names = names.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok((metadata, names))
}

fn mismatch(issuer: &str, names: &str, findings: &mut Findings) {
    let names: String = names.chars().take(200).collect();
    findings.change(
        Severity::Error,
        "issuer_mismatch",
        format!("the metadata says that its issuer is {names:?}, not {issuer:?}: this server and MCP clients refuse it (RFC 8414 section 3.3)"),
        format!(
            "configure {names:?} letter by letter if that is the `iss` of its tokens; otherwise let the provider write {issuer:?} in its metadata and its tokens"
        ),
    );
}

fn found(url: String) -> Location {
    Location {
        url,
        found: true,
        problem: None,
    }
}

/// What one well-known location answered.
fn location<T>(url: String, answer: Result<T, NoReport>) -> Result<Location, NoReport> {
    let problem = match answer {
        Ok(_) => return Ok(found(url)),
        Err(NoReport::Issuer(AuthorizationServerError::NoMetadata { .. })) => "no document there".to_owned(),
        Err(NoReport::Issuer(error)) => explain(&error),
        Err(settings) => return Err(settings),
    };
    Ok(Location {
        url,
        found: false,
        problem: Some(problem),
    })
}

/// An error with its deepest cause, on one line.
fn explain(error: &AuthorizationServerError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    if let Some(cause) = cause {
        text.push_str(&format!(" ({cause})"));
    }
    text.replace(char::is_control, " ")
}
