//! Runs plugins as WebAssembly components. The only crate that knows wasmtime.
