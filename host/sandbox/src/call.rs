//! One call: a fresh instance, its limits, and the limit or trap that ended it.

use std::sync::Arc;

use mizzen_config::Limits;
use mizzen_model::{CallError, Digest, Reads};
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi::I32Exit;

use crate::guest::{self, Guest};
use crate::limits::STACK;
use crate::lines::LastWords;
use crate::metered::{self, Limit, Stop};

/// Runs a guest in a fresh store, within its limits. `seed` decides what it finds random.
pub(crate) async fn call<T>(
    engine: &Engine,
    reads: Arc<dyn Reads>,
    limits: Limits,
    seed: Digest,
    run: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, CallError> {
    let mut store = metered::store(engine, Guest::new(reads, limits, seed), guest::bounds(limits));
    let returned = metered::run(&mut store, run).await;
    returned.map_err(|stop| classify(stop, store.data().lines.last_words(), limits))
}

/// Returns the error of a call that stopped. `said` is what the guest said last about an error.
fn classify(stop: Stop, said: Option<LastWords>, limits: Limits) -> CallError {
    match stop {
        Stop::Time => CallError::Deadline(limits.time),
        Stop::Failed { met: Some(Limit::Memory(bytes)), .. } => CallError::Memory(bytes),
        Stop::Failed { met: Some(Limit::Table(elements)), .. } => CallError::Table(elements),
        Stop::Failed { met: Some(Limit::HostCalls(calls)), .. } => CallError::HostCalls(calls),
        Stop::Failed { error, met: None } => failure(&error, said, limits),
    }
}

fn failure(error: &wasmtime::Error, said: Option<LastWords>, limits: Limits) -> CallError {
    // A panic handler that logs before it aborts, or standard error, is how a guest can report what went wrong.
    let trapped = |why: String| CallError::Trap(said.map(|said| format!("{why}, {said}")).unwrap_or(why));
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return trapped(format!("it ended with exit code {}", exit.0));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => CallError::Stack(STACK as u64),
        Some(trap) => trapped(trap.to_string()),
        None if error.is::<PoolConcurrencyLimitError>() => CallError::Host(format!("{error:#}")),
        // wasmtime has no public type for it.
        None if format!("{error:#}").contains("too much data") => CallError::Outcome(limits.outcome),
        None => trapped(format!("{error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::no_reads::NoReads;

    /// The error of a call with this trap, after it made a host call more than it may.
    fn classified_after_too_many_host_calls(engine: &Engine, trap: Trap) -> CallError {
        let limits = Limits { reads: 0, ..Limits::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let called = call(engine, Arc::new(NoReads), limits, Digest::of(b""), async |store: &mut Store<Guest>| {
            assert!(store.data_mut().count().is_err());
            Err::<(), _>(trap.into())
        });
        runtime.block_on(called).unwrap_err()
    }

    #[test]
    fn a_trap_reports_what_the_guest_logged_last() {
        let trap = Stop::Failed { error: Trap::UnreachableCodeReached.into(), met: None };
        let logged = Some(LastWords::Logged("panicked at src/lib.rs:7: no such index".into()));
        let CallError::Trap(why) = classify(trap, logged, Limits::default()) else { panic!() };
        assert!(why.ends_with("after it logged: panicked at src/lib.rs:7: no such index"), "{why}");
    }

    #[test]
    fn a_trap_after_a_limit_was_met_is_reported_as_the_limit() {
        let engine = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        let error = classified_after_too_many_host_calls(&engine, Trap::UnreachableCodeReached);
        assert_eq!(error, CallError::HostCalls(0));
    }

    #[test]
    fn a_deadline_is_reported_as_the_deadline_whatever_was_met_before() {
        let engine = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        let error = classified_after_too_many_host_calls(&engine, Trap::Interrupt);
        assert_eq!(error, CallError::Deadline(Limits::default().time));
    }
}
