//! Guests that misbehave: each ends by the limit that is there for it, and takes nobody along.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_config::Limits;
use mizzen_model::{Call, CallError, Failure, Invoke, Outcome, Readiness};
use mizzen_sandbox::{LoadError, Sandbox, SandboxOptions};

use support::{Empty, guest, request, target};

fn sandbox() -> Sandbox {
    Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), ..SandboxOptions::default() }).unwrap()
}

/// Little of everything, so that a test does not take long.
fn little() -> Limits {
    Limits { memory: 16 << 20, time: Duration::from_millis(500), outcome: 1 << 20, reads: 1_000, ..Limits::default() }
}

async fn ask(file: &Path, limits: Limits) -> Result<Result<Outcome, Failure>, CallError> {
    let plugin = sandbox()
        .load_file(file)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        .with_limits(limits);
    plugin.invoke(Call::Reconcile, &request(), Arc::new(Empty)).await
}

async fn error_of(name: &str, limits: Limits) -> CallError {
    match ask(&guest(name), limits).await {
        Err(error) => error,
        Ok(answer) => panic!("{name} answered {answer:?}"),
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
async fn a_stack_that_overflows_is_a_stack_that_overflows() {
    assert!(matches!(error_of("stack-overflow", little()).await, CallError::Stack(_)));
}

#[tokio::test]
async fn endless_host_calls_end_at_their_number() {
    assert_eq!(error_of("endless-host-calls", little()).await, CallError::HostCalls(little().reads));
}

#[tokio::test]
async fn a_gigabyte_ends_at_the_memory_or_at_the_size_of_an_outcome() {
    assert_eq!(error_of("huge-outcome", little()).await, CallError::Memory(little().memory));
}

#[tokio::test]
async fn what_is_no_json_and_what_is_too_deep_name_the_place() {
    let CallError::Invalid(why) = error_of("invalid-json", little()).await else { panic!() };
    assert!(why.starts_with("desired[0]: not JSON"), "{why}");
    let CallError::Invalid(why) = error_of("deep-json", little()).await else { panic!() };
    assert!(why.starts_with("desired[0]: ") && why.contains("recursion"), "{why}");
}

#[tokio::test]
async fn too_many_value_selectors_and_too_long_ones_never_reach_the_host() {
    let limits = Limits { outcome: 4 << 20, ..little() };
    let outcome = ask(&guest("greedy-selectors"), limits).await.unwrap().unwrap();
    let Readiness::Failed(why) = outcome.readiness else { panic!() };
    for refusal in
        ["the limit is 64", "its text has 1048576 bytes; the limit is 1024", "path has 131072 bytes; the limit is 1024"]
    {
        assert!(why.contains(refusal), "{why}");
    }
    // And if all of them were long, what a guest may hand over is less.
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
async fn a_describe_that_never_returns_is_a_component_that_does_not_load() {
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
async fn garbage_and_foreign_components_are_refused_in_words() {
    let sandbox = sandbox();
    let garbage = sandbox.load(b"garbage".to_vec()).await.err().unwrap();
    assert!(matches!(garbage, LoadError::Compile(_)), "{garbage}");
    let module = sandbox.load(b"\0asm\x01\0\0\0".to_vec()).await.err().unwrap();
    assert!(matches!(module, LoadError::Compile(_)), "{module}");
    let empty = sandbox.load(b"\0asm\x0d\0\x01\0".to_vec()).await.err().unwrap();
    assert!(matches!(&empty, LoadError::World(why) if why.contains("reconciler")), "{empty}");
}
