//! Compiling ahead: a file's component into the cache, for the engine that will run it.

use std::path::Path;

use mizzen_model::Digest;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use wasmtime::{Engine, InstanceAllocationStrategy};

use crate::cache::Cache;
use crate::error::LoadError;
use crate::form::Form;
use crate::{engine, render};

/// The result of compiling a component ahead.
#[derive(Clone, Copy, Debug)]
pub struct Compilation {
    /// Digest of the component.
    pub digest: Digest,
    /// Bytes of the component.
    pub bytes: u64,
    /// Bytes of the compiled form; `None` when it was in the cache already.
    pub compiled: Option<u64>,
}

/// Compiles a plugin or a renderer into a cache, in this process. Takes time and memory by the size of the file: for
/// large ones see [`crate::Compiler`].
///
/// # Errors
/// When the file can't be read or compiled, or the cache can't be written.
pub fn compile(file: &Path, cache: &Path) -> Result<Compilation, LoadError> {
    let bytes = std::fs::read(file).map_err(|source| LoadError::Read { file: file.to_owned(), source })?;
    let form = Form::of(&bytes);
    let config = match form {
        Form::NotWasm => return Err(LoadError::NotWasm),
        Form::CoreModule => render::config(),
        Form::Component | Form::Unknown => Ok(engine::config(1)),
    };
    let mut config = config.map_err(LoadError::Engine)?;
    // The pool is address space, of which a limit leaves little. Compiled code does not depend on it.
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = Engine::new(&config).map_err(LoadError::Engine)?;
    let cache = Cache::open(cache, &engine)?;
    let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
    let is_cached = match form {
        Form::CoreModule => cache.module(&engine, digest).is_some(),
        _ => cache.component(&engine, digest).is_some(),
    };
    if is_cached {
        return Ok(Compilation { digest, bytes: length, compiled: None });
    }
    let code = match form {
        Form::CoreModule => engine.precompile_module(&bytes),
        _ => engine.precompile_component(&bytes),
    };
    let code = code.map_err(LoadError::Compile)?;
    drop(bytes);
    cache.put(digest, &code)?;
    Ok(Compilation { digest, bytes: length, compiled: Some(code.len() as u64) })
}

/// Confines this process, so that it can't harm the machine: bounds its memory, in bytes, makes it the first that the
/// kernel kills when memory is short, and has it killed when its parent ends.
///
/// # Errors
/// When a limit can't be set.
pub fn confine(memory: u64) -> Result<(), LoadError> {
    let refused = |error: rustix::io::Errno| LoadError::Confine { memory, source: error.into() };
    setrlimit(Resource::As, Rlimit { current: Some(memory), maximum: Some(memory) }).map_err(refused)?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(refused)?;
    // Only Linux has this file.
    drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    Ok(())
}
