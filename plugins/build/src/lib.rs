//! Builds the plugins of this repository into WebAssembly components.
