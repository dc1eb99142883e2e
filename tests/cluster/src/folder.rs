//! The folder of a control plane's data, keys and logs. It is removed with the control plane. If the process
//! was killed, the next control plane removes it.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "mizzen-testcluster-";

/// A file that is locked while the folder is in use. The kernel releases the lock with the process.
const LOCK: &str = "in-use";

/// A folder younger than this may not be locked yet.
const YOUNG: Duration = Duration::from_mins(1);

/// A new folder, which only its owner can read. Dropping the value removes it.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Creates a folder among the system's temporary ones.
    pub(crate) fn create() -> io::Result<Self> {
        let parent = env::temp_dir();
        remove_left_behind(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes folders that are not in use. One that can't be removed stays: it has another owner, or the next
/// start tries again.
fn remove_left_behind(parent: &Path) {
    for folder in fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if is_left_behind(&folder).unwrap_or(false) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// `None` when that is unknown.
fn is_left_behind(folder: &Path) -> Option<bool> {
    let ours = folder.file_name()?.to_str()?.starts_with(PREFIX);
    let lock = ours.then(|| File::open(folder.join(LOCK)).ok())??;
    let age = lock.metadata().ok()?.modified().ok()?.elapsed().ok()?;
    Some(age > YOUNG && lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn an_abandoned_folder_is_removed_and_one_in_use_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let [used, left, foreign] = [PREFIX, PREFIX, "other-"].map(|prefix| {
            let folder = parent.path().join(format!("{prefix}{}", fs::read_dir(&parent).unwrap().count()));
            fs::create_dir(&folder).unwrap();
            let lock = File::create(folder.join(LOCK)).unwrap();
            lock.set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
            (folder, lock)
        });
        used.1.lock().unwrap();
        remove_left_behind(parent.path());
        assert_eq!([used.0.exists(), left.0.exists(), foreign.0.exists()], [true, false, true]);
    }

    #[test]
    fn a_folder_that_was_just_created_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        let young = parent.path().join(format!("{PREFIX}young"));
        fs::create_dir(&young).unwrap();
        File::create(young.join(LOCK)).unwrap();
        remove_left_behind(parent.path());
        assert!(young.exists());
    }
}
