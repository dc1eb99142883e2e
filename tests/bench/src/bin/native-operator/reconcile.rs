//! Reconciles one API: applies its objects and writes its status, unless they are up to date.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Client, Resource, ResourceExt};
use mizzen_bench::{Address, ExposedApi, Gateway, Implementation, InvalidSpec, Published, Settings, Status};
use serde_json::{Value, json};

use crate::endpoints::Endpoints;
use crate::owned::{Name, Owned};

const MANAGER: &str = "native-operator";

/// The context of a reconcile.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) api: ApiResource,
    pub(crate) gateway: ApiResource,
    pub(crate) route: ApiResource,
    pub(crate) monitor: ApiResource,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) services: Store<Service>,
    pub(crate) gateways: Store<Gateway>,
    pub(crate) routes: Arc<Owned>,
    pub(crate) monitors: Arc<Owned>,
}

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API can't be published.
    #[error(transparent)]
    Invalid(#[from] InvalidSpec),
    /// The API server refused.
    #[error(transparent)]
    Write(#[from] Box<kube::Error>),
    /// The status can't be serialised.
    #[error("the status can't be serialised")]
    Status(#[from] serde_json::Error),
}

pub(crate) async fn reconcile(api: Arc<ExposedApi>, context: Arc<Context>) -> Result<Action, Error> {
    let name = (api.namespace().unwrap_or_default(), api.name_any());
    if api.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let ready = context.endpoints.any_ready((name.0.clone(), api.spec.implementation.clone()), &name);
    let published = Published::decide(
        (&name.0, &name.1),
        &api.spec,
        &context.settings,
        &context.address(&name.0),
        &Implementation { ready },
    )?;
    context.apply(&context.route, &context.routes, &api, &name, published.route).await?;
    match published.monitor {
        Some(monitor) => context.apply(&context.monitor, &context.monitors, &api, &name, monitor).await?,
        None if context.monitors.exists(&name) => context.delete_monitor(&name).await?,
        None => {}
    }
    context.report(&api, &name, published.status).await?;
    Ok(Action::await_change())
}

pub(crate) fn retry(_: Arc<ExposedApi>, _: &Error, _: Arc<Context>) -> Action {
    Action::requeue(Duration::from_secs(1))
}

impl Context {
    fn address(&self, namespace: &str) -> Address {
        let (namespace, name) = self.settings.gateway_for(namespace);
        let gateway = self.gateways.get(&ObjectRef::new_with(name, self.gateway.clone()).within(namespace));
        let services = self.services.state();
        Address::of(services.iter().map(|service| &**service), gateway.as_deref())
    }

    async fn apply(
        &self,
        kind: &ApiResource,
        owned: &Owned,
        api: &ExposedApi,
        name: &Name,
        mut document: Value,
    ) -> Result<(), Error> {
        document["metadata"]["ownerReferences"] = json!([api.controller_owner_ref(&self.api)]);
        if owned.holds(name, &document) {
            return Ok(());
        }
        let objects: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &name.0, kind);
        let apply = PatchParams::apply(MANAGER).force();
        let after = objects.patch_metadata(&name.1, &apply, &Patch::Apply(&document)).await.map_err(Box::new)?;
        owned.applied(name.clone(), &document, after.metadata.generation.unwrap_or(0));
        Ok(())
    }

    async fn delete_monitor(&self, name: &Name) -> Result<(), Error> {
        let monitors: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &name.0, &self.monitor);
        match monitors.delete(&name.1, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            result => result.map(|_| ()).map_err(|error| Box::new(error).into()),
        }
    }

    async fn report(&self, api: &ExposedApi, name: &Name, mut status: Status) -> Result<(), Error> {
        if api.status.as_ref().is_some_and(|was| was.equals(&status)) {
            return Ok(());
        }
        let was = api.status.as_ref().map_or(&[][..], |was| &was.conditions);
        for condition in &mut status.conditions {
            let since = was.iter().find(|was| was.kind == condition.kind && was.status == condition.status);
            condition.last_transition_time = since.map_or_else(now, |was| was.last_transition_time.clone());
        }
        let document = json!({"apiVersion": self.api.api_version, "kind": self.api.kind,
            "metadata": {"name": name.1, "namespace": name.0}, "status": serde_json::to_value(status)?});
        let apis: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &name.0, &self.api);
        // The definition has no status subresource.
        let apply = PatchParams::apply(MANAGER).force();
        apis.patch_metadata(&name.1, &apply, &Patch::Apply(&document)).await.map_err(Box::new)?;
        Ok(())
    }
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
