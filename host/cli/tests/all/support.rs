//! Runs the command with what the build has left for its tests.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The build's folder.
fn target() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mizzen")).ancestors().nth(2).unwrap()
}

/// A file that `make` has built.
fn built(file: &str, target_of_make: &str) -> PathBuf {
    let file = target().join(file);
    assert!(file.exists(), "{} is missing: run `make {target_of_make}` first", file.display());
    file
}

/// The folder of the shipped plugins.
pub fn plugins() -> PathBuf {
    built("plugins/mtls.wasm", "plugins").with_file_name("")
}

/// A guest of the tests.
pub fn guest(name: &str) -> PathBuf {
    built(&format!("guests-out/{name}.wasm"), "guests")
}

/// A shipped file.
pub fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)
}

/// The command with the shipped plugins and their cache.
pub fn mizzen() -> Command {
    let mut mizzen = Command::new(env!("CARGO_BIN_EXE_mizzen"));
    let cache = Path::new(env!("CARGO_BIN_EXE_mizzen")).with_file_name("mizzen-cache");
    mizzen.env_remove("KUBECONFIG").env("MIZZEN_PLUGINS", plugins()).env("MIZZEN_CACHE_DIR", cache);
    mizzen
}

/// The command in a folder that has everything it needs, and a cache of its own.
pub fn mizzen_in(folder: &Path) -> Command {
    let mut mizzen = Command::new(env!("CARGO_BIN_EXE_mizzen"));
    mizzen.env_remove("KUBECONFIG").env_remove("MIZZEN_PLUGINS").env("MIZZEN_CACHE_DIR", folder.join("cache"));
    mizzen.current_dir(folder);
    mizzen
}

/// The output of a process as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
