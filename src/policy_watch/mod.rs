//! A policy file that comes into force again whenever its content changes.
//!
//! Events of the file system only say when to look; what counts is the content. So an editor's rewrite, an atomic rename, and the swapped symlinks
//! of a Kubernetes `ConfigMap` are all the same thing. A file is taken only when it reads the same twice in a row, so that one that is still being
//! written is not: half of a policy may be a valid policy. Replace a policy by renaming a finished file over it, where you can.
//!
//! What a deployment can break: a mount that never changes in the container (a `ConfigMap` mounted by `subPath`) cannot be reloaded.

mod file;
mod watch;

use std::{path::PathBuf, time::Duration};

use mcp_auth_policy::Policy;
use tokio::task::JoinHandle;

pub use self::file::PolicyFileError;
use self::{file::Source, watch::Watch};
use crate::policy_handle::{PolicyHandle, ReloadMode};

/// Bytes that a policy file may have by default: 1 MiB.
const MAX_BYTES: usize = 1024 * 1024;

/// A policy file, and how it is to be read and reloaded.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use mcp_auth::{PolicyFile, ReloadMode};
///
/// let (policy, watcher) = PolicyFile::new("policies/todo.yaml").reload_mode(ReloadMode::NarrowOnly).open()?;
/// // `policy` goes to `McpAuth::builder(…).policy(…)`. The file is watched until `watcher` is dropped.
/// # drop((policy, watcher));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PolicyFile {
    source: Source,
    mode: ReloadMode,
    debounce: Duration,
    sighup: bool,
}

/// Watches a policy file until it is dropped.
#[derive(Debug)]
#[must_use = "the file is watched only until this is dropped"]
pub struct PolicyWatcher(JoinHandle<()>);

impl PolicyFile {
    /// Names the file. Messages call it by this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            source: Source {
                path: path.into(),
                max_bytes: MAX_BYTES,
            },
            mode: ReloadMode::Any,
            debounce: Duration::from_millis(100),
            sighup: true,
        }
    }

    /// Sets the size limit in bytes. Default 1 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.source.max_bytes = bytes;
        self
    }

    /// Sets which policies a reload may put in force. Default [`ReloadMode::Any`].
    pub fn reload_mode(mut self, mode: ReloadMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets how long a changed file must stay as it is before it is taken. Default 100 ms.
    pub fn debounce(mut self, quiet: Duration) -> Self {
        self.debounce = quiet;
        self
    }

    /// Leaves SIGHUP alone. Default: on Unix the signal makes the file be read again at once, and no longer ends the process.
    pub fn without_sighup(mut self) -> Self {
        self.sighup = false;
        self
    }

    /// Reads the file once, without watching it.
    ///
    /// # Errors
    /// It cannot be read, or has mistakes: all of them.
    pub fn load(&self) -> Result<Policy, PolicyFileError> {
        self.source.parse(&self.source.read()?)
    }

    /// Reads the file and begins to watch it. Call it in a tokio runtime.
    ///
    /// A change that cannot be read, has mistakes or is refused leaves the old policy in force, is logged once as an error, and stays in
    /// [`PolicyHandle::status`] until it is mended. Where the operating system cannot watch, the file is still read every 30 seconds.
    ///
    /// # Errors
    /// As [`load`](Self::load), and if there is no tokio runtime.
    pub fn open(self) -> Result<(PolicyHandle, PolicyWatcher), PolicyFileError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| PolicyFileError::NoRuntime)?;
        // Watching begins first, so that no change between reading and watching is missed.
        let mut watch = Watch::new(self.source, self.debounce, self.sighup);
        let content = watch.source.read()?;
        let handle = PolicyHandle::new(watch.source.parse(&content)?, self.mode);
        watch.last = Ok(content);
        let task = runtime.spawn(watch.run(handle.clone()));
        Ok((handle, PolicyWatcher(task)))
    }
}

impl Drop for PolicyWatcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}
