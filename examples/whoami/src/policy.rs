//! Finds and loads the policy.

use std::path::Path;

use mcp_auth::{Policy, PolicyErrors, PolicyFile, PolicyFileError, PolicyHandle, PolicyWatcher};

/// The policy as it was when this binary was built.
const BUILT_IN: &str = include_str!("../../../policies/whoami.yaml");
/// Wins over the built-in policy if it exists.
const LOCAL: &str = "./policies/whoami.yaml";

/// A policy and where it came from.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The policy in force.
    pub policy: PolicyHandle,
    /// The path of its file, or a word for the built-in one.
    pub source: String,
    /// Watches the file, if there is one.
    pub watcher: Option<PolicyWatcher>,
}

/// The policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read or watched.
    #[error("{0}; set `--policy` (MCP_AUTH_POLICY) to a readable file")]
    File(PolicyFileError),
    /// The file has mistakes.
    #[error("the policy has mistakes (`mcp-policy check` shows the same without a server)\n{0}")]
    Invalid(PolicyErrors),
}

impl From<PolicyFileError> for PolicyError {
    fn from(error: PolicyFileError) -> Self {
        match error {
            PolicyFileError::Invalid(errors) => Self::Invalid(errors),
            error => Self::File(error),
        }
    }
}

/// Loads the named file, else `./policies/whoami.yaml` if there is one, else the built-in policy. A file is read again when it changes.
///
/// # Errors
/// The file cannot be read, or has mistakes. There is no falling back to another policy then.
pub fn load(named: Option<&Path>) -> Result<LoadedPolicy, PolicyError> {
    let path = named.unwrap_or(Path::new(LOCAL));
    if named.is_none() && !path.exists() {
        let policy = Policy::loader().file_name("built in").parse(BUILT_IN);
        return Ok(LoadedPolicy {
            policy: policy.map_err(PolicyError::Invalid)?.into(),
            source: "built in".to_owned(),
            watcher: None,
        });
    }
    let (policy, watcher) = PolicyFile::new(path).open()?;
    Ok(LoadedPolicy {
        policy,
        source: path.display().to_string(),
        watcher: Some(watcher),
    })
}
