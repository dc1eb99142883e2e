//! Whether a component fits the world: said of all of it at once, in the words of whoever built it.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::LoadError;

/// What begins the names of everything that host and guests have in common.
const OURS: &str = "mizzen:plugin/";

/// Refuses what imports anything that is not ours, or does not export a reconciler.
///
/// Versions and types of what is ours are checked by linking.
pub(crate) fn check(engine: &Engine, component: &Component) -> Result<(), LoadError> {
    let ty = component.component_type();
    let exports: Vec<_> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
    let has = |interface: &str| exports.iter().any(|name| name.starts_with(&format!("{OURS}{interface}@")));
    if has("policy") {
        return Err(LoadError::Policy);
    }
    let mut wrong = Vec::new();
    let foreign: Vec<_> = ty.imports(engine).map(|(name, _)| name).filter(|name| !name.starts_with(OURS)).collect();
    if !foreign.is_empty() {
        wrong.push(format!(
            "it imports {}, which this host does not offer: build it without WASI, for `wasm32-unknown-unknown`",
            quoted(foreign)
        ));
    }
    if !has("reconciler") {
        let instead = if exports.is_empty() { "nothing".to_owned() } else { quoted(&exports) };
        wrong.push(format!("it does not export `{OURS}reconciler`, but {instead}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(LoadError::World(wrong.join("; "))) }
}

/// Names in a sentence; they are a stranger's, and may be many.
fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", name.as_ref().escape_debug())).collect();
    match names.len() {
        0..=10 => names.join(", "),
        many => format!("{} and {} more", names[..10].join(", "), many - 10),
    }
}
