//! Notices that files have changed. What has become of them is for the catalog to find out: it goes by digests.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// How long it must be quiet before a change counts: a copy in progress is many events.
const QUIET: Duration = Duration::from_millis(100);

/// How long a change waits for that at most: stops a file in the folder that is written all the time, a log for one, from keeping
/// every other change from us.
const LATEST: Duration = Duration::from_secs(2);

/// Watches folders. Their files may be replaced by renaming, as good deployments do, or be links that are turned, as in a mounted
/// ConfigMap: so it is the folder that is watched, not the file.
pub struct FileWatch {
    watcher: RecommendedWatcher,
    folders: HashSet<PathBuf>,
    settling: Settling,
}

/// Makes one change of many events. What it knows of a change that has not settled yet it keeps between two waits.
struct Settling {
    events: watch::Receiver<()>,
    /// When the change under way counts; `None`: there is none.
    due: Option<Due>,
}

#[derive(Clone, Copy)]
struct Due {
    /// If nothing more comes.
    quiet: Instant,
    /// Whatever comes.
    latest: Instant,
}

// === impl FileWatch ===

impl FileWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// When the operating system has no watches left.
    pub fn new() -> notify::Result<Self> {
        let (sender, events) = watch::channel(());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Looking at a file is no change of it, and we look at them all the time.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                sender.send_replace(());
            }
        })?;
        Ok(Self { watcher, folders: HashSet::new(), settling: Settling { events, due: None } })
    }

    /// Watches a folder from now on, with its subfolders or without.
    ///
    /// # Errors
    /// When it is not there.
    pub fn folder(&mut self, folder: &Path, recursive: bool) -> notify::Result<()> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if !self.folders.contains(folder) {
            let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            self.watcher.watch(folder, mode)?;
            self.folders.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Waits until something in the folders has changed and it is quiet again, or has not been for two seconds.
    ///
    /// May be dropped at any time, as `select!` does, and called again: no change is lost.
    pub async fn changed(&mut self) {
        self.settling.settled().await;
    }
}

// === impl Settling ===

impl Settling {
    async fn settled(&mut self) {
        loop {
            let Some(due) = self.due else {
                if self.events.changed().await.is_err() {
                    // Nobody is left who could tell.
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

    fn settling() -> (watch::Sender<()>, Settling) {
        let (sender, events) = watch::channel(());
        (sender, Settling { events, due: None })
    }

    /// Whether a change settles within a time.
    async fn settles(settling: &mut Settling, within: Duration) -> bool {
        tokio::time::timeout(within, settling.settled()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn many_events_are_one_change() {
        let (sender, mut settling) = settling();
        for _ in 0..5 {
            sender.send_replace(());
            assert!(!settles(&mut settling, QUIET / 2).await);
        }
        assert!(settles(&mut settling, QUIET).await);
        assert!(!settles(&mut settling, LATEST * 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_not_lost_when_the_wait_for_it_is_dropped() {
        let (sender, mut settling) = settling();
        sender.send_replace(());
        assert!(!settles(&mut settling, QUIET / 2).await);
        tokio::time::advance(QUIET * 10).await;
        assert!(settles(&mut settling, Duration::from_millis(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_written_all_the_time_does_not_hide_the_others() {
        let (sender, mut settling) = settling();
        let writer = tokio::spawn(async move {
            loop {
                sender.send_replace(());
                tokio::time::sleep(QUIET / 4).await;
            }
        });
        assert!(settles(&mut settling, LATEST + QUIET).await);
        writer.abort();
    }
}
