//! Compiling ahead: a file's component into the cache, for the engine that will run it.

use std::path::Path;

use mizzen_model::Digest;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use wasmtime::{Engine, InstanceAllocationStrategy};

use crate::cache::Cache;
use crate::error::LoadError;
use crate::{engine, render};

/// What begins a core component, as WASI commands are; everything else is for the component model to judge.
const CORE: &[u8] = b"\0asm\x01\0\0\0";

/// What was compiled.
#[derive(Clone, Copy, Debug)]
pub struct Compilation {
    /// Digest of the component.
    pub digest: Digest,
    /// Bytes of the component.
    pub bytes: u64,
    /// Bytes of what is in the cache; `None`: it was there already.
    pub compiled: Option<u64>,
}

/// Compiles a plugin or a renderer into a cache, in this process. Takes memory and time by the size of the file: for large ones, see
/// [`crate::Compiler`].
///
/// # Errors
/// When the file can't be read or compiled, or the cache not be written.
pub fn compile(file: &Path, cache: &Path) -> Result<Compilation, LoadError> {
    let bytes = std::fs::read(file).map_err(|source| LoadError::Read { file: file.to_owned(), source })?;
    let is_core = bytes.starts_with(CORE);
    let host = |error: wasmtime::Error| LoadError::Host(format!("{error:#}"));
    let mut config = if is_core { render::config().map_err(host)? } else { engine::config(1) };
    // The pool is address space, of which a limit leaves little, and no part of what compiled code looks like.
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = Engine::new(&config).map_err(host)?;
    let cache = Cache::open(cache, &engine)?;
    let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
    let there =
        if is_core { cache.module(&engine, digest).is_some() } else { cache.component(&engine, digest).is_some() };
    if there {
        return Ok(Compilation { digest, bytes: length, compiled: None });
    }
    let code = if is_core { engine.precompile_module(&bytes) } else { engine.precompile_component(&bytes) };
    let code = code.map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    drop(bytes);
    cache.put(digest, &code).map_err(|error| LoadError::Host(format!("it could not be kept: {error}")))?;
    Ok(Compilation { digest, bytes: length, compiled: Some(code.len() as u64) })
}

/// Makes this process one that can't harm the machine: bounded in its memory, in bytes, the first to go when the machine's gets short,
/// and gone when whoever started it is.
///
/// # Errors
/// When the limit can't be set.
pub fn confine(memory: u64) -> Result<(), LoadError> {
    let host = |error: rustix::io::Errno| LoadError::Host(format!("no limit of {memory} bytes can be set: {error}"));
    setrlimit(Resource::As, Rlimit { current: Some(memory), maximum: Some(memory) }).map_err(host)?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(host)?;
    // Where there is no such file there is nothing to be told.
    drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    Ok(())
}
