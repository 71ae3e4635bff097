//! The task that looks at a policy file whenever something tells it to.

use std::{
    collections::BTreeSet,
    future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::Notify,
    task::spawn_blocking,
    time::{self, MissedTickBehavior},
};

use super::file::Source;
use crate::policy_handle::PolicyHandle;

/// How often the file is read although nothing was heard: events get lost, and network file systems have none.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// How often a file that keeps changing is read again before the task waits for the next event.
const PATIENCE: usize = 50;

/// What was read last, and perhaps refused: the same is not tried again. An unreadable file is known by its message.
type Content = Result<Vec<u8>, String>;

/// One watched file.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) source: Source,
    pub(super) last: Content,
    debounce: Duration,
    changed: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    hangup: Hangup,
}

impl Watch {
    pub(super) fn new(source: Source, debounce: Duration, sighup: bool) -> Self {
        let changed = Arc::new(Notify::new());
        let heard = Arc::clone(&changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Reading the file is an event too, and must not lead to the next reading.
            if event.is_ok_and(|event| !is_reading(event.kind)) {
                heard.notify_one();
            }
        });
        let watcher = watcher
            .inspect_err(
                |error| tracing::warn!(%error, "cannot watch the policy's folder; it is read every 30 seconds"),
            )
            .ok();
        let mut watch = Self {
            source,
            last: Ok(Vec::new()),
            debounce,
            changed,
            watcher,
            folders: BTreeSet::new(),
            hangup: Hangup::new(sighup),
        };
        watch.follow();
        watch
    }

    /// Looks at the file whenever there is a reason, for ever.
    pub(super) async fn run(mut self, handle: PolicyHandle) {
        let mut anyway = time::interval(LOOK_ANYWAY);
        anyway.set_missed_tick_behavior(MissedTickBehavior::Delay);
        anyway.reset();
        loop {
            let asked = tokio::select! {
                () = self.changed.notified() => false,
                _ = anyway.tick() => false,
                () = self.hangup.received() => true,
            };
            let Some(content) = self.settled().await else { continue };
            self.follow();
            if content != self.last || (asked && handle.status().last_error().is_some()) {
                self.last = content.clone();
                let (source, handle) = (self.source.clone(), handle.clone());
                // Compiling 100,000 tools takes a good part of a second; requests must not wait for it. A panic in there changes no policy.
                let _ = spawn_blocking(move || put_in_force(&source, content, &handle)).await;
            } else if asked {
                tracing::info!(revision = handle.current().revision(), "the policy file is unchanged");
            }
        }
    }

    /// Reads the file until it reads the same twice. `None` if it never does; the writer's next event comes.
    async fn settled(&self) -> Option<Content> {
        let mut before = self.read().await?;
        if before == self.last {
            return Some(before);
        }
        for _ in 0..PATIENCE {
            time::sleep(self.debounce).await;
            let now = self.read().await?;
            if now == before {
                return Some(now);
            }
            before = now;
        }
        None
    }

    async fn read(&self) -> Option<Content> {
        let source = self.source.clone();
        let read = spawn_blocking(move || source.read().map_err(|error| error.to_string()));
        read.await.ok()
    }

    /// Watches the folder of the file and, if it is a symlink, the folder of what it leads to now. A folder is watched, not the file: a rename
    /// puts another file in its place.
    fn follow(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let folders = folders(&self.source.path);
        for gone in self.folders.difference(&folders) {
            // Most likely it is not there any more.
            let _ = watcher.unwatch(gone);
        }
        self.folders = folders
            .into_iter()
            .filter(|folder| {
                if self.folders.contains(folder) {
                    return true;
                }
                let watched = watcher.watch(folder, RecursiveMode::NonRecursive);
                if let Err(error) = &watched {
                    tracing::warn!(%error, folder = %folder.display(), "cannot watch a folder of the policy; it is read every 30 seconds");
                }
                watched.is_ok()
            })
            .collect();
    }
}

fn put_in_force(source: &Source, content: Content, handle: &PolicyHandle) {
    let policy = content.and_then(|content| source.parse(&content).map_err(|error| error.to_string()));
    match policy {
        // A refusal is logged and kept by the handle.
        Ok(policy) => drop(handle.replace(policy)),
        Err(problem) => handle.report_failure(&problem),
    }
}

fn folders(path: &Path) -> BTreeSet<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let leads_to = path.canonicalize().ok();
    let mut folders: BTreeSet<_> = leads_to.as_deref().map(folder).into_iter().collect();
    // The same folder by another name would be watched twice.
    let named = folder(path);
    folders.insert(named.canonicalize().unwrap_or(named));
    folders
}

fn is_reading(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    }
}

/// SIGHUP, where there is such a thing.
#[derive(Debug)]
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    #[cfg(unix)]
    fn new(wanted: bool) -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signal = wanted.then(|| signal(SignalKind::hangup()));
        let signal = signal.and_then(|signal| {
            signal
                .inspect_err(|error| tracing::warn!(%error, "cannot listen for SIGHUP"))
                .ok()
        });
        Self { signal }
    }

    #[cfg(not(unix))]
    fn new(_: bool) -> Self {
        Self {}
    }

    async fn received(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        future::pending().await
    }
}
