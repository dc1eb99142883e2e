//! Reports that files have changed; the catalog finds out by digests which of them did.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The time without events after which a change is reported: copying a file causes many events.
const QUIET: Duration = Duration::from_millis(100);

/// The most time until a change is reported: a file that is written all the time, such as a log,
/// must not hide all other changes.
const LATEST: Duration = Duration::from_secs(2);

/// Watches folders, not files: files may be replaced by renaming, or be symbolic links that are
/// replaced, as in a mounted ConfigMap.
pub struct FileWatch {
    watcher: RecommendedWatcher,
    folders: HashSet<PathBuf>,
    debounce: Debounce,
}

/// How much of a folder is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The files in the folder.
    Folder,
    /// The files in the folder and all of its subfolders.
    Tree,
}

/// Turns many events into one change. A change that is not reported yet is kept between two waits.
struct Debounce {
    events: watch::Receiver<()>,
    /// When the pending change is reported; `None`: there is none.
    due: Option<Due>,
}

#[derive(Clone, Copy)]
struct Due {
    /// If there are no further events.
    quiet: Instant,
    /// In any case.
    latest: Instant,
}

// === impl FileWatch ===

impl FileWatch {
    /// A watch without folders.
    ///
    /// # Errors
    /// When the operating system has no watches left.
    pub fn new() -> notify::Result<Self> {
        let (sender, events) = watch::channel(());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is not a change, and the catalog reads its files often.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                sender.send_replace(());
            }
        })?;
        Ok(Self { watcher, folders: HashSet::new(), debounce: Debounce { events, due: None } })
    }

    /// Watches a folder from now on.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn folder(&mut self, folder: &Path, depth: Depth) -> notify::Result<()> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if !self.folders.contains(folder) {
            let mode = match depth {
                Depth::Folder => RecursiveMode::NonRecursive,
                Depth::Tree => RecursiveMode::Recursive,
            };
            self.watcher.watch(folder, mode)?;
            self.folders.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Waits for a change in the folders: until there are no further events for a moment, or for at
    /// most two seconds.
    ///
    /// Cancel safe: if the future is dropped, as by `select!`, no change is lost.
    pub async fn changed(&mut self) {
        self.debounce.changed().await;
    }
}

// === impl Debounce ===

impl Debounce {
    async fn changed(&mut self) {
        loop {
            let Some(due) = self.due else {
                if self.events.changed().await.is_err() {
                    // The watcher is gone: there will be no events.
                    std::future::pending::<()>().await;
                }
                let now = Instant::now();
                self.due = Some(Due { quiet: now + QUIET, latest: now + LATEST });
                continue;
            };
            match timeout_at(due.quiet.min(due.latest), self.events.changed()).await {
                Ok(Ok(())) if Instant::now() < due.latest => {
                    self.due = Some(Due { quiet: Instant::now() + QUIET, ..due });
                }
                _ => {
                    self.due = None;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debounce() -> (watch::Sender<()>, Debounce) {
        let (sender, events) = watch::channel(());
        (sender, Debounce { events, due: None })
    }

    /// Whether a change is reported within a time.
    async fn reports(debounce: &mut Debounce, within: Duration) -> bool {
        tokio::time::timeout(within, debounce.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn many_events_are_one_change() {
        let (sender, mut debounce) = debounce();
        for _ in 0..5 {
            sender.send_replace(());
            assert!(!reports(&mut debounce, QUIET / 2).await);
        }
        assert!(reports(&mut debounce, QUIET).await);
        assert!(!reports(&mut debounce, LATEST * 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_not_lost_when_the_wait_for_it_is_dropped() {
        let (sender, mut debounce) = debounce();
        sender.send_replace(());
        assert!(!reports(&mut debounce, QUIET / 2).await);
        tokio::time::advance(QUIET * 10).await;
        assert!(reports(&mut debounce, Duration::from_millis(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_written_all_the_time_does_not_hide_other_changes() {
        let (sender, mut debounce) = debounce();
        let writer = tokio::spawn(async move {
            loop {
                sender.send_replace(());
                tokio::time::sleep(QUIET / 4).await;
            }
        });
        assert!(reports(&mut debounce, LATEST + QUIET).await);
        writer.abort();
    }
}
