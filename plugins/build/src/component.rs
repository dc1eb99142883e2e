//! Wraps a core WebAssembly file into a component.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, ensure};
use wit_component::{ComponentEncoder, DecodedWasm};

/// The state of a component's file after a build.
pub(crate) enum State {
    /// It was written; with its size in bytes.
    Written(usize),
    /// It was up to date.
    Unchanged,
}

/// Wraps `core`, a file of core WebAssembly, into a component and puts it at `file`.
pub(crate) fn encode(core: &Path, file: &Path) -> anyhow::Result<State> {
    let bytes = std::fs::read(core).context("what the build left behind can't be read")?;
    let component = ComponentEncoder::default().validate(true).module(&bytes)?.encode()?;
    only_ours(&component)?;
    put(&component, file)
}

/// Writes a component, or a command, to `file` atomically: an operator may be watching the folder.
pub(crate) fn put(component: &[u8], file: &Path) -> anyhow::Result<State> {
    if std::fs::read(file).is_ok_and(|there| there == component) {
        return Ok(State::Unchanged);
    }
    // Unique to this process: two concurrent builds do not write into one file.
    let partial = file.with_extension(format!("{}.partial", std::process::id()));
    std::fs::write(&partial, component)?;
    std::fs::rename(&partial, file)?;
    Ok(State::Written(component.len()))
}

/// A guest that imports WASI would not load: report it here, where its author can fix it.
fn only_ours(component: &[u8]) -> anyhow::Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        anyhow::bail!("it is not a component")
    };
    for key in resolve.worlds[world].imports.keys() {
        let name = resolve.name_world_key(key);
        ensure!(name.starts_with("mizzen:plugin/"), "it imports `{name}`, which the host does not offer");
    }
    Ok(())
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(bytes) => write!(f, "{} KiB", bytes.div_ceil(1024)),
            Self::Unchanged => f.write_str("unchanged"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Core WebAssembly with nothing in it.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    /// A component that imports an interface, of no functions, by this name.
    fn importing(name: &str) -> Vec<u8> {
        let length = u8::try_from(name.len()).unwrap();
        let import = [&[1, 0, length], name.as_bytes(), &[5, 0]].concat();
        let header = b"\0asm\x0d\0\x01\0";
        let types = [7, 3, 1, 0x42, 0];
        [&header[..], &types, &[10, u8::try_from(import.len()).unwrap()], &import].concat()
    }

    #[test]
    fn a_component_that_imports_what_the_host_does_not_offer_is_refused_by_name() {
        let error = only_ours(&importing("wasi:io/poll")).unwrap_err().to_string();
        assert!(error.contains("`wasi:io/poll`"), "{error}");
        only_ours(&importing("mizzen:plugin/clock")).unwrap();
    }

    #[test]
    fn a_component_is_written_only_when_it_changed_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (core, file) = (folder.path().join("core"), folder.path().join("a.wasm"));
        std::fs::write(&core, EMPTY).unwrap();
        assert!(matches!(encode(&core, &file).unwrap(), State::Written(_)));
        assert!(matches!(encode(&core, &file).unwrap(), State::Unchanged));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_not_webassembly_leaves_the_existing_component_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let (core, file) = (folder.path().join("core"), folder.path().join("a.wasm"));
        std::fs::write(&core, "text").unwrap();
        std::fs::write(&file, "before").unwrap();
        assert!(encode(&core, &file).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"before");
    }
}
