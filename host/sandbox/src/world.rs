//! Whether a component fits the world of reconciler plugins. Everything that does not fit is reported at once.

use mizzen_k8s::Listed;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::wasi;

/// The prefix of everything that the host and its guests have in common.
const OURS: &str = "mizzen:plugin/";

/// Names of a component that a message lists.
const NAMES: usize = 10;

/// Why a component does not fit the world.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// It is a policy.
    #[error("is a policy (`mizzen:plugin/policy-plugin`), which this host does not run yet: it runs reconcilers")]
    Policy,
    /// It imports what this host does not offer, or does not export a reconciler: in words, joined by `; `.
    #[error("does not fit the world `mizzen:plugin/reconciler-plugin`: {0}")]
    Mismatch(String),
}

/// Checks that a component imports only what is ours and the host's virtual WASI, and exports a reconciler. Returns
/// whether it imports WASI.
///
/// Versions and types of what is ours are checked by linking.
pub(crate) fn check(engine: &Engine, component: &Component) -> Result<bool, WorldError> {
    let ty = component.component_type();
    let exports: Vec<_> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
    let has = |interface: &str| exports.iter().any(|name| name.starts_with(&format!("{OURS}{interface}@")));
    if has("policy") {
        return Err(WorldError::Policy);
    }
    let mut mismatches = Vec::new();
    let imports: Vec<_> = ty.imports(engine).map(|(name, _)| name).filter(|name| !name.starts_with(OURS)).collect();
    let (wasi, foreign): (Vec<_>, Vec<_>) = imports.into_iter().partition(|name| is_offered(name));
    let (http, foreign): (Vec<_>, Vec<_>) = foreign.into_iter().partition(|name| name.starts_with("wasi:http/"));
    if !foreign.is_empty() {
        mismatches.push(format!(
            "it imports {}, which this host does not offer: of WASI it has 0.2, without `wasi:http`",
            quoted(foreign)
        ));
    }
    if !http.is_empty() {
        mismatches.push(format!(
            "it imports {}: send requests by `{OURS}http`, and build without the other, e.g. with \
             `jco componentize --disable http fetch-event`",
            quoted(http)
        ));
    }
    if !has("reconciler") {
        let instead = if exports.is_empty() { "nothing".to_owned() } else { quoted(&exports) };
        mismatches.push(format!(
            "it does not export `{OURS}reconciler`, but {instead}: \
             build it for the world `reconciler-plugin`, e.g. with `mizzen-plugin-build` or \
             `componentize-py -d wit -w reconciler-plugin componentize app -o app.wasm`"
        ));
    }
    if mismatches.is_empty() { Ok(!wasi.is_empty()) } else { Err(WorldError::Mismatch(mismatches.join("; "))) }
}

/// Whether the host's virtual WASI has an interface.
fn is_offered(name: &str) -> bool {
    wasi::OFFERED.iter().any(|interface| name.starts_with(interface)) && name.contains("@0.2.")
}

/// Quotes names for a message. They come from the component, which is not trusted.
fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", name.as_ref().escape_debug())).collect();
    Listed::first(NAMES, &names).to_string()
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
                (import "wasi:http/types@0.2.0" (instance))
                (import "wasi:io/streams@0.2.0" (instance))
                (import "mizzen:plugin/log@0.1.0" (instance))
                (import "wasi:cli/environment@0.3.0" (instance))
                (import "acme:shell/run@1.0.0" (instance))
                (instance $i)
                (export "acme:thing/run@1.0.0" (instance $i)))"#,
        );
        assert!(why.contains("imports `wasi:cli/environment@0.3.0`, `acme:shell/run@1.0.0`, which"), "{why}");
        assert!(why.contains("imports `wasi:http/types@0.2.0`: send requests by `mizzen:plugin/http`"), "{why}");
        assert!(!why.contains("wasi:io/streams"), "{why}");
        assert!(why.contains("does not export `mizzen:plugin/reconciler`, but `acme:thing/run@1.0.0`"), "{why}");
    }

    #[test]
    fn of_many_foreign_imports_only_some_are_listed() {
        let imports: Vec<_> = (0..50).map(|number| format!(r#"(import "a:b/c{number}@1.0.0" (instance))"#)).collect();
        let why = refused(&format!("(component {})", imports.join("\n")));
        assert!(why.contains("`a:b/c9@1.0.0` and 40 more, which") && why.contains("but nothing"), "{why}");
    }

    #[test]
    fn a_policy_is_reported_as_a_policy() {
        let why = refused(r#"(component (instance $i) (export "mizzen:plugin/policy@0.1.0" (instance $i)))"#);
        assert!(why.starts_with("is a policy"), "{why}");
    }
}
