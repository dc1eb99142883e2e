//! Compiled components on disk: compiling takes a second, mapping a file takes none.
//!
//! An entry is named by the component's digest and by everything that decides what its code looks like (wasmtime's version, target,
//! settings), and begins with the digest of what follows. An entry that is not what it should be is compiled anew.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mizzen_model::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::LoadError;

/// The cache's folder.
pub(crate) struct Cache {
    folder: PathBuf,
    compatibility: String,
}

// === impl Cache ===

impl Cache {
    /// Opens a folder, made if need be, that nobody but us can write to: what is in it will be run as native code.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> Result<Self, LoadError> {
        let wrong = |error: std::io::Error| LoadError::Host(format!("cache {}: {error}", folder.display()));
        if !folder.exists() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrong)?;
        }
        let metadata = std::fs::metadata(folder).map_err(wrong)?;
        if metadata.mode() & 0o002 != 0 {
            let why = "anybody can write to it, and so have code of theirs run here; `chmod o-w` it or choose another `--cache`";
            return Err(wrong(std::io::Error::other(why)));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { folder: folder.to_owned(), compatibility: format!("{:016x}", hasher.finish()) })
    }

    /// The compiled component, if there is one and it is whole.
    pub(crate) fn get(&self, engine: &Engine, component: Digest) -> Option<Component> {
        let file = self.file(component);
        let code = std::fs::read(&file).ok()?;
        let expected = std::fs::read_to_string(seal(&file)).ok();
        if expected.as_deref() != Some(&Digest::of(&code).to_string()) {
            tracing::warn!(file = %file.display(), "a compiled component is damaged and is compiled anew");
            return None;
        }
        drop(code);
        match map(engine, &file) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a compiled component is not for this host and is compiled anew");
                None
            }
        }
    }

    /// Keeps a compiled component. That it can't be kept is no reason not to run it.
    pub(crate) fn put(&self, digest: Digest, component: &Component) {
        let file = self.file(digest);
        let kept = component.serialize().map_err(|error| error.to_string()).and_then(|code| {
            let sealed = Digest::of(&code).to_string();
            write(&file, &code).and_then(|()| write(&seal(&file), sealed.as_bytes())).map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            tracing::warn!(file = %file.display(), error, "a compiled component could not be kept");
        }
    }

    fn file(&self, component: Digest) -> PathBuf {
        self.folder.join(format!("{}-{}.cwasm", component.hex(), self.compatibility))
    }
}

fn seal(file: &Path) -> PathBuf {
    file.with_extension("digest")
}

/// Writes a file as a whole or not at all, for us alone.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = file.with_extension(format!("{}.partial", std::process::id()));
    let mut out = std::fs::File::create(&partial)?;
    out.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    out.write_all(bytes)?;
    out.sync_all()?;
    std::fs::rename(&partial, file)
}

#[expect(
    unsafe_code,
    reason = "the code was written by this cache: its digest has been checked, and the folder is not for others to write to"
)]
fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: see the reason above; wasmtime itself checks version and settings.
    unsafe { Component::deserialize_file(engine, file) }
}
