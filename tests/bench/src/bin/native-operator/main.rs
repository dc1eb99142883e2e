//! `api-operator` as a native operator on kube's runtime, written with care: the host is compared with it.
//!
//! It watches by streaming lists, drops managedFields, keeps only the readiness of EndpointSlices, watches the
//! metadata of its own objects, and applies only changes. It prints `ready` when its caches are filled.

mod endpoints;
mod owned;
mod reconcile;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{Stream, StreamExt, stream};
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{Controller, WatchStreamExt, controller};
use kube::{Client, Config, Resource, ResourceExt};
use mizzen_bench::{ExposedApi, Settings, resource, service_monitor_kind, virtual_service_kind};
use serde::de::DeserializeOwned;

use crate::endpoints::Endpoints;
use crate::owned::{Name, Owned};
use crate::reconcile::{Context, reconcile, retry};

/// Publishes `ExposedAPIs`, natively.
#[derive(Parser)]
struct Args {
    /// Kubeconfig.
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The Gateway that APIs are published on.
    #[arg(long)]
    gateway: String,
    /// The host of APIs that name none.
    #[arg(long)]
    public_hostname: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let kubeconfig = Kubeconfig::read_from(&args.kubeconfig).context("the kubeconfig can't be read")?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    run(Client::try_from(config)?, Settings { gateway: args.gateway, public_hostname: args.public_hostname }).await
}

async fn run(client: Client, settings: Settings) -> anyhow::Result<()> {
    let gateway = GroupVersionKind::gvk("networking.istio.io", "v1", "Gateway");
    let gateway = ApiResource::from_gvk_with_plural(&gateway, "gateways");
    let (all, bulk) = unbounded();
    let ingress = watcher::Config::default().labels("istio=ingressgateway").streaming_lists();
    let services = mirror(Api::<Service>::all(client.clone()), (), ingress, all.clone());
    let gateways = mirror(Api::all_with(client.clone(), &gateway), gateway.clone(), list(), all);
    let (endpoints, routes, monitors) = (Arc::<Endpoints>::default(), Arc::<Owned>::default(), Arc::<Owned>::default());
    let (one, triggered) = unbounded();
    let slices = watcher(Api::all(client.clone()), list()).default_backoff();
    let filled = [
        follow(slices, one.clone(), {
            let endpoints = Arc::clone(&endpoints);
            move |event| endpoints.observe(event)
        }),
        follow(owned(&client, &virtual_service_kind()), one.clone(), {
            let own = Arc::clone(&routes);
            move |event| own.observe(event)
        }),
        follow(owned(&client, &service_monitor_kind()), one, {
            let own = Arc::clone(&monitors);
            move |event| own.observe(event)
        }),
    ];
    services.wait_until_ready().await?;
    gateways.wait_until_ready().await?;
    for filled in filled {
        filled.await?;
    }

    let api = resource();
    let context = Arc::new(Context {
        client: client.clone(),
        settings,
        api: api.clone(),
        gateway,
        route: virtual_service_kind(),
        monitor: service_monitor_kind(),
        endpoints,
        services,
        gateways,
        routes,
        monitors,
    });
    control(Api::all_with(client, &api), api, (bulk, triggered), context).await;
    Ok(())
}

async fn control(
    apis: Api<ExposedApi>,
    kind: ApiResource,
    (bulk, triggered): (UnboundedReceiver<()>, UnboundedReceiver<Name>),
    context: Arc<Context>,
) {
    let writer = Writer::new(kind.clone());
    let reader = writer.as_reader();
    let subjects = watcher(apis, list()).default_backoff().modify(|api| api.managed_fields_mut().clear());
    // Waiting for the store would not do: kube wakes only one waiter, and the controller is another one.
    let mut printed = false;
    let subjects = subjects.inspect(move |event| {
        if matches!(event, Ok(Event::InitDone)) && !std::mem::replace(&mut printed, true) {
            println!("ready");
        }
    });
    let subjects = subjects.reflect(writer).touched_objects();
    let reference = {
        let kind = kind.clone();
        move |(namespace, name): Name| ObjectRef::new_with(&name, kind.clone()).within(&namespace)
    };
    Controller::for_stream_with(subjects, reader, kind)
        .with_config(controller::Config::default().concurrency(32))
        .reconcile_on(triggered.map(reference))
        .reconcile_all_on(bulk)
        .run(reconcile, retry, context)
        .for_each(async |result| {
            if let Err(error) = result {
                eprintln!("{error}");
            }
        })
        .await;
}

fn list() -> watcher::Config {
    watcher::Config::default().streaming_lists()
}

fn owned(
    client: &Client,
    kind: &ApiResource,
) -> impl Stream<Item = watcher::Result<Event<PartialObjectMeta<DynamicObject>>>> + Send + use<> {
    watcher(Api::<PartialObjectMeta<DynamicObject>>::all_with(client.clone(), kind), list()).default_backoff()
}

/// Caches all objects of a kind; a change of one of them triggers every API.
fn mirror<K>(api: Api<K>, kind: K::DynamicType, config: watcher::Config, changed: UnboundedSender<()>) -> Store<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    K::DynamicType: Eq + std::hash::Hash + Clone + Send + Sync + std::fmt::Debug,
{
    let writer = Writer::new(kind);
    let store = writer.as_reader();
    let watch = watcher(api, config).default_backoff().modify(|object| object.managed_fields_mut().clear());
    tokio::spawn(watch.reflect(writer).touched_objects().for_each(move |_| {
        // The receiver lives as long as the operator.
        let _gone = changed.unbounded_send(());
        std::future::ready(())
    }));
    store
}

/// Runs a watch, and triggers the APIs that it concerns. The receiver completes after the first list.
fn follow<K: Send + 'static>(
    watch: impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    triggered: UnboundedSender<Name>,
    observe: impl Fn(Event<K>) -> Vec<Name> + Send + 'static,
) -> tokio::sync::oneshot::Receiver<()> {
    let (done, filled) = tokio::sync::oneshot::channel();
    let mut done = Some(done);
    let events = watch.filter_map(async |event| event.inspect_err(|error| eprintln!("{error}")).ok());
    let names = events.flat_map(move |event| {
        let last = matches!(event, Event::InitDone);
        let names = observe(event);
        if last && let Some(done) = done.take() {
            // The receiver may be dropped.
            let _gone = done.send(());
        }
        stream::iter(names)
    });
    tokio::spawn(names.for_each(move |name| {
        let _gone = triggered.unbounded_send(name);
        std::future::ready(())
    }));
    filled
}
