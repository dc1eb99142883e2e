//! Guests that misbehave: each ends by the limit that is there for it, and takes nobody along.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mizzen_config::Limits;
use mizzen_model::read::Level;
use mizzen_model::{
    AccessError, Call, CallError, Failure, Invoke, Kind, Object, ObjectRef, Outcome, Query, Readiness, Reads, Request,
};
use mizzen_sandbox::{LoadError, Sandbox, SandboxOptions};

/// A cluster with nothing in it.
struct Empty;

#[async_trait]
impl Reads for Empty {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        Ok(None)
    }
    async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        Ok(Vec::new())
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        Ok(0)
    }
    async fn serves(&self, _: &Kind) -> bool {
        true
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}

fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap();
    built.parent().unwrap().to_owned()
}

fn guest(name: &str) -> PathBuf {
    let file = target().join("guests-out").join(format!("{name}.wasm"));
    assert!(file.exists(), "{} is missing: run `make guests` first", file.display());
    file
}

fn sandbox() -> Sandbox {
    Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), ..SandboxOptions::default() }).unwrap()
}

fn request() -> Request {
    let subject = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"},"spec":{}}"#;
    Request { subject: subject.into(), config: "{}".into(), predecessors: Vec::new() }
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
    for refusal in ["64 are the most", "its text has 1048576 bytes; 1024", "path has 131072 bytes; 1024"] {
        assert!(why.contains(refusal), "{why}");
    }
    // And if all of them were long, what a guest may hand over is less.
    let little = Limits { outcome: 64 << 10, ..little() };
    assert_eq!(error_of("greedy-selectors", little).await, CallError::Outcome(little.outcome));
}

#[tokio::test]
async fn a_panic_is_a_trap() {
    assert!(matches!(error_of("panics", little()).await, CallError::Trap(_)));
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

/// On one thread, which looks for what else there is after every turn: a guest that never stops gives way at every tick.
#[test]
fn others_are_answered_while_a_guest_loops() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(1).build().unwrap();
    runtime.block_on(answer_while_a_guest_loops());
}

async fn answer_while_a_guest_loops() {
    let sandbox = sandbox();
    let looping = sandbox.load_file(&guest("endless-loop")).await.unwrap().with_limits(little());
    let good = sandbox.load_file(&target().join("plugins/mtls.wasm")).await.unwrap().with_limits(Limits::default());
    let stuck = tokio::spawn(async move { looping.invoke(Call::Reconcile, &request(), Arc::new(Empty)).await });
    let (mut answered, mut slowest) = (0_u32, Duration::ZERO);
    while !stuck.is_finished() {
        let since = Instant::now();
        good.invoke(Call::Reconcile, &request(), Arc::new(Empty)).await.unwrap().unwrap();
        slowest = slowest.max(since.elapsed());
        answered += 1;
        tokio::task::yield_now().await;
    }
    assert_eq!(stuck.await.unwrap().err(), Some(CallError::Deadline(little().time)));
    println!(
        "{answered} calls were answered while a guest looped for {:?}; the slowest took {slowest:?}",
        little().time
    );
    assert!(answered > 10, "only {answered} calls were answered meanwhile");
}
