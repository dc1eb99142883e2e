//! Calls of a plugin, in a fresh instance each.

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::{Call, CallError, Description, Digest, Failure, Invoke, Outcome, Reads, Request};
use wasmtime::Store;

use crate::call::call as run;
use crate::component::Plugin;
use crate::guest::Guest;
use crate::{convert, outcome};

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
        let sandbox = self.component.sandbox();
        let _slot = sandbox.slot(self.component.memories()).await;
        // What is random to a guest is the same for the same request: then its outcome is, too.
        let seed = if self.component.has_wasi() { seed(request) } else { self.digest() };
        let request = convert::request(request);
        let returned = run(sandbox.engine(), reads, self.limits, seed, async |store: &mut Store<Guest>| {
            let plugin = self.component.pre().instantiate_async(&mut *store).await?;
            let reconciler = plugin.mizzen_plugin_reconciler();
            match call {
                Call::Reconcile => reconciler.call_reconcile(store, &request).await,
                Call::Finalize => reconciler.call_finalize(store, &request).await,
            }
        })
        .await?;
        match returned {
            Ok(outcome) => outcome::outcome(outcome).map(Ok).map_err(|error| CallError::Invalid(error.to_string())),
            Err(failure) => Ok(Err(outcome::failure(failure))),
        }
    }
}

fn seed(request: &Request) -> Digest {
    let predecessors = request.predecessors.iter().map(|predecessor| format!("{predecessor:?}"));
    let parts = [request.subject.clone(), request.config.clone()].into_iter().chain(predecessors);
    Digest::of(parts.collect::<Vec<_>>().join("\0").as_bytes())
}
