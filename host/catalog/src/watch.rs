//! Notices that files have changed. What has become of them is for the catalog to find out: it goes by digests.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// How long it must be quiet before a change counts: a copy in progress is many events.
const QUIET: Duration = Duration::from_millis(100);

/// Watches folders. Their files may be replaced by renaming, as good deployments do, or be links that are turned, as in a mounted
/// ConfigMap: so it is the folder that is watched, not the file.
pub struct FileWatch {
    watcher: RecommendedWatcher,
    folders: HashSet<PathBuf>,
    events: mpsc::UnboundedReceiver<()>,
}

// === impl FileWatch ===

impl FileWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// When the operating system has no watches left.
    pub fn new() -> notify::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Looking at a file is no change of it, and we look at them all the time.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = sender.send(());
            }
        })?;
        Ok(Self { watcher, folders: HashSet::new(), events })
    }

    /// Watches a folder from now on, with its subfolders or without.
    ///
    /// # Errors
    /// When it is not there.
    pub fn folder(&mut self, folder: &Path, recursive: bool) -> notify::Result<()> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if self.folders.insert(folder.to_owned()) {
            let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            self.watcher.watch(folder, mode)?;
        }
        Ok(())
    }

    /// Waits until something in the folders has changed and it is quiet again.
    pub async fn changed(&mut self) {
        if self.events.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while tokio::time::timeout(QUIET, self.events.recv()).await.is_ok_and(|event| event.is_some()) {}
    }
}
