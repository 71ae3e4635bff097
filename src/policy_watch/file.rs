//! Reading a policy file.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

use mcp_auth_policy::{Policy, PolicyErrors};

/// A policy file cannot be used. `Debug` shows what `Display` shows, since that is what a `main` that returns an error prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// It cannot be read.
    #[error("cannot read the policy `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// It has mistakes.
    #[error("{0}")]
    Invalid(PolicyErrors),
    /// There is nothing that could watch it.
    #[error("a policy file can only be watched in a tokio runtime")]
    NoRuntime,
}

impl fmt::Debug for PolicyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A file and its size limit.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) max_bytes: usize,
}

impl Source {
    /// Reads the content, at most one byte more than the limit: enough for the parser to refuse it.
    pub(super) fn read(&self) -> Result<Vec<u8>, PolicyFileError> {
        let read = || {
            let limit = u64::try_from(self.max_bytes).unwrap_or(u64::MAX);
            let mut content = Vec::new();
            File::open(&self.path)?
                .take(limit.saturating_add(1))
                .read_to_end(&mut content)?;
            Ok(content)
        };
        read().map_err(|error| PolicyFileError::Unreadable {
            path: self.path.clone(),
            error,
        })
    }

    pub(super) fn parse(&self, content: &[u8]) -> Result<Policy, PolicyFileError> {
        Policy::loader()
            .file_name(self.path.display().to_string())
            .max_bytes(self.max_bytes)
            .parse_bytes(content)
            .map_err(PolicyFileError::Invalid)
    }
}
