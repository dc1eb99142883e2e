//! Guests that misbehave: each ends by the limit that is there for it, and takes nobody along.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_config::Limits;
use mizzen_model::{Call, CallError, Failure, Invoke, Outcome, Reads};
use mizzen_sandbox::{LoadError, Plugin, Sandbox, SandboxOptions};

use support::{Empty, Silent, guest, plugin, request, target};

/// What each guest meets that is stopped while it runs, and the word by which the message names it.
const ENDS: [(&str, &str, &str); 8] = [
    ("endless-loop", "DeadlineExceeded", "`time`"),
    ("memory-bomb", "MemoryLimit", "`memory`"),
    ("stack-overflow", "StackOverflow", "overflowed its stack"),
    ("endless-host-calls", "HostCallLimit", "`reads`"),
    ("aliased-outcome", "OutcomeLimit", "`outcome`"),
    ("invalid-json", "InvalidOutcome", "desired[0]"),
    ("deep-json", "InvalidOutcome", "desired[0]"),
    ("panics", "Trapped", "unreachable"),
];

fn sandbox() -> Sandbox {
    with_instances(SandboxOptions::default().instances)
}

fn with_instances(instances: u32) -> Sandbox {
    Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), instances }).unwrap()
}

/// Little of everything, so that a test does not take long.
fn little() -> Limits {
    Limits { memory: 16 << 20, time: Duration::from_millis(500), outcome: 1 << 20, reads: 1_000 }
}

async fn load(sandbox: &Sandbox, name: &str, limits: Limits) -> Plugin {
    let file = guest(name);
    let component = sandbox.load_file(&file).await;
    component.unwrap_or_else(|error| panic!("{}: {error}", file.display())).with_limits(limits)
}

async fn ask(plugin: &Plugin, reads: impl Reads + 'static) -> Result<Result<Outcome, Failure>, CallError> {
    plugin.invoke(Call::Reconcile, &request(), Arc::new(reads)).await
}

async fn error_of(name: &str, limits: Limits) -> CallError {
    match ask(&load(&sandbox(), name, limits).await, Empty).await {
        Err(error) => error,
        Ok(answer) => panic!("{name} answered {answer:?}"),
    }
}

#[tokio::test]
async fn an_endless_loop_ends_at_its_deadline() {
    let looping = load(&sandbox(), "endless-loop", little()).await;
    let since = Instant::now();
    assert_eq!(ask(&looping, Empty).await.err(), Some(CallError::Deadline(little().time)));
    let took = since.elapsed();
    assert!(took >= little().time && took < 20 * little().time, "{took:?}");
}

#[tokio::test]
async fn a_read_that_is_never_answered_ends_at_the_deadline() {
    let reading = load(&sandbox(), "endless-host-calls", little()).await;
    assert_eq!(ask(&reading, Silent).await.err(), Some(CallError::Deadline(little().time)));
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
async fn a_gigabyte_that_a_guest_holds_ends_at_its_memory_whatever_that_may_be() {
    for memory in [little().memory, 1 << 30] {
        let limits = Limits { memory, ..little() };
        assert_eq!(error_of("huge-outcome", limits).await, CallError::Memory(memory));
    }
}

#[tokio::test]
async fn a_gigabyte_that_a_guest_does_not_hold_ends_at_the_size_of_an_outcome() {
    assert_eq!(error_of("aliased-outcome", little()).await, CallError::Outcome(little().outcome));
}

#[tokio::test]
async fn what_is_no_json_and_what_is_too_deep_name_the_place() {
    let CallError::Invalid(why) = error_of("invalid-json", little()).await else { panic!() };
    assert!(why.starts_with("desired[0]: not JSON"), "{why}");
    let CallError::Invalid(why) = error_of("deep-json", little()).await else { panic!() };
    assert!(why.starts_with("desired[0]: ") && why.contains("recursion"), "{why}");
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
async fn each_way_to_end_has_a_reason_of_its_own_and_names_what_was_met() {
    let mut guests_by_reason = BTreeMap::<_, Vec<_>>::new();
    for (name, reason, word) in ENDS {
        let error = error_of(name, little()).await;
        assert_eq!(error.reason(), reason, "{name}: {error}");
        assert!(error.to_string().contains(word), "{name}: {error}");
        guests_by_reason.entry(error.reason()).or_default().push(name);
    }
    let shared: Vec<_> = guests_by_reason.into_values().filter(|guests| guests.len() > 1).collect();
    assert_eq!(shared, [["invalid-json", "deep-json"]]);
}

/// With room for a single instance: one that is not given back leaves no room for the next call.
#[tokio::test]
async fn whatever_ends_a_guest_its_room_is_given_back() {
    let sandbox = with_instances(1);
    let good = sandbox.load_file(&plugin("mtls")).await.unwrap().with_limits(Limits::default());
    for (name, reason, _) in ENDS {
        let hostile = load(&sandbox, name, little()).await;
        for _ in 0..3 {
            let error = ask(&hostile, Empty).await.err();
            assert_eq!(error.as_ref().map(CallError::reason), Some(reason), "{name}: {error:?}");
            ask(&good, Empty).await.unwrap_or_else(|error| panic!("after {name}: {error}")).unwrap();
        }
    }
    assert!(sandbox.load_file(&guest("endless-describe")).await.is_err());
    let unanswered = load(&sandbox, "endless-host-calls", little()).await;
    assert!(ask(&unanswered, Silent).await.is_err());
    ask(&good, Empty).await.unwrap().unwrap();
}
