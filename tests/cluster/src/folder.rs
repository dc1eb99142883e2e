//! The folder of a control plane's data, keys and logs. It goes with the control plane; one whose process was killed is removed by the next that starts.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "mizzen-testcluster-";

/// Locked for as long as the folder is in use. The lock ends with the process, however that ends.
const CLAIM: &str = "in-use";

/// A folder younger than this may be about to be claimed.
const YOUNG: Duration = Duration::from_mins(1);

/// A new folder, which only its owner can read. Dropping the value removes it.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _claim: File,
}

impl Folder {
    /// Makes a folder among the system's temporary ones.
    pub(crate) fn create() -> io::Result<Self> {
        let parent = env::temp_dir();
        remove_left_behind(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let claim = File::create(folder.path().join(CLAIM))?;
        claim.lock()?;
        Ok(Self { folder, _claim: claim })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders that nobody uses. What can't be removed stays: it is somebody else's, or the next start tries again.
fn remove_left_behind(parent: &Path) {
    for folder in fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if is_left_behind(&folder).unwrap_or(false) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// `None`: it can't be told.
fn is_left_behind(folder: &Path) -> Option<bool> {
    let ours = folder.file_name()?.to_str()?.starts_with(PREFIX);
    let claim = ours.then(|| File::open(folder.join(CLAIM)).ok())??;
    let age = claim.metadata().ok()?.modified().ok()?.elapsed().ok()?;
    Some(age > YOUNG && claim.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_folder_that_was_left_behind_is_removed_and_one_in_use_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let [used, left, foreign] = [PREFIX, PREFIX, "other-"].map(|prefix| {
            let folder = parent.path().join(format!("{prefix}{}", fs::read_dir(&parent).unwrap().count()));
            fs::create_dir(&folder).unwrap();
            let claim = File::create(folder.join(CLAIM)).unwrap();
            claim.set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
            (folder, claim)
        });
        used.1.lock().unwrap();
        remove_left_behind(parent.path());
        assert_eq!([used.0.exists(), left.0.exists(), foreign.0.exists()], [true, false, true]);
    }

    #[test]
    fn a_folder_that_is_just_being_made_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        let young = parent.path().join(format!("{PREFIX}young"));
        fs::create_dir(&young).unwrap();
        File::create(young.join(CLAIM)).unwrap();
        remove_left_behind(parent.path());
        assert!(young.exists());
    }
}
