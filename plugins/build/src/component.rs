//! A core WebAssembly file, wrapped into a component.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, ensure};
use wit_component::{ComponentEncoder, DecodedWasm};

/// What became of a component's file.
pub(crate) enum State {
    /// It was written; bytes.
    Written(usize),
    /// It was so already.
    Unchanged,
}

/// Wraps `module` into a component and puts it at `file`, as a whole or not at all.
pub(crate) fn encode(module: &Path, file: &Path) -> anyhow::Result<State> {
    let bytes = std::fs::read(module).context("what the build left behind can't be read")?;
    let component = ComponentEncoder::default().validate(true).module(&bytes)?.encode()?;
    only_ours(&component)?;
    if std::fs::read(file).is_ok_and(|there| there == component) {
        return Ok(State::Unchanged);
    }
    let partial = file.with_extension("partial");
    std::fs::write(&partial, &component)?;
    std::fs::rename(&partial, file)?;
    Ok(State::Written(component.len()))
}

/// A guest that imports WASI would not load: say so here, where it can be mended.
fn only_ours(component: &[u8]) -> anyhow::Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        anyhow::bail!("it is no component")
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
