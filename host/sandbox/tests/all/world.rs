//! Components that are not reconcilers of this host are refused before any of their code runs, with the reason.

use std::error::Error;

use mizzen_sandbox::{LoadError, Sandbox, SandboxOptions, WorldError};

async fn refusal(bytes: &[u8]) -> LoadError {
    let sandbox = Sandbox::new(SandboxOptions { cache: None, instances: 1 }).unwrap();
    match sandbox.load(bytes.to_vec()).await {
        Err(error) => error,
        Ok(component) => panic!("it was loaded as `{}`", component.description().name),
    }
}

async fn refusal_of(text: &str) -> LoadError {
    refusal(&wat::parse_str(text).unwrap()).await
}

/// Asserts that an error or one of its sources contains these words.
fn assert_says(error: &LoadError, words: &[&str]) {
    let sources = std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
    let text = sources.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    for word in words {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    for garbage in [b"".as_slice(), b"garbage", b"\0asm", &[0xff; 4096]] {
        let error = refusal(garbage).await;
        assert!(matches!(error, LoadError::NotWasm | LoadError::Compile(_)), "{error}");
        assert_says(&error, &["not a component"]);
    }
}

#[tokio::test]
async fn a_component_that_is_cut_off_is_refused() {
    let whole = wat::parse_str("(component (core module (memory 1)))").unwrap();
    let error = refusal(&whole[..whole.len() - 3]).await;
    assert!(matches!(error, LoadError::Compile(_)), "{error}");
}

#[tokio::test]
async fn a_core_module_is_refused_with_the_way_to_a_component() {
    let error = refusal_of(r#"(module (func (export "reconcile")))"#).await;
    assert!(matches!(error, LoadError::CoreModule), "{error}");
    assert_says(&error, &["not a component", "core module", "wasm-tools component new"]);
    // Nothing of the library's own words.
    assert!(error.source().is_none() && !error.to_string().contains("0x"), "{error}");
}

#[tokio::test]
async fn a_component_that_exports_nothing_is_refused_with_the_missing_export() {
    let error = refusal_of("(component)").await;
    assert!(matches!(error, LoadError::World(_)), "{error}");
    assert_says(&error, &["reconciler-plugin", "mizzen:plugin/reconciler"]);
}

#[tokio::test]
async fn a_component_may_import_wasi() {
    let wants = r#"(component
        (import "wasi:cli/environment@0.2.6" (instance
            (export "get-arguments" (func (result (list string))))))
        (instance $reconciler)
        (export "mizzen:plugin/reconciler@0.1.0" (instance $reconciler)))"#;
    let error = refusal_of(wants).await;
    // Nothing else is wrong with its imports.
    assert_says(&error, &["describe"]);
}

#[tokio::test]
async fn a_component_that_imports_http_of_wasi_is_refused_with_the_contracts_own() {
    let wants = r#"(component
        (import "wasi:http/outgoing-handler@0.2.0" (instance))
        (instance $reconciler)
        (export "mizzen:plugin/reconciler@0.1.0" (instance $reconciler)))"#;
    let error = refusal_of(wants).await;
    assert!(matches!(error, LoadError::World(_)), "{error}");
    assert_says(&error, &["wasi:http/outgoing-handler@0.2.0", "mizzen:plugin/http"]);
}

#[tokio::test]
async fn a_module_for_wasi_preview_1_is_refused_with_the_way_to_a_component() {
    let error = refusal_of(r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))))"#).await;
    assert!(matches!(error, LoadError::Preview1), "{error}");
    assert_says(&error, &["wasm-tools component new", "--adapt wasi_snapshot_preview1.reactor.wasm"]);
}

#[tokio::test]
async fn a_reconciler_without_its_functions_is_refused_with_the_missing_one() {
    let error = refusal_of(
        r#"(component (instance $reconciler) (export "mizzen:plugin/reconciler@0.1.0" (instance $reconciler)))"#,
    )
    .await;
    assert!(matches!(error, LoadError::Link(_)), "{error}");
    assert_says(&error, &["describe"]);
}

#[tokio::test]
async fn a_capability_of_another_type_is_refused() {
    let wants = r#"(component
        (import "mizzen:plugin/clock@0.1.0" (instance (export "now" (func (result string)))))
        (instance $reconciler)
        (export "mizzen:plugin/reconciler@0.1.0" (instance $reconciler)))"#;
    let error = refusal_of(wants).await;
    assert!(matches!(error, LoadError::Link(_)), "{error}");
    assert_says(&error, &["mizzen:plugin/clock@0.1.0"]);
}

#[tokio::test]
async fn a_capability_that_this_host_does_not_offer_is_refused() {
    let wants = r#"(component
        (import "mizzen:plugin/shell@0.1.0" (instance (export "run" (func (param "command" string)))))
        (instance $reconciler)
        (export "mizzen:plugin/reconciler@0.1.0" (instance $reconciler)))"#;
    let error = refusal_of(wants).await;
    assert!(matches!(error, LoadError::Link(_)), "{error}");
    assert_says(&error, &["mizzen:plugin/shell@0.1.0"]);
}

#[tokio::test]
async fn a_policy_is_refused_as_a_policy() {
    let error =
        refusal_of(r#"(component (instance $policy) (export "mizzen:plugin/policy@0.1.0" (instance $policy)))"#).await;
    assert!(matches!(error, LoadError::World(WorldError::Policy)), "{error}");
    assert_says(&error, &["policy", "does not run yet"]);
}
