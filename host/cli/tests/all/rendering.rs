//! Renderers from end to end: a file, the process that compiles it, a plugin that calls it, objects.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{guest, mizzen_in, text};

const CONFIGURATION: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: asks}
spec:
  component: {file: calls-renderers.wasm}
  subject: {apiVersion: v1, kind: ConfigMap, labelSelector: asked}
  grants:
    apply: [{apiVersion: v1, kind: ConfigMap}]
    renderers: {matchLabels: {example.com/makes: maps}}
---
apiVersion: mizzen.dev/v1alpha1
kind: Renderer
metadata: {name: maps, labels: {example.com/makes: maps}}
spec: {component: {file: maps.wasm}}
---
apiVersion: mizzen.dev/v1alpha1
kind: Renderer
metadata: {name: foreign}
spec: {component: {file: maps.wasm}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: subject, namespace: shop, labels: {asked: ''}}}
";

/// A WASI command that returns a `ResourceList` of one ConfigMap.
fn renderer(name: &str) -> Vec<u8> {
    let map = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}","namespace":"shop"}}}}"#);
    let list = format!(r#"{{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList","items":[{map}]}}"#);
    let (length, text) = (list.len(), list.replace('"', "\\\""));
    wat::parse_str(format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00")
            (data (i32.const 16) "{text}")
            (func (export "_start")
                (i32.store (i32.const 4) (i32.const {length}))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
    ))
    .unwrap()
}

/// A folder with a configuration, its plugin and its renderer.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(guest("calls-renderers"), folder.path().join("calls-renderers.wasm")).unwrap();
    std::fs::write(folder.path().join("configuration.yaml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("maps.wasm"), renderer("made")).unwrap();
    folder
}

fn mizzen(folder: &TempDir, args: &[&str]) -> Output {
    mizzen_in(folder.path()).args(args).output().unwrap()
}

/// Counts the entries of the cache, whose folder may not exist yet.
fn compiled(folder: &TempDir) -> usize {
    let entries = std::fs::read_dir(folder.path().join("cache"));
    entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "cwasm"))
        .count()
}

#[test]
fn the_objects_of_a_granted_renderer_are_applied() {
    let folder = folder();
    for name in ["made", "made-anew"] {
        std::fs::write(folder.path().join("maps.wasm"), renderer(name)).unwrap();
        let done = mizzen(&folder, &["plan", "-f", "configuration.yaml", "-o", "json"]);
        assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
        let plan: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(plan["changes"][0]["object"]["name"], name, "{plan:#}");
        assert_eq!((&plan["changes"][1], &plan["problems"]), (&Value::Null, &serde_json::json!([])), "{plan:#}");
    }
}

#[test]
fn check_compiles_a_renderer_and_reports_what_is_wrong_with_it() {
    let folder = folder();
    let done = mizzen(&folder, &["check", "-f", "configuration.yaml"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("ok maps (renderer)"), "{}", text(&done.stdout));
    assert_eq!(compiled(&folder), 2);
    std::fs::write(folder.path().join("maps.wasm"), b"\0asm\x01\0\0\0garbage").unwrap();
    let done = mizzen(&folder, &["check", "-f", "configuration.yaml"]);
    let errors = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        errors.contains("configuration.yaml:15: spec.component.file: component maps.wasm: ")
            && errors.contains("not a component"),
        "{errors}"
    );
}

#[test]
fn without_a_cache_a_renderer_is_not_loaded_and_the_error_names_the_option() {
    let folder = folder();
    let mut mizzen = Command::new(env!("CARGO_BIN_EXE_mizzen"));
    mizzen.env_clear().current_dir(folder.path());
    let done = mizzen.args(["check", "-f", "configuration.yaml"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("give a folder with `--cache`"), "{}", text(&done.stderr));
}

#[test]
fn a_component_that_was_compiled_before_is_not_compiled_again() {
    let folder = folder();
    let compile = || mizzen(&folder, &["plugin", "compile", "calls-renderers.wasm", "maps.wasm"]);
    let done = compile();
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!((text(&done.stdout).matches("compiled to").count(), compiled(&folder)), (2, 2));
    assert_eq!(text(&compile().stdout).matches("compiled before").count(), 2);
    // `plan` finds both in the cache, and adds none.
    let done = mizzen(&folder, &["plan", "-f", "configuration.yaml"]);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    assert!(!text(&done.stderr).contains("compiled"), "{}", text(&done.stderr));
    assert_eq!(compiled(&folder), 2);
}

#[test]
fn compiling_respects_its_memory_limit_and_continues_after_a_bad_file() {
    let folder = folder();
    let little = mizzen(&folder, &["plugin", "compile", "--memory", "64Mi", "calls-renderers.wasm"]);
    assert_eq!((little.status.code(), compiled(&folder)), (Some(1), 0), "{}", text(&little.stdout));
    assert!(text(&little.stderr).contains("takes more than 64 MiB"), "{}", text(&little.stderr));
    let both = mizzen(&folder, &["plugin", "compile", "nowhere.wasm", "maps.wasm"]);
    assert_eq!((both.status.code(), compiled(&folder)), (Some(1), 1), "{}", text(&both.stderr));
    assert!(text(&both.stderr).contains("nowhere.wasm"), "{}", text(&both.stderr));
}
