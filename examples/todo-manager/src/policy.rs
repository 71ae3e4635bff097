//! Finds and loads the policy.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use mcp_auth::{Policy, PolicyErrors};

/// The policy as it was when this binary was built.
const BUILT_IN: &str = include_str!("../../../policies/todo.yaml");
/// Wins over the built-in policy if it exists.
const LOCAL: &str = "./policies/todo.yaml";

/// A policy and where it came from.
#[derive(Debug, Clone)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The path of its file, or a word for the built-in one.
    pub source: String,
}

/// The policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("cannot read the policy `{}`: {error}; set `--policy` (MCP_AUTH_POLICY) to a readable file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The file has mistakes.
    #[error("the policy has mistakes (`mcp-policy check` shows the same without a server)\n{0}")]
    Invalid(PolicyErrors),
}

/// Loads the named file, else `./policies/todo.yaml` if there is one, else the built-in policy.
///
/// # Errors
/// The file cannot be read, or has mistakes. There is no falling back to another policy then.
pub fn load(named: Option<&Path>) -> Result<LoadedPolicy, PolicyError> {
    let path = named.unwrap_or(Path::new(LOCAL));
    let (text, source) = match fs::read(path) {
        Ok(text) => (text, path.display().to_string()),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            (BUILT_IN.into(), "built in".to_owned())
        }
        Err(error) => {
            return Err(PolicyError::Unreadable {
                path: path.to_owned(),
                error,
            });
        }
    };
    let policy = Policy::loader()
        .file_name(&source)
        .parse_bytes(&text)
        .map_err(PolicyError::Invalid)?;
    Ok(LoadedPolicy {
        policy: Arc::new(policy),
        source,
    })
}
