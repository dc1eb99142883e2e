//! The folder of what was built before. A folder's name covers the versions and flags of what is in it, so that nothing in it is ever out of date.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::build::Module;
use super::{AssetsError, Manifests};
use crate::program::{Program, Source};

/// The `controlplane` folder of the project's cache.
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Makes the folder if need be.
    pub(super) fn open(cache: &Path) -> Result<Self, AssetsError> {
        let root = cache.join("controlplane");
        create_dir(&root)?;
        Ok(Self { root })
    }

    /// The executable, built if need be.
    pub(super) fn program(&self, program: Program) -> Result<PathBuf, AssetsError> {
        let module = Module::read(program.source())?;
        let path = self.folder(program.source(), &module).join(program.name());
        self.unless_there(std::slice::from_ref(&path), || module.build(program, &path))?;
        Ok(path)
    }

    /// The files, copied from the Go module if need be.
    pub(super) fn manifests(&self, set: Manifests) -> Result<Vec<PathBuf>, AssetsError> {
        let module = Module::read(set.source())?;
        let folder = self.folder(set.source(), &module);
        let paths: Vec<_> = set.files().iter().map(|file| folder.join(file)).collect();
        self.unless_there(&paths, || module.copy(set.files(), &folder))?;
        Ok(paths)
    }

    fn folder(&self, source: Source, module: &Module) -> PathBuf {
        self.root.join(format!("{}-{}-{}", source.folder, module.version(), module.key()))
    }

    /// Makes what is missing, in one process of this machine at a time. The lock goes with the process that holds it, however that ends.
    fn unless_there(
        &self,
        paths: &[PathBuf],
        make: impl FnOnce() -> Result<(), AssetsError>,
    ) -> Result<(), AssetsError> {
        let there = || paths.iter().all(|path| path.is_file());
        if there() {
            return Ok(());
        }
        let path = self.root.join("build.lock");
        let io = |source| AssetsError::Io { action: "lock", path: path.clone(), source };
        let lock = File::create(&path).map_err(io)?;
        if lock.try_lock().is_err() {
            eprintln!("waiting for another process that builds the control plane");
            lock.lock().map_err(io)?;
        }
        if there() { Ok(()) } else { make() }
    }
}

/// Makes a folder and those above it.
pub(super) fn create_dir(path: &Path) -> Result<(), AssetsError> {
    fs::create_dir_all(path).map_err(|source| AssetsError::Io { action: "make", path: path.to_owned(), source })
}
