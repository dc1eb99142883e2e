//! Guests share threads: one that loops for ever does not keep the calls of others from returning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_config::Limits;
use mizzen_model::{Call, CallError, Failure, Invoke, Outcome};
use mizzen_sandbox::{Plugin, Sandbox, SandboxOptions};

use crate::support::{Empty, guest, plugin, request, target};

async fn call(plugin: &Plugin) -> Result<Result<Outcome, Failure>, CallError> {
    plugin.invoke(Call::Reconcile, &request(), Arc::new(Empty)).await
}

/// On one thread, which polls other tasks as often as the host's threads do: a guest that loops yields at every tick.
#[test]
fn calls_of_other_plugins_return_while_a_guest_loops() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(4).build().unwrap();
    runtime.block_on(call_while_a_guest_loops());
}

async fn call_while_a_guest_loops() {
    // Long against the pauses of a machine that runs other tests beside this one.
    let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let sandbox =
        Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), ..SandboxOptions::default() });
    let sandbox = sandbox.unwrap();
    let looping = sandbox.load_file(&guest("endless-loop")).await.unwrap().with_limits(limits);
    let good = sandbox.load_file(&plugin("mtls")).await.unwrap().with_limits(Limits::default());
    let stuck = tokio::spawn(async move { call(&looping).await });
    let mut took = Vec::new();
    while !stuck.is_finished() {
        let since = Instant::now();
        // Returns once the runtime has polled its sockets: as late as an event of a watch would arrive.
        tokio::task::yield_now().await;
        call(&good).await.unwrap().unwrap();
        took.push(since.elapsed());
    }
    assert_eq!(stuck.await.unwrap().err(), Some(CallError::Deadline(limits.time)));
    took.sort();
    let (calls, p50, p99) = (took.len(), took[took.len() / 2], took[(took.len() * 99).div_ceil(100) - 1]);
    println!("{calls} calls returned while a guest looped for {:?}: p50 {p50:?}, p99 {p99:?}", limits.time);
    assert!(calls > 5, "only {calls} calls returned meanwhile");
    assert!(p99 < limits.time / 2, "p99 was {p99:?}");
}
