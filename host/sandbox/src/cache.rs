//! Compiled components on disk: compiling takes a second, mapping a file takes none.
//!
//! An entry is named by the component's digest and by everything that decides what its code looks like (wasmtime's version, target,
//! settings), and begins with the digest of what follows. An entry that is not what it should be is compiled anew.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use mizzen_model::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::LoadError;

/// Entries that are kept; the oldest goes first. Stops a plugin that is built anew all day from filling the disk.
const ENTRIES: usize = 128;

/// How the names of entries end.
const ENTRY: &str = "cwasm";

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
        if !metadata.is_dir() {
            return Err(wrong(std::io::ErrorKind::NotADirectory.into()));
        }
        // Root could have us run anything anyhow; a folder of root's may come with an image, filled and not for us to write to.
        let foreign = ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
        if foreign || metadata.mode() & 0o022 != 0 {
            let why = "others can write to it, and so have code of theirs run here: name a folder that does not exist yet, \
                       which is then made for us alone, or own it and `chmod go-w` it";
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
        if let Err(error) = kept.and_then(|()| self.prune().map_err(|error| error.to_string())) {
            tracing::warn!(file = %file.display(), error, "a compiled component could not be kept");
        }
    }

    /// Removes the oldest entries beyond [`ENTRIES`]. Whoever has mapped one of them keeps what it mapped.
    fn prune(&self) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|end| end == ENTRY) {
                // Another host may have removed it just now.
                let written =
                    file.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                entries.push((written, file));
            }
        }
        entries.sort();
        let surplus = entries.len().saturating_sub(ENTRIES);
        for (_, file) in entries.drain(..surplus) {
            drop(std::fs::remove_file(seal(&file)));
            drop(std::fs::remove_file(&file));
        }
        Ok(())
    }

    fn file(&self, component: Digest) -> PathBuf {
        self.folder.join(format!("{}-{}.{ENTRY}", component.hex(), self.compatibility))
    }
}

fn seal(file: &Path) -> PathBuf {
    file.with_extension("digest")
}

/// Writes a file as a whole or not at all, for us alone.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    // A name of its own: two that compile the same component must not write into one file.
    let (host, number) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
    let partial = file.with_extension(format!("{host}-{number}.partial"));
    let written =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).and_then(|mut out| {
            out.write_all(bytes)?;
            out.sync_all()?;
            std::fs::rename(&partial, file)
        });
    if written.is_err() {
        drop(std::fs::remove_file(&partial));
    }
    written
}

#[expect(
    unsafe_code,
    reason = "what is mapped is run as it is: the folder is not for others to write to, and the digest beside the file was right just now"
)]
fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: see the reason above; wasmtime itself checks version and settings.
    unsafe { Component::deserialize_file(engine, file) }
}

#[cfg(test)]
mod tests;
