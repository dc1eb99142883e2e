//! Compiled components on disk: compiling takes a second (a renderer: a minute), mapping a file takes none.
//!
//! An entry is named by the component's digest and by everything that decides what its code looks like (wasmtime's
//! version, target, settings). Beside it is the digest of the code. A damaged entry is compiled again.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use mizzen_model::Digest;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::limits::{CACHE_BYTES, CACHE_ENTRIES};

mod folder;

pub use folder::CacheError;

/// The extension of entries.
const ENTRY: &str = "cwasm";

/// A folder of compiled components.
pub(crate) struct Cache {
    folder: PathBuf,
    compatibility: String,
}

impl Cache {
    /// Opens the folder `given`, or a folder of this host's own below it where other users can write to that.
    pub(crate) fn open(given: &Path, engine: &Engine) -> Result<Self, CacheError> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { folder: folder::open(given)?, compatibility: format!("{:016x}", hasher.finish()) })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the compiled form of a component, if it is there and undamaged.
    pub(crate) fn component(&self, engine: &Engine, component: Digest) -> Option<Component> {
        self.get(component, |file| map_component(engine, &file))
    }

    /// The same for a core module, as renderers are.
    pub(crate) fn module(&self, engine: &Engine, component: Digest) -> Option<Module> {
        self.get(component, |file| map_module(engine, file))
    }

    fn get<T>(&self, component: Digest, map: impl FnOnce(File) -> wasmtime::Result<T>) -> Option<T> {
        let path = self.file(component);
        let file = File::open(&path).ok()?;
        // The open file is checked and mapped, not its path: another user may be able to replace the folder meanwhile.
        let private = file.metadata().is_ok_and(|metadata| folder::is_private(&metadata));
        // Digested in parts: an entry may be larger than all the memory that the host has for itself.
        let digest = Digest::of_reader(&file).ok()?;
        let expected = std::fs::read_to_string(seal(&path)).ok();
        if !private || expected != Some(digest.to_string()) {
            tracing::warn!(file = %path.display(), private, "a compiled component is damaged: it is compiled again");
            return None;
        }
        match map(file) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(
                    file = %path.display(), %error, "a compiled component is not for this host: it is compiled again"
                );
                None
            }
        }
    }

    /// Writes the compiled form of a component, and removes the oldest entries beyond the limits.
    pub(crate) fn put(&self, component: Digest, code: &[u8]) -> Result<(), CacheError> {
        self.write(component, code).map_err(|source| CacheError::Unusable { folder: self.folder.clone(), source })
    }

    fn write(&self, component: Digest, code: &[u8]) -> std::io::Result<()> {
        let file = self.file(component);
        let sealed = Digest::of(code).to_string();
        write(&file, code)?;
        write(&seal(&file), sealed.as_bytes())?;
        self.prune(&file)
    }

    /// Removes the oldest entries beyond [`CACHE_ENTRIES`] and [`CACHE_BYTES`], but not the newest one. What is mapped
    /// stays mapped.
    fn prune(&self, newest: &Path) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|end| end == ENTRY) && file != newest {
                // Another host may have removed it meanwhile.
                let Ok(metadata) = file.metadata() else { continue };
                entries.push((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len(), file));
            }
        }
        entries.sort();
        let mut bytes: u64 = newest.metadata().map_or(0, |metadata| metadata.len());
        for (at, (_, size, file)) in entries.into_iter().rev().enumerate() {
            bytes = bytes.saturating_add(size);
            // The newest one is not among these.
            if at + 1 >= CACHE_ENTRIES || bytes > CACHE_BYTES {
                drop(std::fs::remove_file(seal(&file)));
                drop(std::fs::remove_file(&file));
            }
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

/// Writes a file as a whole or not at all, readable by this user alone.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    // A unique name: two hosts that compile the same component must not write into one file.
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
    reason = "what is mapped runs as it is: no other user can write to the file, and its digest was just compared"
)]
fn map_component(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    let open = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // SAFETY: see the reason above; wasmtime itself checks version and settings.
    unsafe { Component::deserialize_file(engine, open) }
}

#[expect(
    unsafe_code,
    reason = "what is mapped runs as it is: no other user can write to the file, and its digest was just compared"
)]
fn map_module(engine: &Engine, file: File) -> wasmtime::Result<Module> {
    // SAFETY: see the reason above; wasmtime itself checks version and settings.
    unsafe { Module::deserialize_open_file(engine, file) }
}

#[cfg(test)]
mod tests;
