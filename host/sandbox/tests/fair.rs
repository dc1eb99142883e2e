//! Guests share threads: one that computes without end does not keep the others from being answered.
//!
//! What is measured here is time, so nothing else runs beside it: cargo runs one test file after the other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_config::Limits;
use mizzen_model::{Call, CallError, Failure, Invoke, Outcome};
use mizzen_sandbox::{Plugin, Sandbox, SandboxOptions};

use support::{Empty, guest, plugin, request, target};

async fn ask(plugin: &Plugin) -> Result<Result<Outcome, Failure>, CallError> {
    plugin.invoke(Call::Reconcile, &request(), Arc::new(Empty)).await
}

/// On one thread, which looks for what else there is as often as the host's do: a guest that never stops gives way at every tick.
#[test]
fn others_are_answered_while_a_guest_loops() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(4).build().unwrap();
    runtime.block_on(answer_while_a_guest_loops());
}

async fn answer_while_a_guest_loops() {
    let limits = Limits { time: Duration::from_millis(500), ..Limits::default() };
    let sandbox =
        Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), ..SandboxOptions::default() });
    let sandbox = sandbox.unwrap();
    let looping = sandbox.load_file(&guest("endless-loop")).await.unwrap().with_limits(limits);
    let good = sandbox.load_file(&plugin("mtls")).await.unwrap().with_limits(Limits::default());
    let stuck = tokio::spawn(async move { ask(&looping).await });
    let mut took = Vec::new();
    while !stuck.is_finished() {
        let since = Instant::now();
        // Comes back once the runtime has looked at its sockets: as late as an event of a watch would.
        tokio::task::yield_now().await;
        ask(&good).await.unwrap().unwrap();
        took.push(since.elapsed());
    }
    assert_eq!(stuck.await.unwrap().err(), Some(CallError::Deadline(limits.time)));
    took.sort();
    let (calls, p50, p99) = (took.len(), took[took.len() / 2], took[(took.len() * 99).div_ceil(100) - 1]);
    println!("{calls} calls were answered while a guest looped for {:?}: p50 {p50:?}, p99 {p99:?}", limits.time);
    assert!(calls > 5, "only {calls} calls were answered meanwhile");
    assert!(p99 < limits.time / 2, "p99 was {p99:?}");
}
