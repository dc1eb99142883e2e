//! One call: a fresh instance, its limits, and what it came to.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use mizzen_config::Limits;
use mizzen_model::{Call, CallError, Description, Digest, Failure, Invoke, Outcome, Reads, Request};
use wasmtime::{PoolConcurrencyLimitError, Store, StoreContextMut, Trap, UpdateDeadline};

use crate::bindings::ReconcilerPlugin;
use crate::component::Component;
use crate::convert;
use crate::engine::{MOST_MEMORY, STACK};
use crate::guest::Guest;
use crate::outcome;

/// A component with its limits: what the engine asks.
#[derive(Clone)]
pub struct Plugin {
    component: Component,
    limits: Limits,
}

// === impl Plugin ===

impl Plugin {
    pub(crate) fn new(component: Component, limits: Limits) -> Self {
        // What is refused at the pool's edge would else look like a trap.
        let memory = limits.memory.min(MOST_MEMORY as u64);
        Self { component, limits: Limits { memory, ..limits } }
    }
}

#[async_trait]
impl Invoke for Plugin {
    fn description(&self) -> &Description {
        self.component.description()
    }

    fn digest(&self) -> Digest {
        self.component.digest()
    }

    async fn invoke(
        &self,
        call: Call,
        request: &Request,
        reads: Arc<dyn Reads>,
    ) -> Result<Result<Outcome, Failure>, CallError> {
        let _slot = self.component.sandbox().slot().await;
        let mut store = self.component.store(reads, self.limits);
        let request = convert::request(request);
        let answer = limited(&mut store, self.limits, async |store: &mut Store<Guest>| {
            let plugin = self.component.instantiate(store).await?;
            let reconciler = plugin.mizzen_plugin_reconciler();
            match call {
                Call::Reconcile => reconciler.call_reconcile(store, &request).await,
                Call::Finalize => reconciler.call_finalize(store, &request).await,
            }
        })
        .await?;
        match answer {
            Ok(outcome) => outcome::outcome(outcome).map(Ok).map_err(CallError::Invalid),
            Err(failure) => Ok(Err(outcome::failure(failure))),
        }
    }
}

impl Component {
    pub(crate) fn store(&self, reads: Arc<dyn Reads>, limits: Limits) -> Store<Guest> {
        new_store(self.sandbox().engine(), reads, limits)
    }

    async fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<ReconcilerPlugin> {
        self.pre().instantiate_async(store).await
    }
}

/// A store in which a guest gives way at every tick and ends at its deadline.
pub(crate) fn new_store(engine: &wasmtime::Engine, reads: Arc<dyn Reads>, limits: Limits) -> Store<Guest> {
    let mut store = Store::new(engine, Guest::new(reads, limits));
    store.limiter(|guest| guest);
    // What a guest hands over is copied into the host: not more than an outcome may be, whatever the guest's own memory.
    store.set_hostcall_fuel(usize::try_from(limits.outcome).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let deadline = Instant::now() + limits.time;
    store.epoch_deadline_callback(move |_: StoreContextMut<'_, Guest>| {
        Ok(if Instant::now() < deadline { UpdateDeadline::Yield(1) } else { UpdateDeadline::Interrupt })
    });
    store
}

/// Runs a guest within its time, host calls included (ticks do not interrupt those), and says which limit ended it, if one did.
pub(crate) async fn limited<T>(
    store: &mut Store<Guest>,
    limits: Limits,
    run: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, CallError> {
    match tokio::time::timeout(limits.time, run(store)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(classify(&error, store.data(), limits)),
        Err(_) => Err(CallError::Deadline(limits.time)),
    }
}

fn classify(error: &wasmtime::Error, guest: &Guest, limits: Limits) -> CallError {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::Interrupt) {
        return CallError::Deadline(limits.time);
    }
    if let Some(limit) = guest.met() {
        return limit.clone();
    }
    match trap {
        Some(Trap::StackOverflow) => CallError::Stack(STACK as u64),
        Some(trap) => CallError::Trap(match &guest.last_error {
            // A panic handler that logs before it aborts is how a guest can say what went wrong.
            Some(said) => format!("{trap}, after it logged: {said}"),
            None => trap.to_string(),
        }),
        None if error.is::<PoolConcurrencyLimitError>() => CallError::Host(format!("{error:#}")),
        // wasmtime has no public type for it.
        None if format!("{error:#}").contains("too much data") => CallError::Outcome(limits.outcome),
        None => CallError::Trap(format!("{error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Nothing;

    fn classified(trap: Trap, prepare: impl FnOnce(&mut Guest)) -> CallError {
        let mut guest = Guest::new(Arc::new(Nothing), Limits { reads: 0, ..Limits::default() });
        prepare(&mut guest);
        classify(&wasmtime::Error::from(trap), &guest, Limits::default())
    }

    fn too_many_host_calls(guest: &mut Guest) {
        assert!(guest.count().is_err());
    }

    #[test]
    fn a_trap_says_what_the_guest_said_last() {
        let said = |guest: &mut Guest| guest.last_error = Some("panicked at src/lib.rs:7: no such index".into());
        let CallError::Trap(why) = classified(Trap::UnreachableCodeReached, said) else { panic!() };
        assert!(why.ends_with("after it logged: panicked at src/lib.rs:7: no such index"), "{why}");
    }

    #[test]
    fn a_trap_after_a_limit_was_met_is_put_down_to_the_limit() {
        assert_eq!(classified(Trap::UnreachableCodeReached, too_many_host_calls), CallError::HostCalls(0));
    }

    #[test]
    fn a_deadline_is_a_deadline_whatever_was_met_before() {
        let limits = Limits::default();
        assert_eq!(classified(Trap::Interrupt, too_many_host_calls), CallError::Deadline(limits.time));
    }
}
