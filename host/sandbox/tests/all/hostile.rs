//! Guests that misbehave: each ends at the limit that is meant for it, and harms nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_config::Limits;
use mizzen_model::{Call, CallError, Failure, Invoke, Outcome, Readiness, Request};
use mizzen_sandbox::{LoadError, Sandbox, SandboxOptions};

use crate::support::{Empty, guest, request, target};

fn sandbox() -> Sandbox {
    Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), ..SandboxOptions::default() }).unwrap()
}

/// Tight limits, so that a test does not take long.
fn little() -> Limits {
    Limits { memory: 16 << 20, time: Duration::from_millis(500), outcome: 1 << 20, reads: 1_000, ..Limits::default() }
}

async fn call(file: &Path, limits: Limits) -> Result<Result<Outcome, Failure>, CallError> {
    call_for(file, &request(), limits).await
}

async fn call_for(file: &Path, request: &Request, limits: Limits) -> Result<Result<Outcome, Failure>, CallError> {
    let plugin = sandbox()
        .load_file(file)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        .with_limits(limits);
    plugin.invoke(Call::Reconcile, request, Arc::new(Empty)).await
}

async fn error_of(name: &str, limits: Limits) -> CallError {
    match call(&guest(name), limits).await {
        Err(error) => error,
        Ok(returned) => panic!("{name} returned {returned:?}"),
    }
}

#[tokio::test]
async fn an_endless_loop_ends_at_its_deadline() {
    let since = Instant::now();
    assert_eq!(error_of("endless-loop", little()).await, CallError::Deadline(little().time));
    assert!(since.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_memory_bomb_ends_at_its_memory() {
    assert_eq!(error_of("memory-bomb", little()).await, CallError::Memory(little().memory));
}

#[tokio::test]
async fn a_stack_overflow_is_reported_as_one() {
    assert!(matches!(error_of("stack-overflow", little()).await, CallError::Stack(_)));
}

#[tokio::test]
async fn endless_host_calls_end_at_the_limit_of_reads() {
    assert_eq!(error_of("endless-host-calls", little()).await, CallError::HostCalls(little().reads));
}

#[tokio::test]
async fn a_kind_that_is_a_path_or_endless_ends_the_call() {
    for (name, expected) in [("path", "`apiVersion` is `v1%2Fpods`"), ("long", "`kind` is `xxx")] {
        let subject = request().subject.replace("\"name\":\"a\"", &format!("\"name\":\"{name}\""));
        let request = Request { subject, ..request() };
        let error = call_for(&guest("greedy-kinds"), &request, little()).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.len() < 1_000, "{error}");
    }
}

#[tokio::test]
async fn an_outcome_of_a_gigabyte_ends_at_the_memory() {
    assert_eq!(error_of("huge-outcome", little()).await, CallError::Memory(little().memory));
}

#[tokio::test]
async fn invalid_and_too_deep_json_is_reported_with_its_field() {
    let CallError::Invalid(why) = error_of("invalid-json", little()).await else { panic!() };
    assert!(why.starts_with("desired[0]: not JSON"), "{why}");
    let CallError::Invalid(why) = error_of("deep-json", little()).await else { panic!() };
    assert!(why.starts_with("desired[0]: ") && why.contains("recursion"), "{why}");
}

#[tokio::test]
async fn too_many_and_too_long_value_selectors_are_refused() {
    let limits = Limits { outcome: 4 << 20, ..little() };
    let outcome = call(&guest("greedy-selectors"), limits).await.unwrap().unwrap();
    let Readiness::Failed(why) = outcome.readiness else { panic!() };
    for refusal in
        ["the limit is 64", "its text has 1048576 bytes; the limit is 1024", "path has 131072 bytes; the limit is 1024"]
    {
        assert!(why.contains(refusal), "{why}");
    }
    // If all of them are long, the limit of what a guest may hand over is met first.
    let little = Limits { outcome: 64 << 10, ..little() };
    assert_eq!(error_of("greedy-selectors", little).await, CallError::Outcome(little.outcome));
}

#[tokio::test]
async fn a_panic_is_a_trap_whose_report_has_the_message_and_the_place() {
    let CallError::Trap(why) = error_of("panics", little()).await else { panic!() };
    assert!(why.contains("panicked at tests/guests/examples/panics.rs:20:"), "{why}");
    assert!(why.contains("index out of bounds: the len is 0 but the index is 3"), "{why}");
}

#[tokio::test]
async fn a_component_whose_describe_never_returns_does_not_load() {
    let loaded = sandbox().load_file(&guest("endless-describe")).await;
    assert!(matches!(loaded.err().unwrap(), LoadError::Describe(CallError::Deadline(_))));
}

#[tokio::test]
async fn an_error_names_the_limit_that_was_met() {
    let names = [("endless-loop", "`time`"), ("memory-bomb", "`memory`"), ("endless-host-calls", "`reads`")];
    for (guest, limit) in names {
        let error = error_of(guest, little()).await.to_string();
        assert!(error.contains(limit), "{guest}: {error}");
    }
}

#[tokio::test]
async fn garbage_core_modules_and_foreign_components_have_different_errors() {
    let sandbox = sandbox();
    let garbage = sandbox.load(b"garbage".to_vec()).await.err().unwrap();
    assert!(matches!(garbage, LoadError::NotWasm), "{garbage}");
    let module = sandbox.load(b"\0asm\x01\0\0\0".to_vec()).await.err().unwrap();
    assert!(matches!(module, LoadError::CoreModule), "{module}");
    let empty = sandbox.load(b"\0asm\x0d\0\x01\0".to_vec()).await.err().unwrap();
    assert!(matches!(&empty, LoadError::World(why) if why.to_string().contains("reconciler")), "{empty}");
}
