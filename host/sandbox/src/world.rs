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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let engine = Engine::default();
        let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        check(&engine, &component).unwrap_err().to_string()
    }

    #[test]
    fn everything_that_does_not_fit_is_named_at_once() {
        let why = refused(
            r#"(component
                (import "wasi:cli/environment@0.2.0" (instance))
                (import "mizzen:plugin/log@0.1.0" (instance))
                (import "wasi:io/streams@0.2.0" (instance))
                (instance $i)
                (export "acme:thing/run@1.0.0" (instance $i)))"#,
        );
        assert!(why.contains("imports `wasi:cli/environment@0.2.0`, `wasi:io/streams@0.2.0`, which"), "{why}");
        assert!(why.contains("wasm32-unknown-unknown"), "{why}");
        assert!(why.contains("does not export `mizzen:plugin/reconciler`, but `acme:thing/run@1.0.0`"), "{why}");
    }

    #[test]
    fn a_stranger_with_many_imports_does_not_fill_the_screen() {
        let imports: Vec<_> = (0..50).map(|number| format!(r#"(import "a:b/c{number}@1.0.0" (instance))"#)).collect();
        let why = refused(&format!("(component {})", imports.join("\n")));
        assert!(why.contains("`a:b/c9@1.0.0` and 40 more, which") && why.contains("but nothing"), "{why}");
    }

    #[test]
    fn a_policy_is_told_from_what_is_no_plugin_at_all() {
        let why = refused(r#"(component (instance $i) (export "mizzen:plugin/policy@0.1.0" (instance $i)))"#);
        assert!(why.starts_with("is a policy"), "{why}");
    }
}
