//! The folder of earlier builds. A folder's name covers the versions and flags of its contents, so
//! that it is never out of date.
//! it, so that nothing in it is ever out of date.

use std::env;
use std::fs::{self, File};
use std::path::{self, Path, PathBuf};

use crate::error::GoError;

/// A part of the project's cache, e.g. `controlplane`.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

/// The folder that an environment variable names, made absolute, since `go` runs in another one;
/// `None` when unset or empty.
pub fn folder_from_env(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).and_then(|value| path::absolute(value).ok())
}

// === impl Cache ===

impl Cache {
    /// The project's cache folder: `MIZZEN_CACHE`, or `mizzen` in the user's.
    pub fn project() -> Result<PathBuf, GoError> {
        folder_from_env("MIZZEN_CACHE")
            .or_else(|| Some(folder_from_env("XDG_CACHE_HOME")?.join("mizzen")))
            .or_else(|| Some(folder_from_env("HOME")?.join(".cache/mizzen")))
            .ok_or(GoError::NoCache)
    }

    /// Opens a part of the cache in `project`; creates its folder if necessary.
    pub fn open(project: &Path, part: &str) -> Result<Self, GoError> {
        let root = project.join(part);
        create_dir(&root)?;
        Ok(Self { root })
    }

    /// A folder in it. Its name must cover all that its contents depend on.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Creates what is missing, in one process of this machine at a time. The lock is released with
    /// the process, however it ends.
    /// process that holds it, however that ends.
    pub fn unless_there<E: From<GoError>>(
        &self,
        paths: &[PathBuf],
        make: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let there = || paths.iter().all(|path| path.is_file());
        if there() {
            return Ok(());
        }
        let path = self.root.join("build.lock");
        let lock = File::create(&path).map_err(GoError::io("lock", &path))?;
        if lock.try_lock().is_err() {
            eprintln!("waiting for another process that builds what is needed here");
            lock.lock().map_err(GoError::io("lock", &path))?;
        }
        if there() { Ok(()) } else { make() }
    }
}

/// Creates a folder and its parents.
pub(crate) fn create_dir(path: &Path) -> Result<(), GoError> {
    fs::create_dir_all(path).map_err(GoError::io("make", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_entry_is_not_made_again() {
        let project = tempfile::tempdir().unwrap();
        let cache = Cache::open(project.path(), "part").unwrap();
        let path = cache.folder("made");
        let make = || fs::write(&path, "").map_err(GoError::io("write", &path));
        cache.unless_there(std::slice::from_ref(&path), make).unwrap();
        cache.unless_there(&[path], || -> Result<(), GoError> { Err(GoError::NoCache) }).unwrap();
    }

    #[test]
    fn an_entry_that_can_not_be_made_is_an_error_and_is_retried() {
        let project = tempfile::tempdir().unwrap();
        let cache = Cache::open(project.path(), "part").unwrap();
        let path = cache.folder("made");
        let fail = || -> Result<(), GoError> { Err(GoError::NoCache) };
        assert!(cache.unless_there(std::slice::from_ref(&path), fail).is_err());
        let make = || fs::write(&path, "").map_err(GoError::io("write", &path));
        cache.unless_there(std::slice::from_ref(&path), make).unwrap();
    }
}
